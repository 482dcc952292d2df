/* decode_internal.h - decoding one request's answer, and watching its text for calls. */
#ifndef NDL_SESSION_DECODE_INTERNAL_H
#define NDL_SESSION_DECODE_INTERNAL_H

#include "session/session_internal.h"

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
