/* regex_parse.c - the text of a regular expression to a tree. */
#include "grammar/regex_parse_internal.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { PARSE_DEPTH = 100, REPEAT_MAX = 65535 };

uint32_t ndl_rx_fail(struct parser *p, ndl_status code, const char *why)
{
	if (!p->failed)
		ndl_fail(p->err, code, "%s at character %zu", why, ndl_utf8_count(p->text, (size_t)(p->at - p->text)) + 1);
	p->failed = true;
	return NONE;
}

uint32_t ndl_rx_nomem(struct parser *p)
{
	if (!p->failed)
		ndl_fail_nomem(p->err, "pattern");
	p->failed = true;
	return NONE;
}

static uint32_t add_tree(struct parser *p, enum kind kind, uint32_t child)
{
	if (p->failed || ndl_grow(&p->tree, &p->cap_tree, p->n_tree + 1, sizeof *p->tree) < 0)
		return ndl_rx_nomem(p);
	p->tree[p->n_tree] = (struct tree){kind, child, NONE, 0, 0, 0};
	return (uint32_t)p->n_tree++;
}

static uint32_t add_leaf(struct parser *p, enum kind kind, uint32_t arg)
{
	uint32_t leaf = add_tree(p, kind, NONE);
	if (!p->failed)
		p->tree[leaf].arg = arg;
	return leaf;
}

static uint32_t set_leaf(struct parser *p)
{
	return add_leaf(p, SET, ndl_rx_store(p));
}

/* ---- text ---- */

static bool accept(struct parser *p, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0)
		return false;
	p->at += n;
	return true;
}

static uint32_t character(struct parser *p)
{
	uint32_t point = 0;
	size_t n = ndl_utf8_decode(p->at, (size_t)(p->end - p->at), &point);
	if (n == 0)
		return ndl_rx_fail(p, NDL_EINVAL, "invalid UTF-8");
	p->at += n;
	return point;
}

/* Exactly n hex digits, or NONE and nothing read. */
static uint32_t hex(struct parser *p, int n)
{
	uint32_t v = 0;
	const char *c = p->at;
	for (int i = 0; i < n; i++, c++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF", *d = c < p->end && *c ? strchr(digits, *c) : NULL;
		if (!d)
			return NONE;
		v = v * 16 + (uint32_t)(d - digits) % 16;
	}
	p->at = c;
	return v;
}

static uint32_t unicode_escape(struct parser *p)
{
	uint32_t point;
	if (accept(p, "{")) {
		point = 0;
		for (uint32_t d; (d = hex(p, 1)) != NONE && point <= CHAR_MAX_POINT;)
			point = point * 16 + d;
		return accept(p, "}") && point <= CHAR_MAX_POINT ? point : ndl_rx_fail(p, NDL_EINVAL, "wrong \\u escape");
	}
	point = hex(p, 4);
	if (point >= 0xD800 && point <= 0xDBFF && accept(p, "\\u")) {
		uint32_t low = hex(p, 4);
		if (low >= 0xDC00 && low <= 0xDFFF)
			return 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
	}
	return point == NONE || (point >= 0xD800 && point <= 0xDFFF) ? ndl_rx_fail(p, NDL_EINVAL, "wrong \\u escape") : point;
}

/* The character that an escape stands for, after the backslash. */
static uint32_t escaped(struct parser *p)
{
	if (p->at >= p->end)
		return ndl_rx_fail(p, NDL_EINVAL, "backslash");
	char c = *p->at;
	uint32_t point;
	if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
		return character(p);
	p->at++;
	switch (c) {
	case 't': return '\t';
	case 'n': return '\n';
	case 'r': return '\r';
	case 'f': return '\f';
	case 'v': return '\v';
	case '0':
		if (p->at < p->end && *p->at >= '0' && *p->at <= '9')
			break;
		return 0;
	case 'x':
		point = hex(p, 2);
		return point == NONE ? ndl_rx_fail(p, NDL_EINVAL, "wrong \\x escape") : point;
	case 'u': return unicode_escape(p);
	default: break;
	}
	p->at -= 2;
	return ndl_rx_fail(p, NDL_EUNSUPPORTED, c >= '1' && c <= '9' ? "backreferences are not supported" : "escape not supported");
}

/* A character of a class, or -1 and its spans added for \d and the like. */
static int64_t class_item(struct parser *p, bool outer)
{
	if (!accept(p, "\\"))
		return character(p);
	if (p->at < p->end && ndl_rx_class(p, *p->at, outer)) {
		p->at++;
		return -1;
	}
	if (accept(p, "b"))
		return '\b';
	return escaped(p);
}

static uint32_t class_(struct parser *p)
{
	bool negated = accept(p, "^"), outer = negated != p->n->widest;
	while (!p->failed && !accept(p, "]")) {
		if (p->at >= p->end)
			return ndl_rx_fail(p, NDL_EINVAL, "class that is not closed");
		if (p->at[0] == '[' && p->end - p->at > 1 && strchr(":.=", p->at[1]))
			return ndl_rx_fail(p, NDL_EUNSUPPORTED, "class names are not supported");
		int64_t lo = class_item(p, outer), hi = lo;
		bool range = p->end - p->at > 1 && p->at[0] == '-' && p->at[1] != ']';
		if (lo >= 0 && range) {
			p->at++;
			hi = class_item(p, outer);
			if (hi < 0) { /* a-\d: the hyphen means itself */
				ndl_rx_span(p, '-', '-');
				hi = lo;
			}
		}
		if (lo >= 0 && hi < lo)
			return ndl_rx_fail(p, NDL_EINVAL, "range out of order");
		if (lo >= 0 && !p->failed)
			ndl_rx_span(p, (uint32_t)lo, (uint32_t)hi);
	}
	if (negated && !p->failed)
		ndl_rx_negate(p, 0);
	return set_leaf(p);
}

static uint32_t alternatives(struct parser *p);

static uint32_t group(struct parser *p)
{
	static const char *const refused[] = {"?=", "?!", "?<=", "?<!", "?>"};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (accept(p, refused[i]))
			return ndl_rx_fail(p, NDL_EUNSUPPORTED, i < 2 ? "lookahead is supported only right after a leading ^"
			                                      : "lookbehind and atomic groups are not supported");
	if (accept(p, "?<") || accept(p, "?P<")) {
		while (p->at < p->end && *p->at != '>')
			p->at++;
		if (!accept(p, ">"))
			return ndl_rx_fail(p, NDL_EINVAL, "group name that is not closed");
	} else if (!accept(p, "?:") && p->at < p->end && *p->at == '?') {
		return ndl_rx_fail(p, NDL_EUNSUPPORTED, "group of a kind that is not supported");
	}
	if (++p->depth > PARSE_DEPTH)
		return ndl_rx_fail(p, NDL_ELIMIT, "groups nest too deeply");
	uint32_t inner = alternatives(p);
	p->depth--;
	return accept(p, ")") ? inner : ndl_rx_fail(p, NDL_EINVAL, "group that is not closed");
}

static uint32_t atom(struct parser *p)
{
	if (accept(p, "("))
		return group(p);
	if (accept(p, "["))
		return class_(p);
	if (accept(p, "^"))
		return add_leaf(p, ASSERT, ASSERT_START);
	if (accept(p, "$"))
		return add_leaf(p, ASSERT, ASSERT_END);
	if (accept(p, ".")) {
		ADD(p, {'\n', '\n'});
		if (!p->n->widest)
			ADD(p, {'\r', '\r'}, {0x2028, 0x2029});
		ndl_rx_negate(p, 0);
		return set_leaf(p);
	}
	if (p->at < p->end && strchr("*+?", *p->at))
		return ndl_rx_fail(p, NDL_EINVAL, "nothing to repeat");
	uint32_t point;
	if (accept(p, "\\")) {
		char c = p->at < p->end ? *p->at : '\0';
		if (c && ndl_rx_class(p, c, p->n->widest)) {
			p->at++;
			return set_leaf(p);
		}
		if (c == 'b' || c == 'B') {
			p->at++;
			p->n->words = true;
			return add_leaf(p, ASSERT, c == 'b' ? ASSERT_WORD : ASSERT_NOT_WORD);
		}
		point = escaped(p);
	} else {
		point = character(p);
	}
	if (p->failed)
		return NONE;
	ndl_rx_span(p, point, point);
	return set_leaf(p);
}

/* Digits as a number, at most a little over REPEAT_MAX; false if there are none. */
static bool number(const char **c, const char *end, int *v)
{
	const char *first = *c;
	for (*v = 0; *c < end && **c >= '0' && **c <= '9'; ++*c)
		*v = *v <= REPEAT_MAX ? *v * 10 + (**c - '0') : *v;
	return *c > first;
}

/* {m}, {m,} or {m,n}; false, and nothing read, where the brace means itself. */
static bool braces(struct parser *p, int *min, int *max)
{
	const char *c = p->at + 1;
	if (!number(&c, p->end, min))
		return false;
	*max = *min;
	if (c < p->end && *c == ',') {
		c++;
		if (!number(&c, p->end, max))
			*max = ENDLESS;
	}
	if (c >= p->end || *c != '}')
		return false;
	p->at = c + 1;
	if (*min > REPEAT_MAX || *max > REPEAT_MAX)
		ndl_rx_fail(p, NDL_ELIMIT, "repeated too often");
	else if (*max != ENDLESS && *max < *min)
		ndl_rx_fail(p, NDL_EINVAL, "counts out of order");
	return true;
}

static uint32_t repeated(struct parser *p)
{
	uint32_t what = atom(p);
	for (bool first = true; !p->failed && p->at < p->end; first = false) {
		int min = 0, max = ENDLESS;
		if (accept(p, "+"))
			min = 1;
		else if (accept(p, "?"))
			max = 1;
		else if (!accept(p, "*") && (*p->at != '{' || !braces(p, &min, &max)))
			break;
		if (!first)
			return ndl_rx_fail(p, NDL_EINVAL, "nothing to repeat");
		if (p->at < p->end && *p->at == '+')
			return ndl_rx_fail(p, NDL_EUNSUPPORTED, "possessive repetition is not supported");
		accept(p, "?"); /* lazy: the same texts match */
		what = add_tree(p, REPEAT, what);
		if (!p->failed) {
			p->tree[what].min = min;
			p->tree[what].max = max;
		}
	}
	return what;
}

static uint32_t sequence(struct parser *p)
{
	uint32_t all = add_tree(p, CAT, NONE);
	while (!p->failed && p->at < p->end && *p->at != '|' && *p->at != ')') {
		uint32_t part = repeated(p);
		if (p->failed)
			break;
		p->tree[part].sibling = p->tree[all].child;
		p->tree[all].child = part;
	}
	return all;
}

static uint32_t alternatives(struct parser *p)
{
	uint32_t all = add_tree(p, ALT, NONE);
	do {
		uint32_t part = sequence(p);
		if (p->failed)
			return NONE;
		p->tree[part].sibling = p->tree[all].child;
		p->tree[all].child = part;
	} while (accept(p, "|"));
	return all;
}

ndl_status ndl_nfa_parse(struct nfa *n, const char *text, size_t len, bool widest, ndl_error *err)
{
	struct parser p = {.n = n, .text = text, .at = text, .end = text + len, .err = err};
	*n = (struct nfa){.widest = widest};
	ndl_rx_class(&p, 'w', false);
	ndl_rx_store(&p);
	ndl_rx_span(&p, 0x80, CHAR_MAX_POINT);
	ndl_rx_store(&p);
	ndl_rx_span(&p, 0, CHAR_MAX_POINT);
	uint32_t any = ndl_rx_store(&p), tree = p.failed ? NONE : alternatives(&p);
	if (!p.failed && p.at < p.end)
		ndl_rx_fail(&p, NDL_EINVAL, "closing parenthesis without an opening one");
	if (!p.failed)
		ndl_rx_emit(&p, tree, any);
	free(p.tree);
	free(p.span);
	return !p.failed ? NDL_OK : err && err->code ? err->code : NDL_EINVAL;
}

void ndl_nfa_clear(struct nfa *n)
{
	free(n->state);
	free(n->set);
	free(n->span);
}
