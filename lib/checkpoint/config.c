#include "checkpoint/checkpoint.h"

#include "checkpoint/names.h"
#include "json/json.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { DIM_MAX = 1 << 16, VOCAB_MAX = 1 << 20, LAYERS_MAX = 256, WINDOW_MAX = 1 << 16 };

/* The integer fields: key, place, range. */
static const struct field {
	const char *key;
	size_t offset;
	int lo, hi, normal; /* normal: of the default model */
} fields[] = {
	{"vocab_size", offsetof(ndl_config, vocab_size), 1, VOCAB_MAX, 8192},
	{"d_model", offsetof(ndl_config, d_model), 2, DIM_MAX, 512},
	{"num_heads", offsetof(ndl_config, num_heads), 1, DIM_MAX, 8},
	{"num_kv_heads", offsetof(ndl_config, num_kv_heads), 1, DIM_MAX, 4},
	{"num_encoder_layers", offsetof(ndl_config, num_encoder_layers), 1, LAYERS_MAX, 12},
	{"num_decoder_layers", offsetof(ndl_config, num_decoder_layers), 1, LAYERS_MAX, 8},
	{"contrastive_dim", offsetof(ndl_config, contrastive_dim), 0, DIM_MAX, 128},
	{"max_enc_len", offsetof(ndl_config, max_enc_len), 4, WINDOW_MAX, 1024},
	{"max_dec_len", offsetof(ndl_config, max_dec_len), 4, WINDOW_MAX, 512},
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static int *field_of(ndl_config *c, const struct field *f)
{
	return (int *)(void *)((char *)c + f->offset);
}

static int field_value(const ndl_config *c, const struct field *f)
{
	return *(const int *)(const void *)((const char *)c + f->offset);
}

ndl_status ndl_config_check(const ndl_config *c, ndl_error *err)
{
	for (const struct field *f = fields; f < fields + N_FIELDS; f++) {
		int value = field_value(c, f);
		if (value < f->lo || value > f->hi)
			return ndl_fail(err, NDL_EFORMAT, "config: %s is %d, must be %d to %d", f->key, value, f->lo, f->hi);
	}
	if (c->d_model % c->num_heads != 0)
		return ndl_fail(err, NDL_EFORMAT, "config: d_model %d is not divisible by num_heads %d", c->d_model,
		                c->num_heads);
	if (c->num_heads % c->num_kv_heads != 0)
		return ndl_fail(err, NDL_EFORMAT, "config: num_heads %d is not divisible by num_kv_heads %d",
		                c->num_heads, c->num_kv_heads);
	if (c->d_model / c->num_heads % 2 != 0)
		return ndl_fail(err, NDL_EFORMAT, "config: a head of d_model / num_heads = %d values is odd",
		                c->d_model / c->num_heads);
	if (c->contrastive_dim && c->d_model % 4 != 0)
		return ndl_fail(err, NDL_EFORMAT, "config: with a contrastive head d_model %d must be divisible by 4",
		                c->d_model);
	if (!(c->rope_theta >= 1 && c->rope_theta <= 1e9f))
		return ndl_fail(err, NDL_EFORMAT, "config: rope_theta is %g, must be 1 to 1e9", (double)c->rope_theta);
	if (c->ascii_tools != 0 && c->ascii_tools != 1)
		return ndl_fail(err, NDL_EFORMAT, "config: ascii_tools must be 0 or 1");
	return NDL_OK;
}

/* Metadata ------------------------------------------------------------------------------ */

static ndl_status meta_int(const char *key, const char *text, int *out, ndl_error *err)
{
	long value = 0;
	const char *p = text;
	for (; *p >= '0' && *p <= '9' && value <= INT_MAX / 10 - 1; p++)
		value = value * 10 + (*p - '0');
	if (p == text || *p)
		return ndl_fail(err, NDL_EFORMAT, "metadata %s: '%s' is not a whole number in range", key, text);
	*out = (int)value;
	return NDL_OK;
}

static bool says_true(const char *text)
{
	return strcmp(text, "true") == 0 || strcmp(text, "True") == 0 || strcmp(text, "1") == 0;
}

static ndl_status tools_format(ndl_config *c, const char *text, ndl_error *err)
{
	if (strcmp(text, "ascii") != 0 && strcmp(text, "flat") != 0)
		return ndl_fail(err, NDL_EUNSUPPORTED, "tools_format '%s' is not supported (flat, ascii)", text);
	c->ascii_tools = text[0] == 'a';
	return NDL_OK;
}

static ndl_status meta_theta(ndl_config *c, const char *text, ndl_error *err)
{
	json_t *number = ndl_json_parse(text, strlen(text), NULL); /* strtod would heed the locale */
	bool ok = json_is_number(number);
	if (ok)
		c->rope_theta = (float)json_number_value(number);
	json_decref(number);
	return ok ? NDL_OK : ndl_fail(err, NDL_EFORMAT, "metadata rope_theta: '%s' is not a number", text);
}

/* Integers: what the tensors say has already been filled in, so metadata may only confirm it;
 * 0 marks what tensors do not say. */
static ndl_status apply_meta_ints(ndl_config *c, const ndl_ckpt *ckpt, ndl_error *err)
{
	for (const struct field *f = fields; f < fields + N_FIELDS; f++) {
		const char *text = ndl_ckpt_meta(ckpt, f->key);
		int value = 0, *known = field_of(c, f);
		bool window = f->offset >= offsetof(ndl_config, max_enc_len);
		if (!text) {
			if (window)
				*known = f->normal;
			continue;
		}
		ndl_status s = meta_int(f->key, text, &value, err);
		if (s != NDL_OK)
			return s;
		if (window)
			*known = value;
		/* the contrastive head may be missing: the first published weights lack it */
		else if (value != *known && (*known || f->offset != offsetof(ndl_config, contrastive_dim)))
			return ndl_fail(err, NDL_EFORMAT, "metadata says %s is %d, the tensors say %d", f->key, value, *known);
	}
	return NDL_OK;
}

static ndl_status apply_meta(ndl_config *c, const ndl_ckpt *ckpt, ndl_error *err)
{
	const char *format = ndl_ckpt_meta(ckpt, "format"), *version = ndl_ckpt_meta(ckpt, "format_version");
	const char *plain = ndl_ckpt_meta(ckpt, "no_feedforward"), *theta = ndl_ckpt_meta(ckpt, "rope_theta");
	const char *tools = ndl_ckpt_meta(ckpt, "tools_format");
	if (format && strcmp(format, NDL_FORMAT) == 0 && (!version || strcmp(version, NDL_FORMAT_VERSION) != 0))
		return ndl_fail(err, NDL_EUNSUPPORTED, "format version '%s' of the model file is not supported (%s is)",
		                version ? version : "", NDL_FORMAT_VERSION);
	if (plain && !says_true(plain))
		return ndl_fail(err, NDL_EUNSUPPORTED, "the model has feed-forward layers (no_feedforward is '%s'), "
		                "which are not supported", plain);
	ndl_status s = apply_meta_ints(c, ckpt, err);
	c->rope_theta = 1e4f;
	if (s == NDL_OK && theta)
		s = meta_theta(c, theta, err);
	c->ascii_tools = 1; /* a file that does not say so was not trained by us */
	if (s == NDL_OK && tools)
		s = tools_format(c, tools, err);
	return s;
}

/* What the shapes say -------------------------------------------------------------------- */

static ndl_status dimension(const ndl_ckpt *ckpt, const char *name, int rank, int axis, int *out, ndl_error *err)
{
	const ndl_tensor *t = ndl_ckpt_find(ckpt, name);
	if (!t)
		return ndl_fail(err, NDL_ENOTFOUND, "not a needle model: tensor '%s' is missing", name);
	if (t->rank != rank)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s' has %d dimensions, expected %d", name, t->rank, rank);
	if (t->shape[axis] < 1 || t->shape[axis] > VOCAB_MAX)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s': a dimension of %zu is out of range", name, t->shape[axis]);
	*out = (int)t->shape[axis];
	return NDL_OK;
}

/* The output dimension of a kernel: the last one of floats, the last but one of codes. */
static ndl_status outputs(const ndl_ckpt *ckpt, const char *name, int rank, int *out, ndl_error *err)
{
	const ndl_tensor *t = ndl_ckpt_find(ckpt, name);
	bool codes = t && (t->dtype == NDL_I8 || t->dtype == NDL_U8);
	return dimension(ckpt, name, rank, codes ? rank - 2 : rank - 1, out, err);
}

#define ENC "encoder/layers/EncoderBlock_0/"
#define DEC "decoder/layers/DecoderBlock_0/"

static ndl_status from_shapes(ndl_config *c, const ndl_ckpt *ckpt, ndl_error *err)
{
	int head = 0, kv = 0;
	ndl_status s = dimension(ckpt, "embedding/embedding", 2, 0, &c->vocab_size, err);
	if (s == NDL_OK)
		s = dimension(ckpt, "encoder/final_norm/scale", 1, 0, &c->d_model, err);
	if (s == NDL_OK)
		s = dimension(ckpt, ENC "self_attn/q_norm/scale", 2, 0, &c->num_encoder_layers, err);
	if (s == NDL_OK)
		s = dimension(ckpt, ENC "self_attn/q_norm/scale", 2, 1, &head, err);
	if (s == NDL_OK)
		s = outputs(ckpt, ENC "self_attn/k_proj/kernel", 3, &kv, err);
	if (s == NDL_OK)
		s = dimension(ckpt, DEC "self_attn/q_norm/scale", 2, 0, &c->num_decoder_layers, err);
	if (s == NDL_OK && (ndl_ckpt_find(ckpt, "contrastive_proj/kernel") || ndl_ckpt_find(ckpt, "contrastive_hidden/kernel")))
		s = outputs(ckpt, "contrastive_proj/kernel", 2, &c->contrastive_dim, err);
	if (s != NDL_OK)
		return s;
	if (c->d_model % head != 0 || kv % head != 0)
		return ndl_fail(err, NDL_EFORMAT, "heads of %d values do not divide d_model %d and the %d outputs of '"
		                ENC "self_attn/k_proj/kernel'", head, c->d_model, kv);
	c->num_heads = c->d_model / head;
	c->num_kv_heads = kv / head;
	return NDL_OK;
}

ndl_status ndl_config_from_ckpt(ndl_config *c, const ndl_ckpt *ckpt, ndl_error *err)
{
	*c = (ndl_config){0};
	ndl_status s = from_shapes(c, ckpt, err);
	if (s == NDL_OK)
		s = apply_meta(c, ckpt, err);
	return s == NDL_OK ? ndl_config_check(c, err) : s;
}

ndl_status ndl_config_to_writer(const ndl_config *c, ndl_ckpt_writer *w, ndl_error *err)
{
	ndl_buf theta = NDL_BUF_INIT;
	char text[24];
	ndl_status s = ndl_config_check(c, err);
	if (s == NDL_OK)
		s = ndl_ckpt_writer_meta(w, "format", NDL_FORMAT, err);
	if (s == NDL_OK)
		s = ndl_ckpt_writer_meta(w, "format_version", NDL_FORMAT_VERSION, err);
	for (const struct field *f = fields; s == NDL_OK && f < fields + N_FIELDS; f++) {
		snprintf(text, sizeof text, "%d", field_value(c, f));
		s = ndl_ckpt_writer_meta(w, f->key, text, err);
	}
	ndl_json_write_double(&theta, (double)c->rope_theta);
	if (s == NDL_OK)
		s = ndl_buf_check(&theta, err);
	if (s == NDL_OK)
		s = ndl_ckpt_writer_meta(w, "rope_theta", ndl_buf_cstr(&theta), err);
	if (s == NDL_OK)
		s = ndl_ckpt_writer_meta(w, "no_feedforward", "true", err);
	if (s == NDL_OK)
		s = ndl_ckpt_writer_meta(w, "tools_format", c->ascii_tools ? "ascii" : "flat", err);
	ndl_buf_clear(&theta);
	return s;
}

/* CONFIG.json ----------------------------------------------------------------------------- */

static ndl_status load_key(ndl_config *c, const char *key, const json_t *value, ndl_error *err)
{
	for (const struct field *f = fields; f < fields + N_FIELDS; f++) {
		if (strcmp(f->key, key) != 0)
			continue;
		if (!json_is_integer(value) || json_integer_value(value) < f->lo || json_integer_value(value) > f->hi)
			return ndl_fail(err, NDL_EFORMAT, "%s: expected a whole number from %d to %d", key, f->lo, f->hi);
		*field_of(c, f) = (int)json_integer_value(value);
		return NDL_OK;
	}
	if (strcmp(key, "rope_theta") == 0) {
		if (!json_is_number(value))
			return ndl_fail(err, NDL_EFORMAT, "%s: expected a number", key);
		c->rope_theta = (float)json_number_value(value);
		return NDL_OK;
	}
	if (strcmp(key, "no_feedforward") == 0)
		return json_is_true(value) ? NDL_OK
		                           : ndl_fail(err, NDL_EUNSUPPORTED, "%s: feed-forward layers are not supported", key);
	if (strcmp(key, "tools_format") == 0)
		return tools_format(c, json_is_string(value) ? json_string_value(value) : "", err);
	return ndl_fail(err, NDL_EFORMAT, "unknown key '%s'", key);
}

ndl_status ndl_config_load(ndl_config *c, const char *path, ndl_error *err)
{
	const char *key;
	json_t *value, *object = ndl_json_load(path, err);
	ndl_status s = NDL_OK;
	if (!object)
		return err ? err->code : NDL_EFORMAT;
	*c = (ndl_config){.rope_theta = 1e4f};
	for (const struct field *f = fields; f < fields + N_FIELDS; f++)
		*field_of(c, f) = f->normal;
	if (!json_is_object(object))
		s = ndl_fail(err, NDL_EFORMAT, "expected an object, found %s", ndl_json_type_name(object));
	json_object_foreach(object, key, value)
		if (s == NDL_OK)
			s = load_key(c, key, value, err);
	if (s == NDL_OK)
		s = ndl_config_check(c, err);
	if (s != NDL_OK)
		ndl_error_at(err, path, 0);
	json_decref(object);
	return s;
}
