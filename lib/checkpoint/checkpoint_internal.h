/* checkpoint_internal.h - a checkpoint's inside, for what reads or makes one: the safetensors reader,
 * and the imports, which put together in memory what looks like a model file. */
#ifndef NDL_CHECKPOINT_INTERNAL_H
#define NDL_CHECKPOINT_INTERNAL_H

#include "base/map.h"
#include "checkpoint/checkpoint.h"
#include "json/json.h"

struct ndl_ckpt {
	ndl_map map;          /* the file's bytes, whether mapped or the caller's */
	bool borrowed;        /* the caller's */
	json_t *header;       /* owns the metadata strings, and the names of a safetensors file */
	json_t *meta;         /* owned by header; NULL if there is none */
	ndl_tensor *tensors;  /* in file order */
	size_t n, cap;
	const ndl_tensor **by_name; /* [n] the tensors, by name */
	void **owned;         /* [n_owned] blocks that are freed with it */
	size_t n_owned, cap_owned;
	ndl_ckpt *source;     /* owned: tensors may point into it */
};

/* An empty one, to be filled with what follows and finished with ndl_ckpt_index. */
ndl_ckpt *ndl_ckpt_new(ndl_error *err);
/* block (from malloc) belongs to c from now on; it is freed at once, and NULL returned, without memory.
 * NULL stays NULL: an allocation may be passed in unchecked. */
void *ndl_ckpt_own(ndl_ckpt *c, void *block, const char *what, ndl_error *err);
/* Adds a tensor: the name is copied, the data borrowed for as long as c lives. */
ndl_status ndl_ckpt_put(ndl_ckpt *c, const char *name, ndl_dtype dtype, int rank, const size_t *shape,
                        const void *data, ndl_error *err);
ndl_status ndl_ckpt_put_meta(ndl_ckpt *c, const char *key, const char *value, ndl_error *err);
/* Makes tensors findable and their data aligned; two of one name are an error. */
ndl_status ndl_ckpt_index(ndl_ckpt *c, ndl_error *err);

#endif
