/* regex_and.c - two expressions at once: the product of their automata, and with it lookaheads. */
#include "grammar/regex_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	LOOKAHEADS = 8,
	CLASSES = 4096, /* that a product may have: one pattern tells fewer characters apart */
};

/* ---- both of two ---- */

/* Ranges and classes as pairs: class = class of a * classes of b + class of b, and then numbered. */
static ndl_status pair_classes(ndl_regex *r, const ndl_regex *a, const ndl_regex *b, uint32_t **pair, ndl_error *err)
{
	uint32_t *point = ndl_calloc((size_t)a->n_ranges + b->n_ranges, sizeof *point);
	if (!point)
		return ndl_fail_nomem(err, "pattern");
	for (uint32_t i = 0; i < a->n_ranges; i++)
		point[i] = a->range[i].at;
	for (uint32_t i = 0; i < b->n_ranges; i++)
		point[a->n_ranges + i] = b->range[i].at;
	int failed = ndl_regex_points(r, point, (size_t)a->n_ranges + b->n_ranges);
	free(point);
	*pair = failed ? NULL : ndl_calloc(r->n_ranges, sizeof **pair);
	if (!*pair)
		return ndl_fail_nomem(err, "pattern");
	for (uint32_t i = 0; i < r->n_ranges; i++) {
		uint32_t at = r->range[i].at, k = 0;
		if (!ndl_regex_is_text(at))
			continue;
		uint32_t both = (uint32_t)a->range[ndl_regex_range(a, at)].class_ << 16 | b->range[ndl_regex_range(b, at)].class_;
		while (k < r->n_classes && (*pair)[k] != both)
			k++;
		if (k == CLASSES)
			return ndl_fail(err, NDL_ELIMIT, "patterns tell too many characters apart together");
		if (k == r->n_classes)
			(*pair)[r->n_classes++] = both;
		r->range[i].class_ = (uint16_t)k;
	}
	return NDL_OK;
}

struct product {
	const ndl_regex *a, *b;
	ndl_regex *r;
	uint32_t *pair;    /* class -> classes of a and b */
	uint32_t *state;   /* state -> states of a and b */
	uint32_t *number;  /* [states of a][states of b + 1]: state + 1 */
	size_t cap_state, cap_next;
};

static ndl_status find_pair(struct product *p, uint32_t sa, uint32_t sb, uint32_t *state, ndl_error *err)
{
	size_t columns = (size_t)p->b->n_states + 1;
	uint32_t *number = &p->number[sa * columns + (sb == REGEX_DEAD ? p->b->n_states : sb)];
	ndl_regex *r = p->r;
	if (!*number) {
		if (r->n_states >= REGEX_MAX_STATES || ((size_t)r->n_states + 1) * r->n_classes > REGEX_TABLE)
			return ndl_fail(err, NDL_ELIMIT, "patterns need too many states together");
		if (ndl_grow(&p->state, &p->cap_state, r->n_states + 1, sizeof *p->state) < 0 ||
		    ndl_grow(&r->next, &p->cap_next, ((size_t)r->n_states + 1) * r->n_classes, sizeof *r->next) < 0)
			return ndl_fail_nomem(err, "pattern");
		p->state[r->n_states] = sa << 16 | sb;
		*number = ++r->n_states;
	}
	*state = *number - 1;
	return NDL_OK;
}

static ndl_status expand_pairs(struct product *p, bool negated, ndl_error *err)
{
	uint32_t to;
	ndl_status status = find_pair(p, 0, 0, &to, err);
	for (uint32_t s = 0; status == 0 && s < p->r->n_states; s++) {
		uint32_t sa = p->state[s] >> 16, sb = p->state[s] & 0xFFFF;
		for (uint32_t c = 0; status == 0 && c < p->r->n_classes; c++) {
			uint32_t ta = p->a->next[sa * p->a->n_classes + (p->pair[c] >> 16)];
			uint32_t tb = sb == REGEX_DEAD ? REGEX_DEAD : p->b->next[sb * p->b->n_classes + (p->pair[c] & 0xFFFF)];
			to = REGEX_DEAD;
			if (ta != REGEX_DEAD && (negated || tb != REGEX_DEAD))
				status = find_pair(p, ta, tb, &to, err);
			p->r->next[(size_t)s * p->r->n_classes + c] = (uint16_t)to;
		}
	}
	uint8_t *accepts = status == 0 ? ndl_calloc(p->r->n_states, 1) : NULL;
	if (!accepts)
		return status < 0 ? status : ndl_fail_nomem(err, "pattern");
	for (uint32_t s = 0; s < p->r->n_states; s++) {
		uint32_t sa = p->state[s] >> 16, sb = p->state[s] & 0xFFFF;
		bool matches = sb != REGEX_DEAD && p->b->rest[sb] == 0;
		accepts[s] = p->a->rest[sa] == 0 && matches != negated;
	}
	status = ndl_regex_finish(p->r, accepts, err);
	free(accepts);
	return status;
}

ndl_regex *ndl_regex_and(const ndl_regex *a, const ndl_regex *b, bool negated, ndl_error *err)
{
	struct product p = {.a = a, .b = b, .r = ndl_calloc(1, sizeof(ndl_regex))};
	size_t pairs = (size_t)a->n_states * (b->n_states + 1);
	if (pairs > REGEX_TABLE) {
		ndl_fail(err, NDL_ELIMIT, "patterns need too many states together");
		free(p.r);
		return NULL;
	}
	p.number = ndl_calloc(pairs, sizeof *p.number);
	ndl_status status = p.r && p.number ? pair_classes(p.r, a, b, &p.pair, err) : ndl_fail_nomem(err, "pattern");
	if (status == 0)
		status = expand_pairs(&p, negated, err);
	free(p.pair);
	free(p.state);
	free(p.number);
	if (status < 0) {
		ndl_regex_free(p.r);
		return NULL;
	}
	return p.r;
}

/* ---- lookaheads after a leading ^ ---- */

/* The end of the group that begins at text[0] = '(', or 0 if it is not closed. */
static size_t group_end(const char *text, size_t len)
{
	size_t depth = 0;
	bool inside = false; /* a class */
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			i++;
		else if (inside)
			inside = text[i] != ']';
		else if (text[i] == '[')
			inside = true;
		else if (text[i] == '(')
			depth++;
		else if (text[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* Whether a | stands outside all groups and classes. */
static bool has_alternatives(const char *text, size_t len)
{
	bool inside = false;
	for (size_t i = 0, end; i < len; i++) {
		if (text[i] == '\\')
			i++;
		else if (inside)
			inside = text[i] != ']';
		else if (text[i] == '[')
			inside = true;
		else if (text[i] == '(' && (end = group_end(text + i, len - i)) > 0)
			i += end - 1;
		else if (text[i] == '|')
			return true;
	}
	return false;
}

/* ^ and the group's inside as a pattern of its own. */
static ndl_regex *build_lookahead(const char *group, size_t len, ndl_error *err)
{
	char *text = ndl_calloc(len + 3, 1);
	ndl_regex *r = NULL;
	if (!text) {
		ndl_fail_nomem(err, "pattern");
		return NULL;
	}
	memcpy(text, "^(?:", 4); /* (?=…) is as long */
	memcpy(text + 4, group + 3, len - 3);
	r = ndl_regex_build(text, len + 1, group[2] == '!', err);
	free(text);
	return r;
}

/* r and, or and not, what a lookahead says; takes r over. */
static ndl_regex *restrict_by(ndl_regex *r, const char *group, size_t len, ndl_error *err)
{
	ndl_error local = NDL_ERROR_INIT;
	bool negated = group[2] == '!';
	ndl_regex *ahead = build_lookahead(group, len, &local);
	if (!ahead && negated && local.code == NDL_EINVAL && strstr(local.text, "no text matches"))
		return r; /* forbids nothing */
	ndl_regex *both = ahead ? ndl_regex_and(r, ahead, negated, err) : NULL;
	if (!ahead && err)
		*err = local;
	ndl_regex_free(ahead);
	ndl_regex_free(r);
	return both;
}

ndl_regex *ndl_regex_new(const char *pattern, ndl_error *err)
{
	size_t len = strlen(pattern), at = 1, n = 0;
	const char *group[LOOKAHEADS];
	size_t group_len[LOOKAHEADS];
	if (len >= 4096) {
		ndl_fail(err, NDL_ELIMIT, "pattern is longer than 4095 bytes");
		return NULL;
	}
	while (pattern[0] == '^' && n < LOOKAHEADS &&
	       (strncmp(pattern + at, "(?=", 3) == 0 || strncmp(pattern + at, "(?!", 3) == 0)) {
		size_t end = group_end(pattern + at, len - at);
		if (end == 0)
			break; /* reported below */
		group[n] = pattern + at;
		group_len[n++] = end;
		at += end;
	}
	if (n == 0 || has_alternatives(pattern + at, len - at))
		return ndl_regex_build(pattern, len, false, err);
	char *rest = ndl_calloc(len + 2, 1);
	if (!rest) {
		ndl_fail_nomem(err, "pattern");
		return NULL;
	}
	rest[0] = '^';
	memcpy(rest + 1, pattern + at, len - at);
	ndl_regex *r = ndl_regex_build(rest, len - at + 1, false, err);
	free(rest);
	for (size_t i = 0; r && i < n; i++)
		r = restrict_by(r, group[i], group_len[i], err);
	return r;
}
