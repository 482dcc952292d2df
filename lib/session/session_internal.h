/* session_internal.h - what the files of this room share. */
#ifndef NDL_SESSION_INTERNAL_H
#define NDL_SESSION_INTERNAL_H

#include "session/session.h"

#include "grammar/grammar.h"

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
/* ASCII upper case to lower case. */
unsigned char ndl_fold(unsigned char b);

struct ndl_engine {
	ndl_model *model;
	ndl_tok *tok;
	ndl_vocab_trie *trie;
	ndl_pieces pieces;
	ndl_confidence confidence;
};

struct ndl_toolset {
	const ndl_engine *engine;
	ndl_tools *tools;
	ndl_grammar *grammar; /* over all tools; NULL if there are none */
	ndl_buf text;         /* the prompt's tool part, all tools */
	ndl_index *index;     /* of all tools, or NULL if there are none; if it comes from a file there is nothing else */
	bool has_vectors;     /* the index has, and they are the engine's model's */
};

/* embed.c: of vectors[count][contrastive_dim] it fills those of the tools `which`[n]. */
ndl_status ndl_embed_tools(const ndl_toolset *t, const ndl_exec *x, const size_t *which, size_t n, float *vectors,
                           ndl_error *err);

/* copies.c: values that are to be copied from the query, in an answer under way. */
enum ndl_copied {
	NDL_COPIED_NOT,
	NDL_COPIED_TEXT,
	NDL_COPIED_DATE, /* a text that must be an ISO date */
	NDL_COPIED_NUMBER,
};
enum { NDL_COPIES = 32, NDL_COPY_UNITS = 6 };
typedef struct ndl_copy {
	enum ndl_copied kind;
	size_t from, to; /* of the answer: a number, or what is between a string's quotes */
} ndl_copy;
typedef struct ndl_copies {
	ndl_copy now;                 /* under way at the end of the text; for a number maybe nothing yet */
	ndl_copy earlier[NDL_COPIES]; /* the n before it in the same call, but no more than fit */
	size_t n;
	uint16_t unit[NDL_COPY_UNITS]; /* what `now` may count by the argument's name and description, if it is a number */
	size_t n_units;
	bool parts;                   /* arguments of its tool count time in different units: "hours", "minutes" */
	bool clock;                   /* `now` is a text that is described as HH:MM */
	bool iso;                     /* as YYYY-MM-DD or ISO */
	ndl_copy before[NDL_COPIES];  /* n_before values of the calls before it, but no more than fit */
	size_t n_before;
} ndl_copies;
/* For text[0..n), an answer under way. */
void ndl_copies_find(ndl_copies *out, const ndl_tools *t, const char *text, size_t n);

/* ground.c: what may be copied from a query. */
typedef struct ndl_ground_byte {
	uint32_t from, to; /* of the query */
	uint16_t unit; /* ndl_unit_id of what a number that begins here counts; 0: it does not say */
	uint8_t flags;
} ndl_ground_byte;
typedef struct ndl_ground {
	ndl_buf text;
	ndl_ground_byte *at; /* for every byte of text */
	size_t cap;
	size_t days;          /* from here on the only texts are ISO dates; beside them stand the numbers of their months */
	bool has_days;        /* there are some, beside that of today */
	bool minus;           /* there is one before what is being added: numbers are negative */
	ndl_ground_byte told; /* where it tells that for their sake; empty if it does not */
} ndl_ground;
/* CLOCK: a text HH:MM; WHOLE: a duration of several parts */
enum { NDL_SPAN_TEXT = 1, NDL_SPAN_NUMBER = 2, NDL_SPAN_CLOCK = 4, NDL_SPAN_WHOLE = 8 };
/* Replaces what g holds. today: as ndl_request. */
ndl_status ndl_ground_set(ndl_ground *g, const char *query, size_t len, int64_t today, ndl_error *err);
void ndl_ground_clear(ndl_ground *g);
/* Whether a number can be copied from the query. */
bool ndl_ground_has_number(const ndl_ground *g);
/* Adds a text that the bytes [from, to) of the query say in other words. kinds: NDL_SPAN_, what it may be copied as; unit: as
 * above. */
void ndl_ground_add(ndl_ground *g, unsigned kinds, uint16_t unit, const char *text, size_t from, size_t to);
/* The numbers that are written in bytes [from, to) of the query count a part of what they belong to. */
void ndl_ground_mark_parts(ndl_ground *g, size_t from, size_t to);
/* items.c: whether a mark stands before s[i] that belongs to it alone: "-5", ".5", not "3-5", "0.5". */
bool ndl_mark_before(const char *s, size_t i, char mark);
/* units.c: a number for what the word counts: the same for the words of one unit, and for singular and plural. */
uint16_t ndl_unit_id(const char *word, size_t len);
/* Whether it is a unit of time. */
bool ndl_unit_is_time(uint16_t id);
/* *id := what the words of an argument's name count, at most cap; returns how many. */
size_t ndl_units_of_name(const char *name, size_t len, uint16_t *id, size_t cap);
/* derive.c: adds what numbers, times, dates and quantities of the query mean. */
void ndl_derive(ndl_ground *g, const char *query, size_t len, int64_t today);
/* Where in the query a value (len bytes, of a string those inside) comes from; false: nowhere. */
bool ndl_ground_span(const ndl_ground *g, enum ndl_copied kind, const char *value, size_t len, size_t *from, size_t *to);
/* Tokens that keep to the query, and those that also keep clear of what earlier values of the call were copied from. */
typedef struct ndl_kept {
	uint64_t *bits, *fresh_bits; /* [V / 64] */
	bool fresh; /* fresh_bits tell */
	bool only;  /* what is under way can only be a day that was worked out by today's date, or must be a time of the clock, or a
	             * number that counts what it does: fresh_bits are all that may follow */
} ndl_kept;
/* NOT if what follows text, an answer under way, has nothing to do with the query: it is nothing that is to be
 * copied, or has left the query. Else what it is, and kept := the tokens of mask (and maybe others) that
 * keep to it. */
enum ndl_copied ndl_ground_keep(const ndl_ground *g, const ndl_engine *e, const ndl_tools *t, const ndl_buf *text,
                                const uint64_t *mask, ndl_kept *kept, ndl_buf *scratch);
/* span[] := what the values of all calls in text[0..n) took of the query, and where it tells today's date; returns how many. */
enum { NDL_GROUND_SPANS = 2 * NDL_COPIES + 1 };
size_t ndl_ground_taken(const ndl_ground *g, const ndl_tools *t, const char *text, size_t n, ndl_ground_byte span[NDL_GROUND_SPANS]);
/* For each call an object: JSON Pointer of an argument -> [from, to) in the query, or null. Owned. */
json_t *ndl_ground_sources(const ndl_ground *g, const json_t *calls);

/* lexical.c: what a query's words say for each text that a grammar's answers choose. */
typedef struct ndl_lexical {
	float *lean;   /* [n], in logits; behind them room for work */
	size_t n, cap; /* n is 0 if they say nothing */
	float empty;   /* what `[]` has, in logits, while calls have nothing */
	bool numbers;  /* the query may say one */
	ndl_said said;
} ndl_lexical;
/* weight: of a unit of BM25. numbers: the query may say one. */
ndl_status ndl_lexical_set(ndl_lexical *x, const ndl_toolset *t, const char *query, size_t len, double weight, bool numbers,
                           ndl_error *err);
void ndl_lexical_clear(ndl_lexical *x);
/* Where tokens of the mask choose a tool, an argument or a value from a list: adds to their logits. */
void ndl_lexical_add(const ndl_lexical *x, const ndl_engine *e, const ndl_gstate *s, const uint64_t *mask, float *logits);

/* How a token was chosen. */
typedef struct ndl_choice {
	double p;       /* among the tokens that the grammar allowed */
	size_t choices; /* their number */
} ndl_choice;

/* path.c: an answer under way. */
typedef struct ndl_path {
	ndl_decoder *dec;   /* has read the first `fed` ids */
	ndl_decoder *own;   /* dec, if it is the path's own; else NULL */
	ndl_gstate state;
	ndl_buf text;       /* what the ids spell */
	int32_t *id;        /* [max_dec_len + 1]; id[0] is </s> */
	ndl_choice *choice; /* of each id */
	size_t n, fed;
	double cost; /* log-probability that choices were charged for leaving the query */
	ndl_odds odds;
} ndl_path;
/* dec: borrowed, or NULL to make one. */
ndl_path *ndl_path_new(const ndl_engine *e, ndl_exec *x, ndl_decoder *dec, ndl_error *err);
void ndl_path_free(ndl_path *p);
void ndl_path_start(ndl_path *p, const ndl_grammar *g);
/* `to` becomes a copy of `from`, to go on by itself. */
ndl_status ndl_path_branch(ndl_path *to, const ndl_path *from, ndl_error *err);
/* Appends a token to ids, text and odds (not to the state). */
ndl_status ndl_path_add(ndl_path *p, const ndl_tok *tok, int32_t id, double prob, size_t choices, ndl_error *err);
/* Reads the ids that are new, at least one; *hidden[d_model] of the last one. */
ndl_status ndl_path_feed(ndl_path *p, size_t d_model, const float **hidden, ndl_error *err);

struct ndl_session {
	const ndl_engine *engine;
	ndl_exec *ex;
	ndl_encoder *enc;
	ndl_decoder *dec;
	ndl_path *path[NDL_BEAM_MAX];
	size_t n_paths;
	ndl_ids prompt, run; /* run: forced tokens */
	float *logits;       /* [V] */
	uint64_t *mask;      /* [V / 64]: what may follow */
	ndl_kept kept;
	ndl_ground ground;
	ndl_lexical lexical;
	ndl_buf scratch;
	float *embedding;    /* [contrastive_dim] */
	float *some;         /* [V]: the logits that the mask allows, side by side */
};

/* session.c: reads the prompt, and sets dec to the beginning of its answer. *cut: as ndl_result; may be NULL. */
ndl_status ndl_session_prefill(ndl_session *s, ndl_decoder *dec, const ndl_toolset *t, const char *query, size_t len, unsigned *cut,
                               ndl_error *err);
/* Makes the paths up to this number, with their decoders; they are kept. */
ndl_status ndl_session_paths(ndl_session *s, size_t beam, ndl_error *err);

/* calls.c: the text of an answer, watched while it grows. */
typedef struct ndl_answer {
	const ndl_toolset *t;
	ndl_buf text;
	size_t scanned;    /* bytes of text seen by the scanner */
	size_t depth;      /* open brackets outside strings */
	bool in_string, escaped;
	size_t call_from;  /* where the call under way starts */
	json_t *calls;     /* complete ones so far */
} ndl_answer;

ndl_status ndl_answer_begin(ndl_answer *a, const ndl_toolset *t, ndl_error *err);
void ndl_answer_end(ndl_answer *a);
/* Takes note of bytes appended to a->text; every call that they complete, and that is not there already, is added to
 * a->calls and handed to on_call. */
ndl_status ndl_answer_scan(ndl_answer *a, ndl_call_fn *on_call, void *user, ndl_error *err);
/* Would a call be complete if these n bytes followed a->text, all of which has been scanned? */
bool ndl_answer_completes(const ndl_answer *a, const char *more, size_t n);
/* Puts the original name back into a call. */
void ndl_restore_name(const ndl_tools *tools, json_t *call);

/* One request's decoding. */
typedef struct ndl_decoding {
	ndl_session *s;
	const ndl_request *q;
	ndl_result *r;
	ndl_error *err;
	const char *query;
	size_t query_len;
	size_t limit;          /* tokens that may be generated */
	const ndl_ground *ground; /* what strings are to be copied from, or NULL */
	bool strict;           /* and nothing else where the grammar leaves a way */
	ndl_answer answer;
	ndl_path *best;        /* the answer, once decoded; one of the session's */
} ndl_decoding;

/* What prefer charges a value for leaving the query, and for copying what another value of the call was copied from:
 * logarithms of probabilities. */
#define NDL_DEPARTURE_COST 5.0
#define NDL_REPEAT_COST 6.0
/* What a unit of BM25 weighs where none is asked for. */
#define NDL_LEXICAL_WEIGHT 1.0
/* The exponent of the length that scores are divided by. */
#define NDL_LENGTH_POWER 0.6

/* decode.c: fills d->best, d->answer and d->r->unfinished. */
ndl_status ndl_decode(ndl_decoding *d, const ndl_grammar *g);
/* jump.c: *ids := tokens for what is forced from s on, as far as they do not depend on what comes
 * after; maybe none. */
ndl_status ndl_jump(const ndl_engine *e, const ndl_gstate *s, ndl_ids *ids, ndl_error *err);
/* free.c: the same as ndl_decode without a grammar; d->r->invalid too. */
ndl_status ndl_decode_free(ndl_decoding *d);

#endif
