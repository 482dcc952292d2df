/* ground_internal.h - values that are copied from the query: where they stand in it and which tokens keep to it. */
#ifndef NDL_SESSION_GROUND_INTERNAL_H
#define NDL_SESSION_GROUND_INTERNAL_H

#include "session/session.h"

/* pieces.c: the texts of the vocabulary, in the order of their bytes; ASCII case ignored. */
typedef struct ndl_piece {
	uint64_t first;    /* ndl_sort_key, ASCII case ignored */
	const char *bytes; /* borrowed from the tokenizer */
	size_t len;
	int32_t id;
} ndl_piece;
typedef struct ndl_pieces {
	ndl_piece *piece;
	size_t n;
	size_t *opening; /* those with a quote and text after it; most vocabularies have none */
	size_t n_opening;
	uint64_t *quoted; /* [V / 64]: ids of those with a quote in them */
} ndl_pieces;
ndl_status ndl_pieces_init(ndl_pieces *p, const ndl_tok *tok, ndl_error *err);
void ndl_pieces_clear(ndl_pieces *p);
/* Narrows [*lo, *hi), which agree on pos bytes, to those with b next; false if there is none. */
bool ndl_pieces_narrow(const ndl_pieces *p, size_t *lo, size_t *hi, size_t pos, unsigned char b);
/* A space, a digit, a letter or beyond ASCII. */
bool ndl_is_wordlike(unsigned char b);

/* copies.c: values that are to be copied from the query, in an answer under way. */
enum ndl_copied {
	NDL_COPIED_NOT,
	NDL_COPIED_TEXT,
	NDL_COPIED_EMAIL, /* a text that must be an address of e-mail, copied where the query has one */
	NDL_COPIED_DATE, /* a text that must be an ISO date */
	NDL_COPIED_TIME, /* one that must be a time of day as RFC 3339 writes it */
	NDL_COPIED_MOMENT, /* one that must be a time on a day, or is described so */
	NDL_COPIED_LINK, /* one that must be a URI */
	NDL_COPIED_NUMBER,
};
enum { NDL_COPIES = 32, NDL_COPY_UNITS = 6 };
typedef struct ndl_copy {
	enum ndl_copied kind;
	size_t from, to; /* of the answer: a number, or what is between a string's quotes */
	uint16_t unit;   /* what a number that is there counts, ndl_unit_id or NDL_PART_; 0: unknown */
} ndl_copy;
typedef struct ndl_copies {
	ndl_copy now;                 /* under way at the end of the text; for a number maybe nothing yet */
	ndl_copy earlier[NDL_COPIES]; /* the n before it in the same call, but no more than fit */
	size_t n;
	uint16_t unit[NDL_COPY_UNITS]; /* what `now` may count by the argument's name and description, if it is a number */
	size_t n_units;
	uint16_t part;                /* NDL_PART_, not HOUR, if it is a number of a time of day or a date; else 0 */
	bool integer;                 /* it is a number without decimals */
	double least, most;           /* what its schema allows of a number */
	bool parts;                   /* arguments of its tool count time in different units: "hours", "minutes" */
	bool clock;                   /* `now` is a text that is described as HH:MM */
	bool iso;                     /* as YYYY-MM-DD or ISO */
	bool code;                    /* as the code of a currency */
	char separator;               /* `now` is a MOMENT by its description alone, which has this between day and time: where the query
	                               * tells none, it is any text; 0: it is not */
	bool only_end;                /* for keep.c: what is no end of two is not asked for */
	char end;                     /* `now` is the first or the last of two by its argument's name, as ndl_end_of_name */
	bool item;                    /* `now` is in a list */
	int minutes, months;          /* more of these than of hours, and of days, have numbers of the call before `now` */
	char of;                      /* `now` is a number that counts this kind of thing, as ndl_unit_kind; 0: unknown */
	ndl_copy before[NDL_COPIES];  /* n_before values of the calls before it, but no more than fit */
	size_t n_before;
} ndl_copies;
/* The end of the string of s[0..n) whose inside begins at `at`; n if it is not there yet. */
size_t ndl_string_end(const char *s, size_t at, size_t n);
/* For text[0..n), an answer under way. */
void ndl_copies_find(ndl_copies *out, const ndl_tools *t, const char *text, size_t n);

/* ground.c, places.c, keep.c, sources.c: what may be copied from a query. */
typedef struct ndl_ground_byte {
	uint32_t from, to; /* of the query */
	uint16_t unit; /* ndl_unit_id of what a number that begins here counts; 0: it does not say */
	uint16_t flags;
	char of;  /* what that is a unit of, as ndl_unit_kind */
	char end;   /* of a time or a day, as ndl_reading's */
} ndl_ground_byte;
typedef struct ndl_ground {
	ndl_buf text;
	ndl_ground_byte *at; /* for every byte of text */
	size_t cap;
	size_t days, times, moments; /* where the texts begin that are of these, as in ndl_readings */
	size_t links;         /* and where those are URIs */
	bool has_days;        /* there are some, beside today's date where the query states that */
	ndl_ground_byte told; /* where it states that for their sake: not to be copied itself; to == 0: nowhere */
} ndl_ground;
/* Replaces what g holds. today: as ndl_request. */
ndl_status ndl_ground_set(ndl_ground *g, const char *query, size_t len, int64_t today, ndl_error *err);
void ndl_ground_clear(ndl_ground *g);
/* Whether a number can be copied from the query. */
bool ndl_ground_has_number(const ndl_ground *g);
/* Where in the query a value (len bytes, of a string those inside) comes from; false: nowhere. */
bool ndl_ground_span(const ndl_ground *g, enum ndl_copied kind, const char *value, size_t len, size_t *from, size_t *to);
/* Tokens that keep to the query, and those that also keep clear of what earlier values of the call were copied from. */
typedef struct ndl_kept {
	uint64_t *bits, *fresh_bits; /* [V / 64] */
	bool none;  /* no token keeps to it: numbers of the query count other things, or are too large or too small */
	bool fresh; /* fresh_bits is valid; else every token of bits is equally good */
	bool only;  /* nothing but fresh_bits may follow: what is under way can only be a day that was worked out by today's date, or must
	             * be a time of the clock, or a number that counts what it does */
} ndl_kept;
/* NOT if what follows text, an answer under way, has nothing to do with the query: it is nothing that is to be
 * copied, or has left the query. Else what it is, and kept := the tokens of mask (and maybe others) that
 * keep to it. */
enum ndl_copied ndl_ground_keep(const ndl_ground *g, const ndl_engine *e, const ndl_tools *t, const ndl_buf *text,
                                const uint64_t *mask, ndl_kept *kept, ndl_buf *scratch);
/* span[] := what the values of all calls in text[0..n) took of the query, and where it tells today's date; returns how many. */
enum { NDL_GROUND_SPANS = 2 * NDL_COPIES + 1 };
size_t ndl_ground_taken(const ndl_ground *g, const ndl_tools *t, const char *text, size_t n, ndl_ground_byte span[NDL_GROUND_SPANS]);
/* The next duration of several parts, "an hour and 15 minutes", from byte *at of the texts on, which goes behind it; false: no more. */
bool ndl_ground_next_duration(const ndl_ground *g, size_t *at, ndl_ground_byte *span);
/* For each call an object: JSON Pointer of an argument -> [from, to) in the query, or null. Owned. */
json_t *ndl_ground_sources(const ndl_ground *g, const json_t *calls);

#endif
