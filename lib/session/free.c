/* free.c - greedy decoding without a grammar, and an attempt to read what comes of it. */
#include "session/decode_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* The first best token and its probability. */
static ndl_status choose(ndl_decoding *d, ndl_path *p, int32_t *id, double *prob)
{
	const float *hidden, *logits = d->s->logits;
	const ndl_config *c = ndl_model_config(d->s->engine->model);
	size_t vocab = (size_t)c->vocab_size;
	double sum = 0;
	ndl_status rc = ndl_path_feed(p, (size_t)c->d_model, &hidden, d->err);
	if (rc != NDL_OK)
		return rc;
	ndl_decoder_logits(p->dec, hidden, 1, d->s->logits);
	size_t best = ndl_argmax(logits, vocab);
	for (size_t i = 0; i < vocab; i++)
		sum += exp((double)logits[i] - (double)logits[best]);
	if (!(sum >= 1 && sum < INFINITY))
		return ndl_fail_not_numbers(d->err);
	*id = (int32_t)best;
	*prob = 1 / sum;
	return NDL_OK;
}

static bool is_call(const json_t *v)
{
	return json_is_string(json_object_get(v, "name")) && json_is_object(json_object_get(v, "arguments"));
}

/* Reads free text as a list of calls; what is none is handed back as it is. */
static ndl_status read_calls(ndl_decoding *d, const ndl_buf *text)
{
	ndl_error why = NDL_ERROR_INIT;
	json_t *value = ndl_json_parse(ndl_buf_cstr(text), text->len, &why), *call;
	size_t i;
	bool good = json_is_array(value);
	json_array_foreach(value, i, call)
		good = good && is_call(call);
	if (good) {
		json_array_foreach(value, i, call) {
			ndl_restore_name(d->answer.t->tools, call);
			json_array_append(d->answer.calls, call);
		}
	} else if (!(d->r->invalid = ndl_strndup(ndl_buf_cstr(text), text->len))) {
		json_decref(value);
		return ndl_fail_nomem(d->err, "the answer");
	}
	json_decref(value);
	return NDL_OK;
}

ndl_status ndl_decode_free(ndl_decoding *d)
{
	ndl_path *p = d->best = d->s->path[0];
	int32_t id = NDL_PAD;
	double prob = 1;
	ndl_status rc = NDL_OK;
	ndl_path_start(p, NULL);
	while (rc == NDL_OK && p->n <= d->limit) {
		rc = choose(d, p, &id, &prob);
		if (rc == NDL_OK)
			rc = ndl_path_add(p, d->s->engine->tok, id, prob, (size_t)ndl_model_config(d->s->engine->model)->vocab_size,
			                  d->err);
		if (id == NDL_EOS)
			break;
	}
	d->r->unfinished = id != NDL_EOS;
	return rc == NDL_OK ? read_calls(d, &p->text) : rc;
}
