/* path_internal.h - an answer under way: its tokens, their text, and how they were chosen. */
#ifndef NDL_SESSION_PATH_INTERNAL_H
#define NDL_SESSION_PATH_INTERNAL_H

#include "session/session.h"

#include "grammar/grammar.h"

/* How a token was chosen. */
typedef struct ndl_choice {
	double p;       /* among the tokens that the grammar allowed */
	size_t choices; /* their number */
} ndl_choice;

typedef struct ndl_path {
	ndl_decoder *dec;   /* has read the first `fed` ids */
	ndl_decoder *own;   /* dec, if it is the path's own; else NULL */
	ndl_gstate state;
	ndl_buf text;       /* what the ids spell */
	int32_t *id;        /* [max_dec_len + 1]; id[0] is </s> */
	ndl_choice *choice; /* of each id */
	size_t n, fed;
	double cost; /* log-probability that choices were charged for leaving the query */
	size_t rest; /* ndl_query_rest of text */
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

#endif
