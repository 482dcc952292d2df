/* Configuration and views of parameters, on the golden model and on damaged copies of it. */
#include "checkpoint/checkpoint.h"
#include "checkpoint/half.h"
#include "tests/tap.h"

#include <stdint.h>
#include <unistd.h>

#define GOLDEN NDL_SRCDIR "/testdata/golden/tiny.safetensors"
#define K_PROJ "encoder/layers/EncoderBlock_0/self_attn/k_proj/kernel"

static char path[] = "/tmp/needle-test-XXXXXX";

/* One parameter to write differently from the golden model, or to leave out. */
typedef struct change {
	const char *name;     /* NULL: none */
	int drop;
	const char *rename;
	ndl_dtype dtype;
	int rank;
	size_t shape[3];
	const void *data;
	const char *key, *value; /* metadata to add */
} change;

/* The golden parameters with a change, written to `path`. */
static void write_model(const ndl_ckpt *golden, const change *ch)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(&err);
	ndl_status s = ch->key ? ndl_ckpt_writer_meta(w, ch->key, ch->value, &err) : NDL_OK;
	for (size_t i = 0; s == NDL_OK && i < ndl_ckpt_count(golden); i++) {
		const ndl_tensor *t = ndl_ckpt_at(golden, i);
		if (!ch->name || strcmp(ch->name, t->name) != 0)
			s = ndl_ckpt_writer_add(w, t->name, t->dtype, t->rank, t->shape, t->data, &err);
		else if (ch->rename)
			s = ndl_ckpt_writer_add(w, ch->rename, t->dtype, t->rank, t->shape, t->data, &err);
		else if (!ch->drop)
			s = ndl_ckpt_writer_add(w, t->name, ch->dtype, ch->rank, ch->shape, ch->data, &err);
	}
	if (s == NDL_OK)
		s = ndl_ckpt_writer_finish(w, path, &err);
	if (s != NDL_OK) {
		tap_note("%s", err.text);
		exit(1);
	}
	ndl_ckpt_writer_free(w);
}

static ndl_status open_and_check(ndl_config *c, ndl_error *err)
{
	*err = (ndl_error)NDL_ERROR_INIT;
	ndl_ckpt *m = ndl_ckpt_open(path, err);
	ndl_status s = m ? ndl_config_from_ckpt(c, m, err) : err->code;
	if (s == NDL_OK)
		s = ndl_ckpt_check(m, c, err);
	ndl_ckpt_close(m);
	return s;
}

static void test_golden_config(const ndl_ckpt *golden)
{
	ndl_config c;
	ndl_error err = NDL_ERROR_INIT;
	CHECK_INT(ndl_config_from_ckpt(&c, golden, &err), NDL_OK);
	CHECK_INT(c.vocab_size, 64);
	CHECK_INT(c.d_model, 32);
	CHECK_INT(c.num_heads, 4);
	CHECK_INT(c.num_kv_heads, 2);
	CHECK_INT(c.num_encoder_layers, 2);
	CHECK_INT(c.num_decoder_layers, 2);
	CHECK_INT(c.contrastive_dim, 12);
	CHECK_INT(c.max_enc_len, 1024);
	CHECK_INT(c.max_dec_len, 512);
	CHECK_INT(c.ascii_tools, 1);
	CHECK(c.rope_theta == 1e4f);
	CHECK_INT(ndl_ckpt_check(golden, &c, &err), NDL_OK);
	CHECK_STR(err.text, "");
}

/* The table of parameters is the tree of the golden file, name by name and shape by shape. */
static void test_params(const ndl_ckpt *golden)
{
	ndl_config c;
	ndl_error err = NDL_ERROR_INIT;
	ndl_param params[NDL_MAX_PARAMS];
	ndl_config_from_ckpt(&c, golden, &err);
	size_t n = ndl_config_params(&c, params), shape[NDL_MAX_RANK], same = 0;
	CHECK_INT(n, 31);
	CHECK_INT(n, ndl_ckpt_count(golden));
	for (size_t i = 0; i < n; i++) {
		const ndl_tensor *t = ndl_ckpt_find(golden, params[i].name);
		int rank = ndl_param_shape(&params[i], shape);
		same += t && t->rank == rank && memcmp(t->shape, shape, (size_t)rank * sizeof *shape) == 0;
	}
	CHECK_INT(same, 31);
	/* the published size of the default network */
	ndl_config normal = {8192, 512, 8, 4, 12, 8, 128, 1024, 512, 1e4f, 0};
	size_t total = 0;
	n = ndl_config_params(&normal, params);
	for (size_t i = 0; i < n; i++) {
		size_t elements = 1;
		for (int d = ndl_param_shape(&params[i], shape); d-- > 0;)
			elements *= shape[d];
		total += elements;
	}
	CHECK_INT(total, 26315421);
	normal.contrastive_dim = 0;
	CHECK_INT(ndl_config_params(&normal, params), 27);
}

static void test_views(const ndl_ckpt *golden)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_weight w;
	float v[32], gate;
	const float *k = ndl_ckpt_find(golden, K_PROJ)->data;
	CHECK_INT(ndl_ckpt_weight(golden, K_PROJ, 1, 32, 16, &w, &err), NDL_OK);
	CHECK(w.type == NDL_W_F32 && !w.out_major && w.data == k + 512 && w.in == 32 && w.out == 16 && !w.scale);
	CHECK_INT(ndl_ckpt_weight(golden, K_PROJ, 2, 32, 16, &w, &err), NDL_EFORMAT);
	CHECK(strstr(err.text, K_PROJ) && strstr(err.text, "layer 2"));
	CHECK_INT(ndl_ckpt_weight(golden, K_PROJ, 0, 16, 32, &w, &err), NDL_EFORMAT);
	CHECK_INT(ndl_ckpt_weight(golden, K_PROJ, -1, 32, 16, &w, &err), NDL_EFORMAT);
	CHECK_INT(ndl_ckpt_weight(golden, "no/such/kernel", 0, 32, 16, &w, &err), NDL_ENOTFOUND);
	CHECK_INT(ndl_ckpt_weight(golden, "contrastive_proj/kernel", -1, 8, 12, &w, &err), NDL_OK);
	CHECK_INT(ndl_ckpt_embedding(golden, 64, 32, &w, &err), NDL_OK);
	CHECK(w.out_major && w.out == 64 && w.in == 32);
	CHECK_INT(ndl_ckpt_embedding(golden, 32, 64, &w, &err), NDL_EFORMAT);
	CHECK_INT(ndl_ckpt_vector(golden, "encoder/layers/EncoderBlock_0/ZCRMSNorm_0/scale", 1, 32, v, &err), NDL_OK);
	CHECK(memcmp(v, (const float *)ndl_ckpt_find(golden, "encoder/layers/EncoderBlock_0/ZCRMSNorm_0/scale")->data + 32,
	             sizeof v) == 0);
	CHECK_INT(ndl_ckpt_vector(golden, "encoder/layers/EncoderBlock_0/attn_gate", 1, 1, &gate, &err), NDL_OK);
	CHECK(gate == ((const float *)ndl_ckpt_find(golden, "encoder/layers/EncoderBlock_0/attn_gate")->data)[1]);
	CHECK_INT(ndl_ckpt_vector(golden, "log_temp", -1, 1, &gate, &err), NDL_OK);
	CHECK_INT(ndl_ckpt_vector(golden, "log_temp", 0, 1, &gate, &err), NDL_EFORMAT);
	CHECK_INT(ndl_ckpt_vector(golden, "encoder/final_norm/scale", -1, 31, v, &err), NDL_EFORMAT);
	CHECK_INT(ndl_ckpt_vector(golden, "encoder/final_norm/scale", 0, 32, v, &err), NDL_EFORMAT);
}

static void test_damaged(const ndl_ckpt *golden)
{
	static const float zeros[4096];
	static const struct { change ch; ndl_status want; const char *text; } cases[] = {
		{{0}, NDL_OK, ""},
		{{.name = "log_temp", .drop = 1}, NDL_ENOTFOUND, "'log_temp' is missing"},
		{{.name = K_PROJ, .drop = 1}, NDL_ENOTFOUND, K_PROJ},
		{{.name = K_PROJ, .dtype = NDL_F32, .rank = 3, .shape = {1, 32, 16}, .data = zeros}, NDL_EFORMAT, "layer 1"},
		{{.name = K_PROJ, .dtype = NDL_F32, .rank = 3, .shape = {3, 32, 16}, .data = zeros}, NDL_EFORMAT, "3 layers, expected 2"},
		{{.name = K_PROJ, .dtype = NDL_F32, .rank = 3, .shape = {2, 16, 16}, .data = zeros}, NDL_EFORMAT, "[2, 16, 16]"},
		{{.name = K_PROJ, .dtype = NDL_F32, .rank = 3, .shape = {2, 32, 12}, .data = zeros}, NDL_EFORMAT, "heads of 8"},
		{{.name = K_PROJ, .dtype = NDL_I32, .rank = 3, .shape = {2, 32, 16}, .data = zeros}, NDL_EUNSUPPORTED, "I32"},
		{{.name = K_PROJ, .dtype = NDL_I8, .rank = 3, .shape = {2, 16, 32}, .data = zeros}, NDL_EFORMAT, ".scale' is missing"},
		{{.name = K_PROJ, .rename = "encoder/layers/EncoderBlock_0/ffn/kernel"}, NDL_ENOTFOUND, "k_proj"},
		{{.name = "encoder/final_norm/scale", .dtype = NDL_I8, .rank = 1, .shape = {32}, .data = zeros}, NDL_EFORMAT, "I8"},
		{{.name = "encoder/final_norm/scale", .dtype = NDL_F32, .rank = 1, .shape = {0}, .data = zeros}, NDL_EFORMAT, "range"},
		{{.name = "decoder/layers/DecoderBlock_0/cross_attn_gate", .dtype = NDL_F32, .rank = 1, .shape = {3}, .data = zeros}, NDL_EFORMAT, "3 layers"},
		{{.name = "contrastive_proj/kernel", .drop = 1}, NDL_ENOTFOUND, "contrastive_proj/kernel' is missing"},
		{{.key = "d_model", .value = "64"}, NDL_EFORMAT, "the tensors say 32"},
		{{.key = "d_model", .value = "3x"}, NDL_EFORMAT, "whole number"},
		{{.key = "d_model", .value = "99999999999999999999"}, NDL_EFORMAT, "whole number"},
		{{.key = "contrastive_dim", .value = "13"}, NDL_EFORMAT, "the tensors say 12"},
		{{.key = "no_feedforward", .value = "False"}, NDL_EUNSUPPORTED, "feed-forward"},
		{{.key = "no_feedforward", .value = "True"}, NDL_OK, ""},
		{{.key = "rope_theta", .value = "x"}, NDL_EFORMAT, "rope_theta"},
		{{.key = "rope_theta", .value = "0"}, NDL_EFORMAT, "rope_theta"},
		{{.key = "max_enc_len", .value = "1000000"}, NDL_EFORMAT, "max_enc_len"},
		{{.key = "tools_format", .value = "html"}, NDL_EUNSUPPORTED, "html"},
		{{.key = "format", .value = "needle"}, NDL_EUNSUPPORTED, "version"},
		{{.key = "format", .value = "pt"}, NDL_OK, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ndl_config c;
		ndl_error err;
		write_model(golden, &cases[i].ch);
		ndl_status got = open_and_check(&c, &err);
		int ok = got == cases[i].want && strstr(err.text, cases[i].text) != NULL;
		if (!ok)
			tap_note("status %d, want %d: %s", got, cases[i].want, err.text);
		tap_ok(ok, "damaged model %zu: %s", i, cases[i].text);
	}
	/* the head as a whole may be missing */
	float nan_scale[32] = {0};
	nan_scale[7] = NAN;
	change ch = {.name = "encoder/final_norm/scale", .dtype = NDL_F32, .rank = 1, .shape = {32}, .data = nan_scale};
	float v[32];
	ndl_error err = NDL_ERROR_INIT;
	write_model(golden, &ch);
	ndl_ckpt *m = ndl_ckpt_open(path, &err);
	CHECK_INT(ndl_ckpt_vector(m, "encoder/final_norm/scale", -1, 32, v, &err), NDL_EFORMAT);
	CHECK(strstr(err.text, "NaN") != NULL);
	ndl_ckpt_close(m);
}

/* A hand-made quantised kernel of two layers, 32 inputs, 2 outputs: views and expansion. */
static void test_codes(void)
{
	ndl_error err = NDL_ERROR_INIT;
	uint8_t packed[2 * 2 * 16];
	int8_t codes[2 * 2 * 32];
	uint16_t scales[2 * 2] = {0x3c00, 0x3800, 0x4000, 0xbc00}; /* 1, .5, 2, -1 */
	const float value[4] = {1, 0.5f, 2, -1};
	size_t shape4[3] = {2, 2, 16}, shape8[3] = {2, 2, 32}, shape_s[3] = {2, 2, 1};
	for (int row = 0; row < 4; row++)
		for (int i = 0; i < 32; i++) {
			int code = (row + i) % 16 - 8;
			codes[row * 32 + i] = (int8_t)code;
			packed[row * 16 + i / 2] = (uint8_t)(i % 2 ? packed[row * 16 + i / 2] | (code & 15) << 4 : code & 15);
		}
	ndl_ckpt_writer *wr = ndl_ckpt_writer_new(&err);
	ndl_status s = ndl_ckpt_writer_add(wr, "four", NDL_U8, 3, shape4, packed, &err);
	s = s ? s : ndl_ckpt_writer_add(wr, "four.scale", NDL_F16, 3, shape_s, scales, &err);
	s = s ? s : ndl_ckpt_writer_add(wr, "eight", NDL_I8, 3, shape8, codes, &err);
	s = s ? s : ndl_ckpt_writer_add(wr, "eight.scale", NDL_F16, 3, shape_s, scales, &err);
	s = s ? s : ndl_ckpt_writer_finish(wr, path, &err);
	CHECK_INT(s, NDL_OK);
	ndl_ckpt_writer_free(wr);
	ndl_ckpt *m = ndl_ckpt_open(path, &err);
	ndl_weight w;
	for (int b = 0; b < 2; b++) {
		const char *name = b ? "eight" : "four";
		int wrong = 0;
		for (int l = 0; l < 2; l++) {
			float out[64], turned[64];
			CHECK_INT(ndl_ckpt_weight(m, name, l, 32, 2, &w, &err), NDL_OK);
			CHECK(w.out_major && w.group == 32 && w.type == (b ? NDL_W_I8 : NDL_W_I4));
			ndl_weight_to_f32(&w, false, out);
			ndl_weight_to_f32(&w, true, turned);
			for (int o = 0; o < 2; o++)
				for (int i = 0; i < 32; i++) {
					float want = (float)codes[(l * 2 + o) * 32 + i] * value[l * 2 + o];
					wrong += out[i * 2 + o] != want || turned[o * 32 + i] != want;
				}
		}
		CHECK_INT(wrong, 0);
		CHECK_INT(ndl_ckpt_weight(m, name, 0, 64, 2, &w, &err), NDL_EFORMAT);
		CHECK_INT(ndl_ckpt_weight(m, name, 0, 2, 32, &w, &err), NDL_EFORMAT);
		CHECK_INT(ndl_ckpt_weight(m, name, 2, 32, 2, &w, &err), NDL_EFORMAT);
	}
	ndl_ckpt_close(m);
}

static void test_round_trip(void)
{
	ndl_config c = {100, 24, 6, 3, 1, 2, 0, 64, 32, 500.5f, 0}, back;
	ndl_error err = NDL_ERROR_INIT;
	CHECK_INT(ndl_config_check(&c, &err), NDL_OK);
	ndl_param params[NDL_MAX_PARAMS];
	size_t n = ndl_config_params(&c, params), shape[NDL_MAX_RANK];
	static const float zeros[4096];
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(&err);
	ndl_status s = ndl_config_to_writer(&c, w, &err);
	for (size_t i = 0; s == NDL_OK && i < n; i++) {
		int rank = ndl_param_shape(&params[i], shape);
		s = ndl_ckpt_writer_add(w, params[i].name, NDL_F32, rank, shape, zeros, &err);
	}
	s = s ? s : ndl_ckpt_writer_finish(w, path, &err);
	CHECK_INT(s, NDL_OK);
	ndl_ckpt_writer_free(w);
	CHECK_INT(open_and_check(&back, &err), NDL_OK);
	CHECK(memcmp(&c, &back, sizeof c) == 0);
}

static ndl_status load_json(const char *text, ndl_config *c, ndl_error *err)
{
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		exit(1);
	*err = (ndl_error)NDL_ERROR_INIT;
	return ndl_config_load(c, path, err);
}

static void test_json(void)
{
	ndl_config c;
	ndl_error err;
	CHECK_INT(load_json("{}", &c, &err), NDL_OK);
	CHECK(c.vocab_size == 8192 && c.d_model == 512 && c.max_dec_len == 512 && !c.ascii_tools);
	CHECK_INT(load_json("{\"d_model\":64,\"num_heads\":4,\"num_kv_heads\":4,\"rope_theta\":5e5,"
	                    "\"no_feedforward\":true,\"tools_format\":\"ascii\"}", &c, &err), NDL_OK);
	CHECK(c.d_model == 64 && c.num_kv_heads == 4 && c.rope_theta == 5e5f && c.ascii_tools);
	static const struct { const char *json, *text; } bad[] = {
		{"[]", "expected an object"}, {"{\"d_modle\":64}", "d_modle"}, {"{\"d_model\":\"64\"}", "d_model"},
		{"{\"d_model\":64.0}", "d_model"}, {"{\"d_model\":0}", "d_model"}, {"{\"num_heads\":7}", "num_heads 7"},
		{"{\"num_kv_heads\":3}", "num_kv_heads 3"}, {"{\"d_model\":24,\"num_heads\":8}", "odd"},
		{"{\"no_feedforward\":false}", "feed-forward"}, {"{\"tools_format\":3}", "tools_format"},
		{"{\"rope_theta\":-1}", "rope_theta"}, {"{\"d_model\":64,\"d_model\":64}", "duplicate"}, {"{", "JSON"},
		{"{\"d_model\":6,\"num_heads\":1,\"num_kv_heads\":1}", "divisible by 4"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ndl_status s = load_json(bad[i].json, &c, &err);
		tap_ok(s != NDL_OK && strstr(err.text, bad[i].text) && err.file[0], "%s: %s", bad[i].json, err.text);
	}
	CHECK_INT(ndl_config_load(&c, "/nonexistent", &err), NDL_EIO);
}

int main(void)
{
	ndl_error err = NDL_ERROR_INIT;
	int fd = mkstemp(path);
	ndl_ckpt *golden = ndl_ckpt_open_prefix(GOLDEN, "p/", &err);
	if (fd < 0 || !golden) {
		tap_note("%s", err.text);
		return 1;
	}
	close(fd);
	test_golden_config(golden);
	test_params(golden);
	test_views(golden);
	test_damaged(golden);
	test_codes();
	test_round_trip();
	test_json();
	ndl_ckpt_close(golden);
	unlink(path);
	return tap_done();
}
