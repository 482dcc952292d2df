/* session_internal.h - what the files of this room share. */
#ifndef NDL_SESSION_INTERNAL_H
#define NDL_SESSION_INTERNAL_H

#include "session/session.h"

#include "grammar/grammar.h"

struct ndl_engine {
	ndl_model *model;
	ndl_tok *tok;
	ndl_vocab_trie *trie;
};

struct ndl_toolset {
	const ndl_engine *engine;
	ndl_tools *tools;
	ndl_grammar *grammar; /* over all tools; NULL if there are none */
	ndl_buf text;         /* the prompt's tool part, all tools */
	float *embeddings;    /* [count][contrastive_dim], or NULL */
};

struct ndl_session {
	const ndl_engine *engine;
	ndl_exec *ex;
	ndl_encoder *enc;
	ndl_decoder *dec;
	ndl_ids prompt;
	ndl_buf tools_text;
	float *logits;    /* [V] */
	uint64_t *mask;   /* [V / 64] */
	int32_t *pending; /* [max_dec_len]: chosen, not yet fed */
	float *embedding; /* [contrastive_dim] */
};

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
/* Takes note of bytes appended to a->text; every call that they complete is added to a->calls and
 * handed to on_call. */
ndl_status ndl_answer_scan(ndl_answer *a, ndl_call_fn *on_call, void *user, ndl_error *err);
/* Puts the original name back into a call. */
void ndl_restore_name(const ndl_tools *tools, json_t *call);

#endif
