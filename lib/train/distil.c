#include "train/distil.h"

#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

void ndl_distil_clear(ndl_distil *t)
{
	free(t->w);
	*t = (ndl_distil){0};
}

static ndl_status compare_pieces(const ndl_tok *a, const ndl_tok *b, ndl_error *err)
{
	size_t n = ndl_tok_size(a), m = ndl_tok_size(b);
	if (n != m)
		return ndl_fail(err, NDL_EINVAL, "the teacher's vocabulary has %zu pieces, the learner's %zu: they must be the same", n, m);
	for (size_t i = 0; i < n; i++) {
		size_t p_len, q_len;
		const char *p = ndl_tok_piece(a, (int32_t)i, &p_len), *q = ndl_tok_piece(b, (int32_t)i, &q_len);
		if (p_len != q_len || memcmp(p, q, p_len) != 0)
			return ndl_fail(err, NDL_EINVAL, "the teacher has another vocabulary: piece %zu is '%s', the learner's '%s'", i, p, q);
	}
	return NDL_OK;
}

static ndl_status check_vocabulary(const ndl_ckpt *model, const ndl_tok *tok, ndl_error *err)
{
	const ndl_tensor *vocab = ndl_ckpt_find(model, NDL_TOKENIZER_TENSOR);
	if (!vocab)
		return ndl_fail(err, NDL_EFORMAT, "no tokenizer in the teacher's file");
	ndl_tok *own = ndl_tok_new(vocab->data, vocab->bytes, err);
	ndl_status status = own ? compare_pieces(own, tok, err) : err->code;
	ndl_tok_free(own);
	return status;
}

ndl_status ndl_distil_init(ndl_distil *t, const ndl_ckpt *model, const ndl_tok *tok, ndl_error *err)
{
	ndl_config c;
	*t = (ndl_distil){0};
	ndl_status status = ndl_config_from_ckpt(&c, model, err);
	if (status == NDL_OK)
		status = ndl_ckpt_check(model, &c, err);
	if (status == NDL_OK)
		status = check_vocabulary(model, tok, err);
	if (status == NDL_OK)
		status = ndl_tok_fits(tok, c.vocab_size, err);
	if (status != NDL_OK)
		return status;
	c.contrastive_dim = 0; /* not asked */
	ndl_params_layout(&t->ps, &c);
	t->w = ndl_params_new(&t->ps);
	status = t->w ? ndl_params_read(&t->ps, t->w, model, 0, err) : ndl_fail_nomem(err, "the teacher");
	if (status != NDL_OK) {
		ndl_distil_clear(t);
		return status;
	}
	t->hash = ndl_hash64(t->w, t->ps.total * sizeof *t->w, (uint64_t)c.num_heads);
	return NDL_OK;
}
