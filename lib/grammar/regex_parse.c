/* regex_parse.c - the text of a regular expression to a tree, and the tree to an automaton with
 * free moves (Thompson's construction, from the end backwards). */
#include "grammar/regex_internal.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
	PARSE_DEPTH = 100,
	REPEAT_MAX = 65535,
	NFA_STATES = 10000,
	NFA_WORK = 200000, /* tree nodes visited while repetitions are unrolled */
	ENDLESS = -1,
};

enum kind { SET, CAT, ALT, REPEAT, ASSERT };

/* Children are linked, of CAT the last one first: that is how they are emitted. */
struct tree {
	enum kind kind;
	uint32_t child, sibling; /* NONE at the end */
	uint32_t arg;            /* SET: its number, ASSERT: which */
	int min, max;
};

#define NONE UINT32_MAX

struct parser {
	struct nfa *n;
	const char *text, *at, *end;
	struct tree *tree;
	size_t n_tree, cap_tree;
	struct span *span; /* of the class under way */
	size_t n_span, cap_span;
	int depth;
	size_t work;
	ndl_error *err;
	bool failed;
};

static uint32_t fail(struct parser *p, ndl_status code, const char *why)
{
	if (!p->failed)
		ndl_fail(p->err, code, "%s at character %zu", why, ndl_utf8_count(p->text, (size_t)(p->at - p->text)) + 1);
	p->failed = true;
	return NONE;
}

static uint32_t nomem(struct parser *p)
{
	if (!p->failed)
		ndl_fail_nomem(p->err, "pattern");
	p->failed = true;
	return NONE;
}

static uint32_t add_tree(struct parser *p, enum kind kind, uint32_t child)
{
	if (p->failed || ndl_grow(&p->tree, &p->cap_tree, p->n_tree + 1, sizeof *p->tree) < 0)
		return nomem(p);
	p->tree[p->n_tree] = (struct tree){kind, child, NONE, 0, 0, 0};
	return (uint32_t)p->n_tree++;
}

/* ---- sets of characters ---- */

static void add_span(struct parser *p, uint32_t lo, uint32_t hi)
{
	if (ndl_grow(&p->span, &p->cap_span, p->n_span + 1, sizeof *p->span) < 0)
		nomem(p);
	else
		p->span[p->n_span++] = (struct span){lo, hi};
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Sorts the spans from `first` on and joins those that touch. */
static void tidy(struct parser *p, size_t first)
{
	size_t kept = first;
	if (p->n_span > first)
		qsort(p->span + first, p->n_span - first, sizeof *p->span, compare_spans);
	for (size_t i = first; i < p->n_span; i++) {
		if (kept > first && p->span[i].lo <= p->span[kept - 1].hi + 1) {
			if (p->span[i].hi > p->span[kept - 1].hi)
				p->span[kept - 1].hi = p->span[i].hi;
		} else {
			p->span[kept++] = p->span[i];
		}
	}
	p->n_span = kept;
}

/* Replaces the spans from `first` on by all that they leave out. */
static void negate(struct parser *p, size_t first)
{
	tidy(p, first);
	size_t n = p->n_span;
	uint32_t at = 0;
	for (size_t i = first; i < n && !p->failed; i++) {
		if (p->span[i].lo > at)
			add_span(p, at, p->span[i].lo - 1);
		at = p->span[i].hi + 1;
	}
	if (at <= CHAR_MAX_POINT)
		add_span(p, at, CHAR_MAX_POINT);
	if (p->failed)
		return;
	memmove(p->span + first, p->span + n, (p->n_span - n) * sizeof *p->span);
	p->n_span -= n - first;
}

static void add_spans(struct parser *p, const struct span *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_span(p, s[i].lo, s[i].hi);
}

#define ADD(p, ...) do { \
	static const struct span spans_[] = {__VA_ARGS__}; \
	add_spans(p, spans_, sizeof spans_ / sizeof *spans_); \
} while (0)

/* \d \w \s and their opposites. outer: stands in a negated class, so more is less. */
static bool add_class(struct parser *p, char c, bool outer)
{
	size_t first = p->n_span;
	bool opposite = c == 'D' || c == 'W' || c == 'S';
	switch (c) {
	case 'd': case 'D': ADD(p, {'0', '9'}); break;
	case 'w': case 'W': ADD(p, {'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}); break;
	case 's': case 'S':
		ADD(p, {'\t', '\r'}, {' ', ' '});
		if (outer != opposite) /* what only some dialects take for blank */
			ADD(p, {0x1C, 0x1F}, {0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x200A},
				{0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF});
		break;
	default: return false;
	}
	if (opposite)
		negate(p, first);
	return true;
}

/* The spans as a set of the automaton. */
static uint32_t store_set(struct parser *p)
{
	struct nfa *n = p->n;
	tidy(p, 0);
	if (p->failed || ndl_grow(&n->set, &n->cap_sets, n->n_sets + 1, sizeof *n->set) < 0 ||
	    ndl_grow(&n->span, &n->cap_spans, n->n_spans + p->n_span, sizeof *n->span) < 0)
		return nomem(p);
	if (p->n_span)
		memcpy(n->span + n->n_spans, p->span, p->n_span * sizeof *n->span);
	n->set[n->n_sets] = (struct char_set){(uint32_t)n->n_spans, (uint32_t)p->n_span};
	n->n_spans += p->n_span;
	p->n_span = 0;
	return (uint32_t)n->n_sets++;
}

static uint32_t set_leaf(struct parser *p)
{
	uint32_t set = store_set(p), leaf = add_tree(p, SET, NONE);
	if (!p->failed)
		p->tree[leaf].arg = set;
	return leaf;
}

static uint32_t assertion(struct parser *p, uint32_t which)
{
	uint32_t leaf = add_tree(p, ASSERT, NONE);
	if (!p->failed)
		p->tree[leaf].arg = which;
	return leaf;
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
		return fail(p, NDL_EINVAL, "invalid UTF-8");
	p->at += n;
	return point;
}

/* Exactly n hex digits, or NONE and nothing read. */
static uint32_t hex(struct parser *p, int n)
{
	uint32_t v = 0;
	const char *c = p->at;
	for (int i = 0; i < n; i++, c++) {
		const char *digits = "0123456789abcdef", *d = NULL;
		char lower = c < p->end ? (char)(*c >= 'A' && *c <= 'F' ? *c | 0x20 : *c) : '\0';
		d = lower ? strchr(digits, lower) : NULL;
		if (!d)
			return NONE;
		v = v * 16 + (uint32_t)(d - digits);
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
		return accept(p, "}") && point <= CHAR_MAX_POINT ? point : fail(p, NDL_EINVAL, "wrong \\u escape");
	}
	point = hex(p, 4);
	if (point >= 0xD800 && point <= 0xDBFF && accept(p, "\\u")) {
		uint32_t low = hex(p, 4);
		if (low >= 0xDC00 && low <= 0xDFFF)
			return 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
	}
	return point == NONE || (point >= 0xD800 && point <= 0xDFFF) ? fail(p, NDL_EINVAL, "wrong \\u escape") : point;
}

/* The character that an escape stands for, after the backslash. */
static uint32_t escaped(struct parser *p)
{
	if (p->at >= p->end)
		return fail(p, NDL_EINVAL, "backslash");
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
		return point == NONE ? fail(p, NDL_EINVAL, "wrong \\x escape") : point;
	case 'u': return unicode_escape(p);
	default: break;
	}
	p->at -= 2;
	return fail(p, NDL_EUNSUPPORTED, c >= '1' && c <= '9' ? "backreferences are not supported" : "escape not supported");
}

/* A character of a class, or -1 and its spans added for \d and the like. */
static int64_t class_item(struct parser *p, bool outer)
{
	if (!accept(p, "\\"))
		return character(p);
	if (p->at < p->end && add_class(p, *p->at, outer)) {
		p->at++;
		return -1;
	}
	if (accept(p, "b"))
		return '\b';
	return escaped(p);
}

static uint32_t class_(struct parser *p)
{
	bool outer = accept(p, "^");
	while (!p->failed && !accept(p, "]")) {
		if (p->at >= p->end)
			return fail(p, NDL_EINVAL, "class that is not closed");
		if (p->at[0] == '[' && p->end - p->at > 1 && strchr(":.=", p->at[1]))
			return fail(p, NDL_EUNSUPPORTED, "class names are not supported");
		int64_t lo = class_item(p, outer), hi = lo;
		bool range = p->end - p->at > 1 && p->at[0] == '-' && p->at[1] != ']';
		if (lo >= 0 && range) {
			p->at++;
			hi = class_item(p, outer);
			if (hi < 0) { /* a-\d: the hyphen means itself */
				add_span(p, '-', '-');
				hi = lo;
			}
		}
		if (lo >= 0 && hi < lo)
			return fail(p, NDL_EINVAL, "range out of order");
		if (lo >= 0 && !p->failed)
			add_span(p, (uint32_t)lo, (uint32_t)hi);
	}
	if (outer && !p->failed)
		negate(p, 0);
	return set_leaf(p);
}

static uint32_t alternatives(struct parser *p);

static uint32_t group(struct parser *p)
{
	static const char *const refused[] = {"?=", "?!", "?<=", "?<!", "?>"};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (accept(p, refused[i]))
			return fail(p, NDL_EUNSUPPORTED, i < 2 ? "lookahead is supported only right after a leading ^"
			                                      : "lookbehind and atomic groups are not supported");
	if (accept(p, "?<") || accept(p, "?P<")) {
		while (p->at < p->end && *p->at != '>')
			p->at++;
		if (!accept(p, ">"))
			return fail(p, NDL_EINVAL, "group name that is not closed");
	} else if (!accept(p, "?:") && p->at < p->end && *p->at == '?') {
		return fail(p, NDL_EUNSUPPORTED, "group of a kind that is not supported");
	}
	if (++p->depth > PARSE_DEPTH)
		return fail(p, NDL_ELIMIT, "groups nest too deeply");
	uint32_t inner = alternatives(p);
	p->depth--;
	return accept(p, ")") ? inner : fail(p, NDL_EINVAL, "group that is not closed");
}

static uint32_t atom(struct parser *p)
{
	if (accept(p, "("))
		return group(p);
	if (accept(p, "["))
		return class_(p);
	if (accept(p, "^"))
		return assertion(p, ASSERT_START);
	if (accept(p, "$"))
		return assertion(p, ASSERT_END);
	if (accept(p, ".")) {
		ADD(p, {'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029});
		negate(p, 0);
		return set_leaf(p);
	}
	if (p->at < p->end && strchr("*+?", *p->at))
		return fail(p, NDL_EINVAL, "nothing to repeat");
	uint32_t point;
	if (accept(p, "\\")) {
		char c = p->at < p->end ? *p->at : '\0';
		if (c && add_class(p, c, false)) {
			p->at++;
			return set_leaf(p);
		}
		if (c == 'b' || c == 'B') {
			p->at++;
			p->n->words = true;
			return assertion(p, c == 'b' ? ASSERT_WORD : ASSERT_NOT_WORD);
		}
		point = escaped(p);
	} else {
		point = character(p);
	}
	if (p->failed)
		return NONE;
	add_span(p, point, point);
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
		fail(p, NDL_ELIMIT, "repeated too often");
	else if (*max != ENDLESS && *max < *min)
		fail(p, NDL_EINVAL, "counts out of order");
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
			return fail(p, NDL_EINVAL, "nothing to repeat");
		if (p->at < p->end && *p->at == '+')
			return fail(p, NDL_EUNSUPPORTED, "possessive repetition is not supported");
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

/* ---- the automaton ---- */

static uint32_t add_state(struct parser *p, enum nfa_kind kind, uint32_t out, uint32_t arg)
{
	struct nfa *n = p->n;
	if (n->n_states >= NFA_STATES)
		return fail(p, NDL_ELIMIT, "pattern is too large");
	if (p->failed || ndl_grow(&n->state, &n->cap_states, n->n_states + 1, sizeof *n->state) < 0)
		return nomem(p);
	n->state[n->n_states] = (struct nfa_state){kind, out, arg};
	return (uint32_t)n->n_states++;
}

static uint32_t emit(struct parser *p, uint32_t tree, uint32_t after);

static uint32_t emit_repeat(struct parser *p, const struct tree *t, uint32_t after)
{
	uint32_t at = after;
	if (t->max == ENDLESS) {
		at = add_state(p, NFA_SPLIT, after, after);
		uint32_t body = p->failed ? NONE : emit(p, t->child, at);
		if (!p->failed)
			p->n->state[at].out = body;
	}
	for (int i = t->min; i < t->max && !p->failed; i++) {
		uint32_t body = emit(p, t->child, at);
		at = p->failed ? NONE : add_state(p, NFA_SPLIT, body, after);
	}
	for (int i = 0; i < t->min && !p->failed; i++)
		at = emit(p, t->child, at);
	return at;
}

/* States that match the tree and go on to `after`; recursion as deep as groups nest. */
static uint32_t emit(struct parser *p, uint32_t tree, uint32_t after)
{
	if (p->failed || ++p->work > NFA_WORK)
		return fail(p, NDL_ELIMIT, "pattern is too large");
	const struct tree t = p->tree[tree];
	uint32_t at = after;
	switch (t.kind) {
	case SET: return add_state(p, NFA_SET, after, t.arg);
	case ASSERT: return add_state(p, NFA_ASSERT, after, t.arg);
	case REPEAT: return emit_repeat(p, &t, after);
	case CAT:
		for (uint32_t c = t.child; c != NONE && !p->failed; c = p->tree[c].sibling)
			at = emit(p, c, at);
		return at;
	case ALT:
		at = emit(p, t.child, after);
		for (uint32_t c = p->tree[t.child].sibling; c != NONE && !p->failed; c = p->tree[c].sibling) {
			uint32_t other = emit(p, c, after);
			at = p->failed ? NONE : add_state(p, NFA_SPLIT, other, at);
		}
		return at;
	}
	return at;
}

/* A search: any characters may stand before what is looked for. */
static void emit_search(struct parser *p, uint32_t tree, uint32_t any)
{
	uint32_t match = add_state(p, NFA_MATCH, 0, 0), found = p->failed ? NONE : emit(p, tree, match);
	uint32_t start = add_state(p, NFA_SPLIT, found, 0), skip = p->failed ? NONE : add_state(p, NFA_SET, start, any);
	if (p->failed)
		return;
	p->n->state[start].arg = skip;
	p->n->start = start;
}

ndl_status ndl_nfa_parse(struct nfa *n, const char *text, size_t len, ndl_error *err)
{
	struct parser p = {.n = n, .text = text, .at = text, .end = text + len, .err = err};
	*n = (struct nfa){0};
	add_class(&p, 'w', false);
	store_set(&p);
	add_span(&p, 0x80, CHAR_MAX_POINT);
	store_set(&p);
	add_span(&p, 0, CHAR_MAX_POINT);
	uint32_t any = store_set(&p), tree = p.failed ? NONE : alternatives(&p);
	if (!p.failed && p.at < p.end)
		fail(&p, NDL_EINVAL, "closing parenthesis without an opening one");
	if (!p.failed)
		emit_search(&p, tree, any);
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
