/* model.h - the network of SPEC section 2: encoder, decoder with a key-value cache, contrastive
 * head. float32 arithmetic over whatever type the weights are stored in.
 *
 * An ndl_model is a mapped file and views into it: immutable, shared between threads. What
 * computes are an ndl_encoder and an ndl_decoder, which own all memory that a run needs, so that
 * running allocates nothing; each belongs to one thread at a time and to one ndl_exec. Results
 * do not depend on the number of threads. T = tokens, d = d_model, V = vocab_size. */
#ifndef NDL_MODEL_MODEL_H
#define NDL_MODEL_MODEL_H

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "tensor/exec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the weights ------------------------------------------------------------------------ */

typedef struct ndl_model ndl_model; /* opaque, owned: free with ndl_model_free */

/* Maps path and checks config, every tensor's name, type and shape. NULL with err. */
ndl_model *ndl_model_open(const char *path, ndl_error *err);
/* The same from an open checkpoint, which is borrowed. */
ndl_model *ndl_model_new(const ndl_ckpt *ckpt, ndl_error *err);
void ndl_model_free(ndl_model *m); /* after everything made from it */

const ndl_config *ndl_model_config(const ndl_model *m);
/* The file behind it: tokenizer bytes (NDL_TOKENIZER_TENSOR), metadata. Borrowed. */
const ndl_ckpt *ndl_model_ckpt(const ndl_model *m);
bool ndl_model_has_contrastive(const ndl_model *m);
/* NDL_EFORMAT: what the weights make is NaN or infinite. */
ndl_status ndl_fail_not_numbers(ndl_error *err);

/* ---- encoder ---------------------------------------------------------------------------- */

typedef struct ndl_encoder ndl_encoder; /* opaque, owned */

/* Room for config.max_enc_len tokens. Borrows both arguments. */
ndl_encoder *ndl_encoder_new(const ndl_model *m, ndl_exec *x, ndl_error *err);
void ndl_encoder_free(ndl_encoder *e);

/* states[T,d], final norm applied; borrowed until the next run. All n ids take part (padding is
 * for batches: leave it away). NDL_EINVAL if n is 0 or an id is not in the vocabulary,
 * NDL_ELIMIT if n is above max_enc_len. */
ndl_status ndl_encoder_run(ndl_encoder *e, const int32_t *ids, size_t n, const float **states, ndl_error *err);

/* Called after every layer with x[T,d] before the final norm; for tests and inspection. NULL: none. */
typedef void ndl_layer_fn(void *user, int layer, const float *x, size_t rows);
void ndl_encoder_watch(ndl_encoder *e, ndl_layer_fn *fn, void *user);

/* out[contrastive_dim] = unit-length embedding of one text's ids (no <tools>): mean of the states,
 * dense, ReLU, dense, L2 norm. NDL_EUNSUPPORTED if the model has no contrastive head. */
ndl_status ndl_encoder_embed(ndl_encoder *e, const int32_t *ids, size_t n, float *out, ndl_error *err);

/* ---- decoder ---------------------------------------------------------------------------- */

typedef struct ndl_decoder ndl_decoder; /* opaque, owned */

/* Room for config.max_dec_len tokens after states of at most max_enc_len. Borrows both. */
ndl_decoder *ndl_decoder_new(const ndl_model *m, ndl_exec *x, ndl_error *err);
void ndl_decoder_free(ndl_decoder *d);

/* Begins a sequence: computes every layer's cross-attention keys and values from states[T,d]
 * (read now, not kept) and empties the cache. */
ndl_status ndl_decoder_start(ndl_decoder *d, const float *states, size_t rows, ndl_error *err);

/* Feeds n >= 1 tokens at positions len .. len+n-1. *hidden = [n,d] after the final norm, borrowed
 * until the next step. Several tokens at once give what they would give one by one, to
 * rounding. NDL_ELIMIT when the cache would pass max_dec_len. */
ndl_status ndl_decoder_step(ndl_decoder *d, const int32_t *ids, size_t n, const float **hidden, ndl_error *err);
/* logits[n,V] = hidden E^T for n rows of hidden[n,d]. */
void ndl_decoder_logits(ndl_decoder *d, const float *hidden, size_t n, float *logits);
/* logits[n_ids] of one row of hidden, for these ids only (each in the vocabulary). */
void ndl_decoder_logits_of(ndl_decoder *d, const float *hidden, const int32_t *ids, size_t n_ids, float *logits);
/* The first greatest of logits[n], n > 0. */
size_t ndl_argmax(const float *logits, size_t n);

size_t ndl_decoder_len(const ndl_decoder *d); /* tokens in the cache */
/* Forgets all but the first `len` tokens (len <= ndl_decoder_len). */
void ndl_decoder_rewind(ndl_decoder *d, size_t len);
/* Makes `to` go on where `from` stands, apart from it from now on; both are of one model. What was
 * computed from the encoder's states is shared, not copied: `to` is good until the decoder that was
 * started, which `from` is or branched from, starts again or is freed. */
void ndl_decoder_branch(ndl_decoder *to, const ndl_decoder *from);
void ndl_decoder_watch(ndl_decoder *d, ndl_layer_fn *fn, void *user);

#endif
