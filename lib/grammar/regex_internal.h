/* regex_internal.h - regular expressions ("pattern", "format") as automata over characters.
 *
 * The automaton is complete before the first byte is decoded: from every state that is kept a
 * match can still be reached, and in how many characters at least is known. So a prefix is
 * admitted exactly when it can be finished, also under minLength and maxLength, a pattern that
 * nothing matches is found while compiling, and no text can make matching slow. Backtracking
 * matchers promise none of these: their partial matches say yes to prefixes of no match as soon
 * as a pattern looks ahead, and may take exponential time over it.
 *
 * The language is that of JSON Schema: ECMA-262, searched for anywhere in the text. \d and \w are
 * ASCII; where dialects disagree on \s, \b and `.`, what all of them accept is meant. Understood:
 * literals, escapes, classes, groups (also named), | * + ? {m,n}, ^ $ \b \B, and lookaheads right
 * after a leading ^. Not regular or not understood, and refused: backreferences, lookbehind,
 * lookaheads elsewhere, atomic and possessive forms, flags, \p. */
#ifndef NDL_GRAMMAR_REGEX_INTERNAL_H
#define NDL_GRAMMAR_REGEX_INTERNAL_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGEX_DEAD = 0xFFFF, REGEX_MAX_STATES = 4096, REGEX_TABLE = 2 << 20, CHAR_MAX_POINT = 0x10FFFF };

/* FNV-1a, a number at a time. */
#define FNV_START UINT64_C(14695981039346656037)
static inline uint64_t fnv_add(uint64_t hash, uint32_t x)
{
	return (hash ^ x) * UINT64_C(1099511628211);
}

/* Characters [at, the next range's at) have this class; REGEX_DEAD: never in a text (NUL, surrogates). */
struct char_range {
	uint32_t at;
	uint16_t class_;
};

/* Immutable. State 0 is the start. */
typedef struct ndl_regex {
	uint32_t n_states, n_classes, n_ranges;
	struct char_range *range;
	uint16_t *next;  /* [n_states][n_classes]: state or REGEX_DEAD */
	uint16_t *rest;  /* characters to a match at least: 0 where one ends here */
	uint32_t all;    /* the state from which every text matches, or REGEX_DEAD */
} ndl_regex;

/* Owned; NULL with err: NDL_EINVAL if nothing matches or the syntax is wrong, NDL_EUNSUPPORTED,
 * NDL_ELIMIT (more than REGEX_MAX_STATES states). */
ndl_regex *ndl_regex_new(const char *pattern, ndl_error *err);
/* Texts that match a and (or, negated: and not) b. */
ndl_regex *ndl_regex_and(const ndl_regex *a, const ndl_regex *b, bool negated, ndl_error *err);
void ndl_regex_free(ndl_regex *r);

/* Index of the range that holds a character. */
uint32_t ndl_regex_range(const ndl_regex *r, uint32_t point);
/* State after a character, or one of this range: REGEX_DEAD if no match has this prefix. */
uint32_t ndl_regex_step(const ndl_regex *r, uint32_t state, uint32_t point);
uint32_t ndl_regex_step_range(const ndl_regex *r, uint32_t state, uint32_t range);

/* ---- between the regex files ---- */

/* One expression without lookaheads, as ndl_regex_new. widest: as in nfa. */
ndl_regex *ndl_regex_build(const char *text, size_t len, bool widest, ndl_error *err);
/* Sets r->range to begin at these n points (which it sorts), all without a class. -1: no memory. */
int ndl_regex_points(ndl_regex *r, uint32_t *point, size_t n);
/* Whether texts may hold this character: not NUL or a surrogate. */
bool ndl_regex_is_text(uint32_t point);
/* Fills in rest and all, given the transitions and which states accept, and cuts dead ends off. */
ndl_status ndl_regex_finish(ndl_regex *r, const uint8_t *accepts, ndl_error *err);

enum nfa_kind { NFA_SET, NFA_SPLIT, NFA_ASSERT, NFA_MATCH };
enum { ASSERT_START, ASSERT_END, ASSERT_WORD, ASSERT_NOT_WORD };

/* SET: characters of set `arg`, then out. SPLIT: out or arg. ASSERT: if `arg` holds, then out. */
struct nfa_state {
	enum nfa_kind kind;
	uint32_t out, arg;
};

struct span { uint32_t lo, hi; };        /* characters, both included */
struct char_set { uint32_t first, n; };  /* of spans, sorted and apart */

struct nfa {
	struct nfa_state *state;
	struct char_set *set;
	struct span *span;
	size_t n_states, cap_states, n_sets, cap_sets, n_spans, cap_spans;
	uint32_t start;
	bool widest;       /* where dialects disagree, what any of them accepts (as for what must not be) */
	bool words;        /* \b or \B occurs; then set 0 is \w, set 1 what only some dialects may count to it */
};

/* Clear it in any case. State 0 is MATCH. */
ndl_status ndl_nfa_parse(struct nfa *n, const char *text, size_t len, bool widest, ndl_error *err);
void ndl_nfa_clear(struct nfa *n);

#endif
