/* grammar_internal.h - the compiled form and what the files of this room share.
 *
 * Every schema becomes one node that says which kinds of value it admits. A fixed set of texts
 * (tool names, argument keys, enum values, true) is a run of `choice`s sorted by bytes: matching
 * a byte narrows the run [lo, hi) by binary search, so there is no trie to build, and a key that
 * was used is skipped by its bit. A state is a stack of frames, one per value under way. */
#ifndef NDL_GRAMMAR_GRAMMAR_INTERNAL_H
#define NDL_GRAMMAR_GRAMMAR_INTERNAL_H

#include "grammar/grammar.h"

enum {
	T_STRING = 1, T_INTEGER = 2, T_NUMBER = 4, T_BOOLEAN = 8, T_NULL = 16, T_ARRAY = 32, T_OBJECT = 64,
	T_ALL = 127
};

enum {
	SCHEMA_DEPTH = 33,     /* frames that declared values may take */
	PROPERTY_WORDS = 64,   /* words for used keys that they may take */
	VALUE_BYTES = 1 << 20, /* a shortest value may take (minItems, minLength, required keys) */
	MAP_KEYS = 16,         /* keys of a map of undeclared keys */
	MAX_FREE_DEPTH = 16,
	NUMBER_DIGITS = 18,    /* what fits 64 bits with room for sums */
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
};

struct node {
	uint8_t types;           /* T_… */
	bool free;               /* undeclared: its containers count towards free_depth */
	bool map;                /* object: any keys, to values of node `items` of its own: `extra` */
	bool bounded;            /* number is in force (always for integers) */
	uint8_t close;           /* first byte of a shortest value */
	uint32_t cost;           /* bytes of that value */
	uint32_t choice, n_choices; /* enum: its serialised values; n_choices 0: none */
	uint32_t min_len, max_len;  /* characters */
	struct number number;
	uint32_t items, min_items, max_items;
	uint32_t keys, n_keys;   /* object: choices `"key":` whose value is the argument's node */
	uint32_t required;       /* first of its words in g->words: bits of the keys that must be there */
	uint32_t n_words;        /* words for n_keys bits */
	uint32_t need_words;     /* with those of what may nest in it */
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
	ndl_buf pool;
	size_t n_nodes, cap_nodes, n_choices, cap_choices, n_words, cap_words;
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

/* ---- string.c: the inside of a JSON string, byte by byte ---- */
enum { S_BODY };
enum string_result { STR_BAD, STR_IN, STR_CHAR, STR_END }; /* CHAR: a character begins */
/* *sub is the place inside a character or escape, *unit the \u value so far. */
enum string_result ndl_gstring_step(uint8_t *sub, uint32_t *unit, unsigned char b);
/* A byte that leads back to S_BODY soonest (sub is not S_BODY). */
unsigned char ndl_gstring_close(uint8_t sub, uint32_t unit);

/* ---- number.c ---- */
void ndl_gnumber_start(ndl_gframe *f);
/* false: b is not part of the number (f unchanged). */
bool ndl_gnumber_step(const struct node *n, ndl_gframe *f, unsigned char b);
bool ndl_gnumber_may_end(const struct node *n, const ndl_gframe *f);
/* Bytes still to come at least; UINT32_MAX if there is no way to an end. */
uint32_t ndl_gnumber_rest(const struct node *n, const ndl_gframe *f);
/* The next byte on a shortest way to an end (rest > 0). */
unsigned char ndl_gnumber_close(const struct node *n, const ndl_gframe *f);
/* Fills the number part of n (types set) from the schema's keywords. */
ndl_status ndl_gnumber_compile(struct node *n, const json_t *schema, ndl_error *err);

/* ---- state.c ---- */
/* As ndl_gstate_byte, but on false the state is spoilt. */
bool ndl_gstep(ndl_gstate *s, unsigned char b);
void ndl_gpop(ndl_gstate *s);
/* Narrows [*lo, *hi), which agree on pos bytes, to those with b next; false if there is none. */
bool ndl_gnarrow(const ndl_grammar *g, uint32_t *lo, uint32_t *hi, uint32_t pos, unsigned char b);
/* Whether key i of the object at f was given. */
bool ndl_gkey_used(const ndl_gstate *s, const ndl_gframe *f, const struct node *n, uint32_t choice);
/* All required keys were given. */
bool ndl_gobject_complete(const ndl_gstate *s, const ndl_gframe *f, const struct node *n);
/* The map key under way was given before. */
bool ndl_gmap_repeats(const ndl_gstate *s, const ndl_gframe *f);

#endif
