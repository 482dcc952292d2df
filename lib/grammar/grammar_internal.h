/* grammar_internal.h - the compiled form and what the files of this room share.
 *
 * Every schema becomes one node that says which kinds of value it admits. A fixed set of texts
 * (tool names, argument keys, enum values, true) is a run of `choice`s sorted by bytes: matching
 * a byte narrows the run [lo, hi) by binary search, so there is no trie to build, and a key that
 * was used is skipped by its bit. A state is a stack of frames, one per value under way. */
#ifndef NDL_GRAMMAR_GRAMMAR_INTERNAL_H
#define NDL_GRAMMAR_GRAMMAR_INTERNAL_H

#include "grammar/grammar.h"
#include "grammar/regex_internal.h"

enum {
	T_STRING = NDL_TYPE_STRING, T_INTEGER = NDL_TYPE_INTEGER, T_NUMBER = NDL_TYPE_NUMBER, T_BOOLEAN = NDL_TYPE_BOOLEAN,
	T_NULL = NDL_TYPE_NULL, T_ARRAY = NDL_TYPE_ARRAY, T_OBJECT = NDL_TYPE_OBJECT,
	T_ALL = 127
};

enum {
	SCHEMA_DEPTH = 33,     /* frames that declared values may take */
	PROPERTY_WORDS = 64,   /* words for used keys that they may take */
	VALUE_BYTES = 1 << 20, /* a shortest value may take (minItems, minLength, required keys) */
	MAP_KEYS = 16,         /* keys of a map of undeclared keys */
	MAX_ALTERNATIVES = 1000,
	UNIQUE_ITEMS = 32,     /* items of an array in which each differs */
	MAX_FREE_DEPTH = 16,
	NUMBER_DIGITS = 18,    /* what fits 64 bits with room for sums */
	NUMBER_FIGURES = 15,   /* what a double keeps: other digits, another double */
	EXPONENT_DIGITS = 2,
};

/* Choices 0..2 of every grammar. */
enum { CHOICE_FALSE, CHOICE_NULL, CHOICE_TRUE, N_LITERALS };
/* Node 0 of every grammar: any JSON value. */
enum { NODE_ANY };

/* Numbers with bounds are matched as integers of 10^-decimals, at most NUMBER_DIGITS digits. */
struct number {
	int64_t lo, hi, step;    /* both ends included; step >= 1 */
	uint8_t whole, decimals; /* digits before and after the point, at most */
	uint8_t figures;         /* and together */
};

/* What strings must match; for those in arrays of unique items there always is one. */
struct text {
	const ndl_regex *regex;  /* in g->regex */
	uint32_t min_len, max_len;
	uint16_t *rest;          /* owned, [min_len + 1][regex->n_states]: characters to a match that */
};                               /* has at least so many more; NULL where min_len is 0: regex->rest */

struct node {
	uint8_t types;           /* T_… */
	bool free;               /* undeclared: its containers count towards free_depth */
	bool map;                /* object: any keys, to values of node `items` of its own: `extra` */
	bool bounded;            /* number is in force (always for integers) */
	uint8_t close;           /* first byte of a shortest value */
	uint32_t cost;           /* bytes of that value */
	uint32_t choice, n_choices; /* enum: its serialised values; n_choices 0: none */
	uint32_t min_len, max_len;  /* characters */
	uint32_t text;           /* 1 + index in g->text; 0: any text */
	uint32_t alt, n_alts;    /* alternatives: nodes g->alt[alt…]; then nothing else here matters */
	struct number number;
	uint32_t items, min_items, max_items;
	bool unique;             /* array: no two items are equal */
	uint32_t keys, n_keys;   /* object: choices `"key":` whose value is the argument's node */
	uint32_t required;       /* first of its words in g->words: bits of the keys that must be there */
	uint32_t n_words;        /* words for n_keys bits */
	uint32_t need_words;     /* with those of what may nest in it */
	uint32_t width, height;  /* threads and frames that a value may take */
	uint32_t extra;          /* map: node of its values */
};

struct choice {
	uint32_t text, len; /* in g->pool */
	uint32_t value;     /* node that follows a key or a tool's name */
};

struct ndl_grammar {
	struct node *node;
	struct choice *choice;
	uint64_t *words;
	uint32_t *alt;
	struct text *text;
	ndl_regex **regex;
	ndl_buf pool;
	size_t n_nodes, cap_nodes, n_choices, cap_choices, n_words, cap_words, n_alts, cap_alts, n_texts, cap_texts,
		n_regexes, cap_regexes;
	uint32_t thread_words; /* words that one thread may take */
	uint32_t calls, n_calls; /* choices `{"name":"…","arguments":` */
	uint32_t min_calls, max_calls, free_depth;
	bool bare;
};

enum phase {
	P_SPACE, P_OPEN, P_FIRST_CALL, P_CALL, P_CALL_END, P_NEXT_CALL, P_END, /* the root frame */
	P_START,                                       /* a value is due */
	P_CHOICE, P_STRING, P_NUMBER,
	P_ITEM_FIRST, P_ITEM_AFTER,                    /* array: after `[`, after an item */
	P_KEY_FIRST, P_KEY_NEXT, P_KEY, P_MAP_KEY, P_MAP_COLON, P_KEY_AFTER, /* object */
};

/* ndl_gframe.flags */
enum {
	F_NEGATIVE = 1, /* number */
	F_UNIQUE = 2,   /* an item that must differ from those before it */
};

/* lo and hi of a frame as one number: digits, the hash of a key. */
static inline uint64_t ndl_gwide(const ndl_gframe *f)
{
	return (uint64_t)f->hi << 32 | f->lo;
}

static inline void ndl_gset_wide(ndl_gframe *f, uint64_t v)
{
	f->lo = (uint32_t)v;
	f->hi = (uint32_t)(v >> 32);
}

/* The items so far of an array of unique ones, as keys: see ndl_gused. */
struct used {
	const uint64_t *key;
	uint32_t n;
};

/* ---- string.c: the inside of a JSON string, byte by byte ---- */
enum { S_BODY };
enum string_result { STR_BAD, STR_IN, STR_CHAR, STR_END }; /* CHAR: a character begins */
/* *sub is the place inside a character or escape, *unit the character so far: all of it once *sub
 * is S_BODY again. */
enum string_result ndl_gstring_step(uint8_t *sub, uint32_t *unit, unsigned char b);
/* Which characters may come of the one under way (sub is not S_BODY): one or two spans. */
int ndl_gstring_spans(uint8_t sub, uint32_t unit, struct span out[2]);
/* A byte that leads back to S_BODY soonest (sub is not S_BODY). */
unsigned char ndl_gstring_close(uint8_t sub, uint32_t unit);

/* ---- text.c: what a string says. In a frame hi is the state of the expression, pos and words the
 * hash of the text so far ---- */
void ndl_gtext_start(ndl_gframe *f);
/* After ndl_gstring_step took a byte: false if what is there cannot be finished. */
bool ndl_gtext_step(const struct text *t, ndl_gframe *f, struct used used);
bool ndl_gtext_may_end(const struct text *t, const ndl_gframe *f, struct used used);
/* Characters still to come at least, UINT32_MAX if there is no way to an end. */
uint32_t ndl_gtext_rest(const struct text *t, const ndl_gframe *f);
/* The key of the whole text. */
uint64_t ndl_gtext_key(const ndl_gframe *f);
/* How many texts there are, at most `cap`. */
uint32_t ndl_gtext_count(const struct text *t, uint32_t cap);
/* Makes t->rest and checks that there is a text at all. */
ndl_status ndl_gtext_compile(struct text *t, ndl_error *err);

/* ---- number.c, number_bounds.c ---- */
void ndl_gnumber_start(ndl_gframe *f);
/* false: b is not part of the number (f unchanged). */
bool ndl_gnumber_step(const struct node *n, ndl_gframe *f, struct used used, unsigned char b);
bool ndl_gnumber_may_end(const struct node *n, const ndl_gframe *f, struct used used);
/* Bytes still to come at least; UINT32_MAX if there is no way to an end. */
uint32_t ndl_gnumber_rest(const struct node *n, const ndl_gframe *f, struct used used);
/* The next byte on a shortest way to an end (rest > 0). */
unsigned char ndl_gnumber_close(const struct node *n, const ndl_gframe *f, struct used used);
/* The key of the whole number (bounded). */
uint64_t ndl_gnumber_key(const struct node *n, const ndl_gframe *f);
/* How many numbers there are, at most `cap`. */
uint32_t ndl_gnumber_count(const struct node *n, uint32_t cap);
/* Fills the number part of n (types set) from the schema's keywords; n->bounded set before: even
 * without bounds, none has an exponent. */
ndl_status ndl_gnumber_compile(struct node *n, const json_t *schema, ndl_error *err);

/* a + b, UINT32_MAX if that is too much. */
static inline uint32_t ndl_gc_plus(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* ---- threads.c ---- */
/* As ndl_gstate_byte, but on false the state is spoilt. */
bool ndl_gstep(ndl_gstate *s, unsigned char b);
/* A thread of `from` as the only one of `to`. */
void ndl_gstate_pick(ndl_gstate *to, const ndl_gstate *from, uint32_t thread);

/* ---- state.c: the last thread of a state ---- */
/* FORK: the byte was not taken, as it begins a value (on top now) that has alternatives. REFUSED:
 * the thread is spoilt. */
enum advance { G_REFUSED, G_TAKEN, G_FORK };
enum advance ndl_gadvance(ndl_gstate *s, unsigned char b);
/* Ends the value on top, which is complete. */
void ndl_gpop(ndl_gstate *s);
/* The items that the value on top must differ from; none if it is no item of such an array. */
struct used ndl_gused(const ndl_gstate *s);
bool ndl_gused_has(struct used used, uint64_t key);
/* The key of choice i as an item. */
uint64_t ndl_gchoice_key(uint32_t i);
/* Words of the thread, from those of f on. */
uint64_t *ndl_gwords(const ndl_gstate *s, const ndl_gframe *f);
/* Narrows [*lo, *hi), which agree on pos bytes, to those with b next; false if there is none. */
bool ndl_gnarrow(const ndl_grammar *g, uint32_t *lo, uint32_t *hi, uint32_t pos, unsigned char b);
/* Whether key `choice` of an object's is required. */
static inline bool ndl_gkey_required(const ndl_grammar *g, const struct node *n, uint32_t choice)
{
	uint32_t bit = choice - n->keys;
	return g->words[n->required + bit / 64] >> (bit % 64) & 1;
}
/* Whether key i of the object at f was given. */
bool ndl_gkey_used(const ndl_gstate *s, const ndl_gframe *f, const struct node *n, uint32_t choice);
/* All required keys were given. */
bool ndl_gobject_complete(const ndl_gstate *s, const ndl_gframe *f, const struct node *n);
/* The map key under way was given before. */
bool ndl_gmap_repeats(const ndl_gstate *s, const ndl_gframe *f);

#endif
