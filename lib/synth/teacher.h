/* teacher.h - training examples asked from a language model behind an OpenAI-compatible
 * endpoint. Each request shows a list of tools, as composed examples offer them, and asks for
 * several requests with their calls; only those that the schemas allow and whose values stand in
 * the request are kept. How a request travels is the caller's (a function), so that this room
 * needs no network. */
#ifndef NDL_SYNTH_TEACHER_H
#define NDL_SYNTH_TEACHER_H

#include "data/heldout.h"
#include "synth/synth.h"

#include <stdbool.h>

typedef struct ndl_teacher ndl_teacher; /* opaque, owned */

/* Appends to response the body that the endpoint's .../chat/completions answers to the JSON body;
 * n numbers the requests from 0. Negative: give up. */
typedef ndl_status ndl_teacher_ask_fn(void *user, uint64_t n, const char *body, ndl_buf *response,
	ndl_error *err);

typedef struct ndl_teacher_options {
	ndl_synth *synth;            /* whose tool lists are shown; borrowed, as is all here */
	const char *model;
	int per_request;             /* examples asked for at once, 1 to 50; 0: 8 */
	const ndl_heldout *heldout;  /* or NULL */
	ndl_teacher_ask_fn *ask;
	void *user;
} ndl_teacher_options;

ndl_teacher *ndl_teacher_new(const ndl_teacher_options *o, ndl_error *err);
void ndl_teacher_free(ndl_teacher *t);

/* Appends one more example that holds, a JSON line as ndl_synth_next writes it with "meta"
 * {"source":"teacher",...}; asks as often as that takes, but gives up (NDL_EINVAL) after 20
 * answers in a row without one. */
ndl_status ndl_teacher_next(ndl_teacher *t, ndl_buf *out, ndl_error *err);

/* Why examples were dropped. */
enum ndl_teacher_fault { NDL_TEACHER_NO_JSON, NDL_TEACHER_SHAPE, NDL_TEACHER_SCHEMA, NDL_TEACHER_GROUNDING,
	NDL_TEACHER_REPEATED, NDL_TEACHER_HELD_OUT, NDL_TEACHER_FAULTS };
typedef struct ndl_teacher_counts {
	uint64_t requests, tokens_in, tokens_out; /* tokens as the endpoint counts them */
	uint64_t kept, dropped[NDL_TEACHER_FAULTS];
} ndl_teacher_counts;
void ndl_teacher_count(const ndl_teacher *t, ndl_teacher_counts *out);
/* "not JSON", "schema", ...; static. */
const char *ndl_teacher_fault_name(enum ndl_teacher_fault f);

#endif
