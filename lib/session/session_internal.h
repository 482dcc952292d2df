/* session_internal.h - the engine, a list of tools and a session, as the files of this room see them. */
#ifndef NDL_SESSION_INTERNAL_H
#define NDL_SESSION_INTERNAL_H

#include "session/ground_internal.h"
#include "session/lexical_internal.h"
#include "session/path_internal.h"
#include "session/session.h"

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

#endif
