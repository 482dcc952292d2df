/* session.h - one request: tools and a query in, calls out (SPEC sections 1, 4, 6, 7).
 *
 *   ndl_engine   a model file opened for inference: network, tokenizer, trie of its pieces
 *   ndl_toolset  a tool list prepared for an engine: checked, compiled, indexed when asked
 *   ndl_session  the working memory of one thread; keeps nothing from one request to the next
 *
 * Engine and toolset are immutable (once made) and shared between threads; a session, with its
 * ndl_exec, belongs to one thread at a time. */
#ifndef NDL_SESSION_SESSION_H
#define NDL_SESSION_SESSION_H

#include "base/error.h"
#include "json/json.h"
#include "model/model.h"
#include "retrieve/retrieve.h"
#include "tokenizer/tokenizer.h"
#include "tools/tools.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ndl_engine ndl_engine;   /* opaque, owned */
typedef struct ndl_toolset ndl_toolset; /* opaque, owned */
typedef struct ndl_session ndl_session; /* opaque, owned */

/* NULL on failure: no model file, one without tokenizer, or with one of another size. */
ndl_engine *ndl_engine_open(const char *path, ndl_error *err);
/* The same from an open checkpoint, which is borrowed. */
ndl_engine *ndl_engine_new(const ndl_ckpt *ckpt, ndl_error *err);
void ndl_engine_free(ndl_engine *e); /* after all sessions and toolsets */
const ndl_model *ndl_engine_model(const ndl_engine *e);
const ndl_tok *ndl_engine_tok(const ndl_engine *e);

/* From a JSON tool list in any dialect (or a string that holds one). flags, and what err may have in spite
 * of success, as ndl_tools_new. */
ndl_toolset *ndl_toolset_new(const ndl_engine *e, json_t *tools, int flags, ndl_error *err);
/* From an index file. Its tools are not compiled before a request picks them: only for requests with
 * top_tools. */
ndl_toolset *ndl_toolset_open(const ndl_engine *e, const char *index, ndl_error *err);
void ndl_toolset_free(ndl_toolset *t);
size_t ndl_toolset_count(const ndl_toolset *t);
const ndl_tools *ndl_toolset_tools(const ndl_toolset *t); /* NULL if it comes from an index file */

/* How tools are ranked for a query; retrieve.h has the formulas. */
enum ndl_ranking {
	NDL_RANK_AUTO,  /* FUSED, or BM25 where there are no vectors and no head to make them */
	NDL_RANK_HEAD,  /* dot product of the contrastive head's vectors */
	NDL_RANK_BM25,  /* by words */
	NDL_RANK_FUSED, /* both */
};

/* Makes ready for ndl_session_rank with this ranking: an index in memory, a vector for every tool, in x's
 * threads and arithmetic. Does nothing the second time. Not while others use t. earlier, or NULL: an
 * index whose vectors are taken over where the same model made them of the same text.
 * NDL_EUNSUPPORTED if vectors are asked for and neither t nor the engine's model has any, NDL_EINVAL if
 * those of an index file are another model's. */
ndl_status ndl_toolset_index(ndl_toolset *t, enum ndl_ranking how, const ndl_index *earlier, const ndl_exec *x,
                             ndl_error *err);
/* NULL if there are no tools. Borrowed. */
const ndl_index *ndl_toolset_get_index(const ndl_toolset *t);

/* Borrows both. All memory that greedy decoding needs is taken here. */
ndl_session *ndl_session_new(const ndl_engine *e, ndl_exec *x, ndl_error *err);
void ndl_session_free(ndl_session *s);
/* The parts, for other uses between requests. Borrowed. */
ndl_encoder *ndl_session_encoder(ndl_session *s);
ndl_decoder *ndl_session_decoder(ndl_session *s);

/* One token of the answer, all of them in order once the answer is there: its probability among the `choices`
 * tokens that were possible; choices is 1 where nothing was left to choose. */
typedef void ndl_trace_fn(void *user, int32_t id, double p, size_t choices);
/* A complete call, {"name":…,"arguments":…} with its original name, as soon as it is decoded
 * (with a beam: at the end). Not with no_grammar; min_confidence is looked at later, and takes none back. Borrowed. */
typedef void ndl_call_fn(void *user, json_t *call);

enum { NDL_BEAM_MAX = 16 };

/* Where values come from, but those that the schema gives an enum, const, pattern or format other than date, time and
 * date-time.
 * A string is grounded if it is a span of the query from the edge of a word to the edge of a word (a
 * plural's s may be left), case and the kind and number of blanks aside, or a number, time or
 * date of it as arguments spell them: 18:30 for "half past six", 2026-12-04 for "today is 2026-11-29, a table for next
 * Friday". A number is, where the query has any, if it is one of them or
 * what a quantity of it comes to: 90 for "an hour and a half". A string that is described as HH:MM is a time of the query in that
 * form, where it has any; a day is an ISO date only where that is described, or the format; so is a time, or a time on a day, as RFC
 * 3339 writes it. A number that counts what its argument does is one that the query counts so, an hour and a minute are those of a
 * time of day. Calls that leave out numbers of their part of the query cost probability, too. */
enum ndl_grounding {
	NDL_GROUND_PREFER, /* leaving the query, or taking what another value of the call took, costs a value some of its probability */
	NDL_GROUND_STRICT, /* the same, and only grounded strings, unless the schema (minLength) admits none */
	NDL_GROUND_OFF,
};

/* Zero-initialise for the defaults. */
typedef struct ndl_request {
	size_t max_tokens;     /* generated at most; 0, and at most: max_dec_len - 1 */
	size_t top_tools;      /* offer only this many, the best by retrieval; 0: all. Needs
	                          ndl_toolset_index if there are more */
	enum ndl_ranking rank; /* for top_tools */
	double min_confidence; /* below: no call, and `rejected` */
	size_t beam;           /* answers kept side by side, at most NDL_BEAM_MAX; 1: greedy decoding; 0: greedy, and a call that
	                          is in doubt again with a beam of 4 */
	double refuse_bias;    /* greedy decoding: `[]` is the answer if its mean log-probability and this exceed
	                          that of the first call; -INFINITY: it is never weighed */
	/* What a unit of the tools' BM25 scores (retrieve.h; among the tools that are offered) adds to the logit of a call's tool;
	 * values of enums and arguments that the query names are weighed with it (needle-infer(1)); 0: the default, 1;
	 * negative: nothing. */
	double lexical_weight;
	enum ndl_grounding ground; /* of strings in the query */
	int64_t today;         /* ndl_day_number (base/day.h) of the day by which queries say others, where they do not tell it
	                          themselves; 0: unknown */
	bool required;         /* at least one call, whatever min_confidence; NDL_EINVAL if there are no tools. Not with no_grammar */
	bool sources;          /* fill ndl_result.sources */
	bool no_jump;          /* a step of the network for every token, also where there is no choice: slower, to measure what
	                          jumping ahead gains; the same answer but for rounding, which depends on a step's tokens
	                          (tensor/integer.h) */
	bool no_grammar;       /* plain greedy decoding, then an attempt to read the result */
	ndl_trace_fn *trace;
	ndl_call_fn *on_call;
	void *user;            /* for both */
} ndl_request;

/* What the choices of an answer say about it: the tokens that were chosen among more than one. */
typedef struct ndl_odds {
	double sum, least; /* of their log-probabilities; 0 if there are none */
	size_t choices;
} ndl_odds;

typedef struct ndl_result {
	json_t *calls;     /* owned: an array, never NULL after success */
	/* The probability that the calls are all right: odds through the model file's ndl_confidence, fitted to
	 * held-out answers; for a file without one what the network gives this answer among all that the
	 * grammar allows. 1 if there are no tools, and so no question. */
	double confidence;
	ndl_odds odds;
	bool rejected;     /* confidence below min_confidence: calls is empty */
	bool truncated;    /* something was cut: see cut and unfinished */
	unsigned cut;      /* NDL_CUT_ flags of the prompt */
	bool unfinished;   /* the token limit came first; the call under way is left out */
	char *invalid;     /* owned: no_grammar only: the text, where it is not a list of calls; else NULL */
	/* owned, if asked for: for each call an object that maps the JSON Pointer of every argument ("/guests/0") to
	 * the bytes [from, to) of the query that it comes from, or to null */
	json_t *sources;
	size_t prefill_tokens, decode_tokens;
	double prefill_ms, decode_ms;
} ndl_result;
void ndl_result_clear(ndl_result *r);

/* Fills *out (cleared first by the caller with ndl_result_clear, or zeroed). The same request gives
 * the same result whatever came before it. */
ndl_status ndl_session_run(ndl_session *s, const ndl_toolset *t, const char *query, size_t len,
                           const ndl_request *request, ndl_result *out, ndl_error *err);

/* order[k], scores[k] (may be NULL): the best k = min(k, count) tools, best first; at equal scores the
 * earlier. Returns k, or negative. */
long ndl_session_rank(ndl_session *s, const ndl_toolset *t, enum ndl_ranking how, const char *query, size_t len, size_t k,
                      size_t *order, float *scores, ndl_error *err);

/* Raw logits of unconstrained greedy decoding from </s> until </s> is chosen, for comparison with other
 * implementations: (*logits)[*steps][vocab_size], owned by the caller: free(). max_tokens as above. */
ndl_status ndl_session_greedy_logits(ndl_session *s, const ndl_toolset *t, const char *query, size_t len,
                                     size_t max_tokens, float **logits, size_t *steps, ndl_error *err);

/* out[contrastive_dim] = embedding of a text; an empty one is NDL_EINVAL. *cut may be NULL. */
ndl_status ndl_session_embed(ndl_session *s, const char *text, size_t len, float *out, unsigned *cut, ndl_error *err);

#endif
