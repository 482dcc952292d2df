/* needle-quantize --info and --diff. */
#include "cmd/quantize.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "json/json.h"
#include "quant/convert.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Info ------------------------------------------------------------------------------------ */

static json_t *config_json(const ndl_config *c)
{
	return json_pack("{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:f,s:s}", "vocab_size", c->vocab_size, "d_model",
	                 c->d_model, "num_heads", c->num_heads, "num_kv_heads", c->num_kv_heads, "num_encoder_layers",
	                 c->num_encoder_layers, "num_decoder_layers", c->num_decoder_layers, "contrastive_dim",
	                 c->contrastive_dim, "max_enc_len", c->max_enc_len, "max_dec_len", c->max_dec_len, "rope_theta",
	                 (double)c->rope_theta, "tools_format", c->ascii_tools ? "ascii" : "flat");
}

static json_t *tensor_json(const ndl_tensor *t)
{
	json_t *shape = json_array();
	for (int i = 0; i < t->rank; i++)
		json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
	return json_pack("{s:s,s:s,s:o,s:I}", "name", t->name, "dtype", ndl_dtype_name(t->dtype), "shape", shape,
	                 "bytes", (json_int_t)t->bytes);
}

static size_t parameters(const ndl_config *c)
{
	ndl_param params[NDL_MAX_PARAMS];
	size_t n = ndl_config_params(c, params), total = 0;
	for (size_t i = 0; i < n; i++)
		total += ndl_param_elements(&params[i]);
	return total;
}

/* Prints a JSON value (stolen) on a line of its own; NULL, from a failed allocation, is an error. */
static int print_json(const cli *c, json_t *value)
{
	ndl_buf line = NDL_BUF_INIT;
	ndl_json_write(&line, value, 0);
	int status = ndl_buf_check(&line, NULL) == NDL_OK ? CLI_OK : CLI_UNUSABLE;
	if (status == CLI_OK)
		puts(ndl_buf_cstr(&line));
	else
		cli_warn(c, "out of memory");
	ndl_buf_clear(&line);
	json_decref(value);
	return status;
}

static int info_json(const cli *c, const char *path, const ndl_import_info *import, const ndl_ckpt *ckpt,
                     const ndl_config *config, const char *why)
{
	json_t *tensors = json_array(), *meta = json_object();
	size_t total = 0;
	const char *key, *value;
	for (size_t i = 0; i < ndl_ckpt_count(ckpt); i++) {
		total += ndl_ckpt_at(ckpt, i)->bytes;
		json_array_append_new(tensors, tensor_json(ndl_ckpt_at(ckpt, i)));
	}
	for (size_t i = 0; i < ndl_ckpt_meta_count(ckpt); i++) {
		ndl_ckpt_meta_at(ckpt, i, &key, &value);
		json_object_set_new(meta, key, json_string(value));
	}
	json_t *name = json_stringn(path, ndl_utf8_check(path, strlen(path)));
	json_t *out = json_pack("{s:o,s:s,s:b,s:I,s:o,s:o}", "file", name, "kind", ndl_import_kind_name(import->kind),
	                        "model", config != NULL, "bytes", (json_int_t)total, "metadata", meta, "tensors", tensors);
	if (*import->member)
		json_object_set_new(out, "member", json_string(import->member));
	if (config) {
		json_object_set_new(out, "config", config_json(config));
		json_object_set_new(out, "parameters", json_integer((json_int_t)parameters(config)));
	} else {
		json_object_set_new(out, "reason", json_string(why));
	}
	return print_json(c, out);
}

static void print_shape(const ndl_tensor *t)
{
	char text[NDL_MAX_RANK * 22 + 3] = "[";
	size_t at = 1;
	for (int i = 0; i < t->rank; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%zu", i ? "," : "", t->shape[i]);
	snprintf(text + at, sizeof text - at, "]");
	printf("%-16s", text);
}

/* Bytes of all parameters whose names start with stem, and what most of them are stored as. */
static size_t bytes_under(const ndl_ckpt *ckpt, const char *stem)
{
	size_t bytes = 0;
	for (size_t i = 0; i < ndl_ckpt_count(ckpt); i++)
		if (strncmp(ndl_ckpt_at(ckpt, i)->name, stem, strlen(stem)) == 0)
			bytes += ndl_ckpt_at(ckpt, i)->bytes;
	return bytes;
}

/* "INT4 in groups of 32", or a type's name, for the first parameter of that kind. */
static void print_storage(const ndl_ckpt *ckpt, const ndl_config *c, ndl_param_kind kind, const char *what)
{
	ndl_param params[NDL_MAX_PARAMS];
	ndl_weight w;
	size_t n = ndl_config_params(c, params), i = 0;
	while (i < n && params[i].kind != kind)
		i++;
	if (i == n)
		return;
	const ndl_param *p = &params[i];
	printf("%s %s", what, ndl_storage_name(ckpt, p));
	bool found = kind == NDL_PARAM_EMBEDDING ? ndl_ckpt_embedding(ckpt, p->out, p->in, &w, NULL) == NDL_OK
	           : kind == NDL_PARAM_KERNEL && ndl_ckpt_weight(ckpt, p->name, 0, p->in, p->out, &w, NULL) == NDL_OK;
	if (found && w.group)
		printf(" in groups of %zu", w.group);
}

static void print_model(const ndl_ckpt *ckpt, const ndl_config *c)
{
	const ndl_tensor *tok = ndl_ckpt_find(ckpt, NDL_TOKENIZER_TENSOR);
	size_t all = 0;
	for (size_t i = 0; i < ndl_ckpt_count(ckpt); i++)
		all += ndl_ckpt_at(ckpt, i)->bytes;
	printf("  network     %d encoder and %d decoder layers of width %d, %d heads over %d\n", c->num_encoder_layers,
	       c->num_decoder_layers, c->d_model, c->num_heads, c->num_kv_heads);
	printf("  vocabulary  %d pieces, %s\n", c->vocab_size, tok ? "with the tokenizer" : "no tokenizer");
	printf("  windows     %d tokens of query and tools, %d of answer\n", c->max_enc_len, c->max_dec_len);
	printf("  tools       %s\n", c->ascii_tools ? "shown as given, non-ASCII escaped (ascii)" : "in the canonical form (flat)");
	if (c->contrastive_dim)
		printf("  retrieval   vectors of %d\n", c->contrastive_dim);
	else
		puts("  retrieval   none: no contrastive head");
	print_storage(ckpt, c, NDL_PARAM_KERNEL, "  stored as   kernels");
	print_storage(ckpt, c, NDL_PARAM_EMBEDDING, ", embedding");
	print_storage(ckpt, c, NDL_PARAM_VECTOR, ", vectors");
	printf("\n  size        %.2f MB: embedding %.2f, encoder %.2f, decoder %.2f, tokenizer %.2f\n", (double)all / 1e6,
	       (double)bytes_under(ckpt, "embedding") / 1e6, (double)bytes_under(ckpt, "encoder") / 1e6,
	       (double)bytes_under(ckpt, "decoder") / 1e6, tok ? (double)tok->bytes / 1e6 : 0.0);
}

static void print_tensors(const ndl_ckpt *ckpt)
{
	size_t total = 0;
	for (size_t i = 0; i < ndl_ckpt_count(ckpt); i++) {
		const ndl_tensor *t = ndl_ckpt_at(ckpt, i);
		printf("%12zu  %-4s  ", t->bytes, ndl_dtype_name(t->dtype));
		print_shape(t);
		fputs("  ", stdout);
		cli_put_clean(stdout, t->name);
		putchar('\n');
		total += t->bytes;
	}
	printf("%12zu  bytes of data in %zu tensors\n", total, ndl_ckpt_count(ckpt));
}

/* "file: needle model, N parameters", and below it where the model was found. */
static void print_title(const char *path, const ndl_import_info *import, const ndl_config *config, const char *why)
{
	cli_put_clean(stdout, path);
	if (config)
		printf(": needle model, %zu parameters\n", parameters(config));
	else
		printf(": %s file; %s\n", ndl_import_kind_name(import->kind), why);
	if (import->kind == NDL_IMPORT_SAFETENSORS && !*import->member)
		return;
	printf("  read from   %s", ndl_import_kind_name(import->kind));
	if (*import->member) {
		fputs(" in an archive: ", stdout);
		cli_put_clean(stdout, import->member);
	}
	if (*import->vocab) {
		fputs(", ", stdout);
		cli_put_clean(stdout, import->vocab);
	}
	putchar('\n');
}

static int info_text(const char *path, const ndl_import_info *import, const ndl_ckpt *ckpt, const ndl_config *config,
                     const char *why)
{
	const char *key, *value;
	print_title(path, import, config, why);
	if (config)
		print_model(ckpt, config);
	for (size_t i = 0; i < ndl_ckpt_meta_count(ckpt); i++) {
		ndl_ckpt_meta_at(ckpt, i, &key, &value);
		fputs("  ", stdout);
		cli_put_clean(stdout, key);
		fputs(" = ", stdout);
		cli_put_clean(stdout, value);
		putchar('\n');
	}
	print_tensors(ckpt);
	return CLI_OK;
}

int quantize_info(const cli *c, const char *path, const char *prefix, bool json)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_config config;
	ndl_import_info import;
	ndl_ckpt *ckpt = ndl_import_open(path, prefix, &import, &err);
	if (!ckpt) {
		cli_report(c, &err);
		return CLI_UNUSABLE;
	}
	bool model = ndl_config_from_ckpt(&config, ckpt, &err) == NDL_OK && ndl_ckpt_check(ckpt, &config, &err) == NDL_OK;
	const char *format = ndl_ckpt_meta(ckpt, "format");
	int status;
	if (json)
		status = info_json(c, path, &import, ckpt, model ? &config : NULL, err.text);
	else
		status = info_text(path, &import, ckpt, model ? &config : NULL, err.text);
	if (!model && format && strcmp(format, "needle") == 0) { /* it claims to be one: that is damage */
		ndl_error_at(&err, path, 0);
		cli_report(c, &err);
		status = CLI_UNUSABLE;
	}
	ndl_ckpt_close(ckpt);
	return status;
}

/* Diff ------------------------------------------------------------------------------------ */

typedef struct difference {
	double rms, worst;
} difference;

static ndl_status compare_param(const quantize_model *a, const quantize_model *b, const ndl_param *p, difference *d,
                                ndl_error *err)
{
	size_t n = ndl_param_elements(p);
	float *x = ndl_alloc64(n, sizeof *x), *y = ndl_alloc64(n, sizeof *y);
	double wrong = 0, norm = 0;
	ndl_status s = x && y ? NDL_OK : ndl_fail_nomem(err, p->name);
	*d = (difference){0, 0};
	if (s == NDL_OK && (s = ndl_param_to_f32(a->ckpt, p, x, err)) != NDL_OK)
		ndl_error_at(err, a->path, 0);
	if (s == NDL_OK && (s = ndl_param_to_f32(b->ckpt, p, y, err)) != NDL_OK)
		ndl_error_at(err, b->path, 0);
	for (size_t i = 0; s == NDL_OK && i < n; i++) {
		double e = fabs((double)y[i] - (double)x[i]);
		wrong += e * e;
		norm += (double)x[i] * (double)x[i];
		d->worst = e > d->worst ? e : d->worst;
	}
	if (wrong > 0)
		d->rms = norm > 0 ? sqrt(wrong / norm) : 1; /* from nothing to something */
	free(x);
	free(y);
	return s;
}

/* Differing configuration keys and confidence, as {"key": [a, b]}; new reference. */
static json_t *compare_configs(const quantize_model *a, const quantize_model *b)
{
	const char *key, *ca = ndl_ckpt_meta(a->ckpt, NDL_CONFIDENCE_KEY), *cb = ndl_ckpt_meta(b->ckpt, NDL_CONFIDENCE_KEY);
	json_t *ja = config_json(&a->config), *jb = config_json(&b->config), *value, *out = json_object();
	if (ca != cb && (!ca || !cb || strcmp(ca, cb) != 0))
		json_object_set_new(out, NDL_CONFIDENCE_KEY, json_pack("[s?,s?]", ca, cb));
	json_object_foreach(ja, key, value)
		if (!ndl_json_equal(value, json_object_get(jb, key)))
			json_object_set_new(out, key, json_pack("[O,O]", value, json_object_get(jb, key)));
	json_decref(ja);
	json_decref(jb);
	return out;
}

static bool has_tokenizer(const quantize_model *m)
{
	return ndl_ckpt_find(m->ckpt, NDL_TOKENIZER_TENSOR) != NULL;
}

static bool same_tokenizer(const quantize_model *a, const quantize_model *b)
{
	const ndl_tensor *x = ndl_ckpt_find(a->ckpt, NDL_TOKENIZER_TENSOR), *y = ndl_ckpt_find(b->ckpt, NDL_TOKENIZER_TENSOR);
	return (!x && !y) || (x && y && x->bytes == y->bytes && memcmp(x->data, y->data, x->bytes) == 0);
}

static void print_config_differences(json_t *config)
{
	const char *key;
	json_t *value;
	ndl_buf line = NDL_BUF_INIT;
	json_object_foreach(config, key, value) {
		ndl_buf_reset(&line);
		ndl_json_write(&line, json_array_get(value, 0), 0);
		ndl_buf_str(&line, " -> ");
		ndl_json_write(&line, json_array_get(value, 1), 0);
		printf("config: %s %s\n", key, ndl_buf_cstr(&line));
	}
	ndl_buf_clear(&line);
}

/* Compares every parameter into an array of objects; *differ is set if any value does. */
static ndl_status compare_params(const quantize_model *a, const quantize_model *b, json_t *out, bool *differ,
                                 ndl_error *err)
{
	ndl_param params[NDL_MAX_PARAMS];
	size_t n = ndl_config_params(&a->config, params);
	for (size_t i = 0; i < n; i++) {
		difference d;
		ndl_status s = compare_param(a, b, &params[i], &d, err);
		if (s != NDL_OK)
			return s;
		*differ |= d.worst > 0;
		json_array_append_new(out, json_pack("{s:s,s:s,s:s,s:f,s:f}", "name", params[i].name, "a",
		                                     ndl_storage_name(a->ckpt, &params[i]), "b",
		                                     ndl_storage_name(b->ckpt, &params[i]), "rms", d.rms, "worst", d.worst));
	}
	return NDL_OK;
}

static void print_param_differences(const cli *c, json_t *tensors)
{
	size_t i;
	json_t *t;
	json_array_foreach(tensors, i, t) {
		double worst = json_real_value(json_object_get(t, "worst"));
		if (worst > 0 || c->common.verbose)
			printf("%-4s -> %-4s  rms %.5f  max %.3g  %s\n", json_string_value(json_object_get(t, "a")),
			       json_string_value(json_object_get(t, "b")), json_real_value(json_object_get(t, "rms")), worst,
			       json_string_value(json_object_get(t, "name")));
	}
}

static int compare(const cli *c, const quantize_model *a, const quantize_model *b, bool json)
{
	ndl_error err = NDL_ERROR_INIT;
	bool differ = false, vocabulary = same_tokenizer(a, b);
	json_t *config = compare_configs(a, b), *tensors = json_array();
	ndl_param pa[NDL_MAX_PARAMS], pb[NDL_MAX_PARAMS];
	size_t na = ndl_config_params(&a->config, pa), nb = ndl_config_params(&b->config, pb);
	bool comparable = na == nb;
	for (size_t i = 0; comparable && i < na; i++)
		comparable = pa[i].layers == pb[i].layers && pa[i].in == pb[i].in && pa[i].out == pb[i].out;
	if (comparable && compare_params(a, b, tensors, &differ, &err) != NDL_OK) {
		cli_report(c, &err);
		json_decref(config);
		json_decref(tensors);
		return CLI_UNUSABLE;
	}
	bool identical = comparable && !differ && vocabulary && json_object_size(config) == 0;
	int status = CLI_OK;
	if (json) {
		status = print_json(c, json_pack("{s:b,s:b,s:O,s:O}", "identical", identical, "same_tokenizer", vocabulary,
		                                 "config", config, "tensors", tensors));
	} else {
		print_config_differences(config);
		if (!vocabulary)
			puts(has_tokenizer(a) && has_tokenizer(b) ? "tokenizer: different" : "tokenizer: in one of the two only");
		print_param_differences(c, tensors);
		puts(identical ? "identical" : comparable ? "different" : "different shapes: tensors were not compared");
	}
	json_decref(config);
	json_decref(tensors);
	return status == CLI_OK && !identical ? CLI_NEGATIVE : status;
}

int quantize_diff(const cli *c, const char *path_a, const char *path_b, const char *prefix, bool json)
{
	ndl_error err = NDL_ERROR_INIT;
	quantize_model a = {0}, b = {0};
	int status = CLI_UNUSABLE;
	if (quantize_open(&a, path_a, prefix, &err) != NDL_OK || quantize_open(&b, path_b, prefix, &err) != NDL_OK)
		cli_report(c, &err);
	else
		status = compare(c, &a, &b, json);
	ndl_ckpt_close(a.ckpt);
	ndl_ckpt_close(b.ckpt);
	return status;
}
