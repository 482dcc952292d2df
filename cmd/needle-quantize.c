/* needle-quantize: any readable checkpoint to any writable one, with another number format on the
 * way; also shows and compares model files. Page: needle-quantize(1), format: needle-checkpoint(5). */
#include "cmd/engine.h"
#include "cmd/quantize.h"

#include "base/outfile.h"
#include "json/json.h"
#include "quant/convert.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_BITS = 1001, KEY_EMBEDDING_BITS, KEY_BF16, KEY_GROUP, KEY_METHOD, KEY_VOCAB, KEY_TO, KEY_PREFIX, KEY_INFO,
       KEY_DIFF, KEY_JSON, KEY_EMBEDDING_GROUP, KEY_CALIBRATE, KEY_CHECK, KEY_PRECISION };

static const cli_option options[] = {
	{'o', "output", "FILE", "the file to write; may be IN"},
	{KEY_BITS, "bits", "4|8|16|32", "bits of a weight [4]"},
	{KEY_EMBEDDING_BITS, "embedding-bits", "4|8|16|32", "bits of the embedding [as --bits]"},
	{KEY_BF16, "bf16", NULL, "16 bits are BF16, not F16"},
	{KEY_GROUP, "group", "32|64|128", "inputs of a kernel that share a scale [32]"},
	{KEY_EMBEDDING_GROUP, "embedding-group", "32|64|128", "inputs of the embedding that share a scale [128]"},
	{KEY_METHOD, "method", "rtn|mse|gptq", "round to nearest; with scales of least error; to least error of outputs [rtn]"},
	{KEY_CALIBRATE, "calibrate", "FILE", "examples (JSON Lines) for --method=gptq"},
	{'t', "tools", "FILE", "tool list of those examples that have none"},
	{KEY_CHECK, "check", "FILE", "compare the calls and logits of source and result on these examples"},
	{KEY_PRECISION, "precision", "int8|f32", "arithmetic of --check where weights are integers [f32]"},
	{KEY_VOCAB, "vocab", "FILE", "vocabulary to store: a SentencePiece .model, or its list [the one of IN]"},
	{KEY_TO, "to", "model|safetensors", "write a model file, or a plain tree of floats [model]"},
	{KEY_PREFIX, "prefix", "TEXT", "take the tensors whose names start with TEXT, and drop it"},
	{KEY_INFO, "info", NULL, "list the tensors, sizes and configuration of a file"},
	{KEY_DIFF, "diff", NULL, "compare two models value by value; status 1 if they differ"},
	{KEY_JSON, "json", NULL, "print the report as one line of JSON"},
	{0, NULL, NULL, NULL},
};

typedef struct settings {
	const char *output, *vocab, *prefix, *calibrate, *check, *tools;
	int bits, embedding_bits; /* 0: not given */
	bool bf16, plain, info, diff, json;
	ndl_quant_method method;
	ndl_precision precision;
	size_t group, embedding_group;
} settings;

/* Opening --------------------------------------------------------------------------------- */

ndl_status quantize_open(quantize_model *m, const char *path, const char *prefix, ndl_error *err)
{
	*m = (quantize_model){.path = path};
	m->ckpt = ndl_import_open(path, prefix, &m->import, err);
	if (!m->ckpt)
		return err->code;
	ndl_status s = ndl_config_from_ckpt(&m->config, m->ckpt, err);
	if (s == NDL_OK)
		s = ndl_ckpt_check(m->ckpt, &m->config, err);
	if (s != NDL_OK)
		ndl_error_at(err, path, 0);
	return s;
}

/* Converting ------------------------------------------------------------------------------ */

/* Metadata that the conversion itself writes; the rest of a model file's is carried over. */
static bool is_ours(const char *key)
{
	static const char *const keys[] = {"format", "format_version", "vocab_size", "d_model", "num_heads",
		"num_kv_heads", "num_encoder_layers", "num_decoder_layers", "contrastive_dim", "max_enc_len", "max_dec_len",
		"rope_theta", "no_feedforward", "tools_format", "quantization", "group", NULL};
	for (size_t i = 0; keys[i]; i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static ndl_status carry_metadata(const quantize_model *m, ndl_ckpt_writer *w, ndl_error *err)
{
	const char *key, *value, *format = ndl_ckpt_meta(m->ckpt, "format");
	ndl_status s = NDL_OK;
	if (!format || strcmp(format, "needle") != 0)
		return NDL_OK;
	for (size_t i = 0; s == NDL_OK && i < ndl_ckpt_meta_count(m->ckpt); i++) {
		ndl_ckpt_meta_at(m->ckpt, i, &key, &value);
		if (!is_ours(key))
			s = ndl_ckpt_writer_meta(w, key, value, err);
	}
	return s;
}

/* Gives the source the tokenizer of --vocab, else makes sure that its own, if there is one, is a .model that fits. */
static ndl_status settle_tokenizer(const settings *o, quantize_model *m, ndl_tok **tok, ndl_error *err)
{
	const ndl_tensor *t = ndl_ckpt_find(m->ckpt, NDL_TOKENIZER_TENSOR);
	const char *from = o->vocab ? o->vocab : m->path;
	size_t len;
	if (o->plain || (!o->vocab && !t))
		return NDL_OK;
	*tok = o->vocab ? ndl_tok_load(o->vocab, err) : ndl_tok_new(t->data, t->bytes, err);
	ndl_status s = *tok ? NDL_OK : err->code;
	if (s == NDL_OK && ndl_tok_size(*tok) != (size_t)m->config.vocab_size)
		s = ndl_fail(err, NDL_EINVAL, "the tokenizer has %zu pieces, the model's embedding %d rows",
		             ndl_tok_size(*tok), m->config.vocab_size);
	if (s == NDL_OK) {
		const void *bytes = ndl_tok_model_bytes(*tok, &len);
		s = ndl_ckpt_set_tokenizer(m->ckpt, bytes, len, err);
	}
	if (s != NDL_OK)
		ndl_error_at(err, from, 0);
	return s;
}

static ndl_status write_model(const settings *o, const quantize_model *m, const ndl_conversion *v, ndl_error *err)
{
	const ndl_tensor *t = o->plain ? NULL : ndl_ckpt_find(m->ckpt, NDL_TOKENIZER_TENSOR);
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(err);
	ndl_status s = w ? ndl_config_to_writer(&m->config, w, err) : NDL_ENOMEM;
	if (s == NDL_OK)
		s = ndl_conversion_write(v, w, err);
	if (s == NDL_OK && !o->plain)
		s = carry_metadata(m, w, err);
	if (s == NDL_OK && t)
		s = ndl_ckpt_writer_add(w, NDL_TOKENIZER_TENSOR, NDL_U8, 1, t->shape, t->data, err);
	if (s == NDL_OK) {
		ndl_ckpt_writer_set_packed(w, o->plain);
		s = ndl_ckpt_writer_finish(w, o->output, err);
	}
	ndl_ckpt_writer_free(w);
	return s;
}

static void report_text(const ndl_conversion *v)
{
	size_t bytes = 0, elements = 0;
	for (size_t i = 0; i < ndl_conversion_count(v); i++) {
		const ndl_convert_report *r = ndl_conversion_at(v, i);
		printf("%-4s -> %-4s %10zu bytes  rms %.5f  max %-9.3g %s\n", r->from, r->to, r->bytes, r->rms, r->worst,
		       r->name);
		bytes += r->bytes;
		elements += r->elements;
	}
	printf("%zu parameters in %zu bytes, %.2f bits each\n", elements, bytes, (double)bytes * 8 / (double)elements);
}

/* check: of --check, or NULL; borrowed. */
static ndl_status report_json(const ndl_conversion *v, json_t *check, ndl_error *err)
{
	json_t *tensors = json_array();
	ndl_buf line = NDL_BUF_INIT;
	size_t bytes = 0, elements = 0;
	for (size_t i = 0; i < ndl_conversion_count(v); i++) {
		const ndl_convert_report *r = ndl_conversion_at(v, i);
		json_array_append_new(tensors, json_pack("{s:s,s:s,s:s,s:I,s:f,s:f}", "name", r->name, "from", r->from, "to",
		                                         r->to, "bytes", (json_int_t)r->bytes, "rms", r->rms, "worst", r->worst));
		bytes += r->bytes;
		elements += r->elements;
	}
	json_t *out = json_pack("{s:I,s:I,s:o}", "parameters", (json_int_t)elements, "bytes", (json_int_t)bytes, "tensors",
	                        tensors);
	if (out && check)
		json_object_set(out, "check", check);
	ndl_json_write(&line, out, 0);
	ndl_status s = ndl_buf_check(&line, err);
	if (s == NDL_OK)
		puts(ndl_buf_cstr(&line));
	ndl_buf_clear(&line);
	json_decref(out);
	return s;
}

/* What --calibrate and --check need besides the options. */
typedef struct tools {
	ndl_exec *exec;
	ndl_tok *tok;
	ndl_calib *calib;
	ndl_conversion *conversion;
	ndl_lines *lines; /* of --check */
	json_t *check;
} tools;

/* The records of both options, before any work, and what they teach. */
static ndl_status prepare_records(const cli *c, const settings *o, const quantize_model *m, tools *t, ndl_error *err)
{
	ndl_buf list = NDL_BUF_INIT;
	json_t *json = o->tools ? ndl_json_load(o->tools, err) : NULL;
	if (o->tools && !json)
		return err->code;
	if (json)
		ndl_json_write(&list, json, 0);
	json_decref(json);
	ndl_status s = ndl_buf_check(&list, err);
	if (s == NDL_OK && o->check && !(t->lines = quantize_lines(c, o->check, list.data, err)))
		s = err->code;
	ndl_lines *lines = s == NDL_OK && o->calibrate ? quantize_lines(c, o->calibrate, list.data, err) : NULL;
	if (s == NDL_OK && o->calibrate && (!lines || !(t->calib = quantize_calibrate(c, m, t->tok, lines, o->calibrate, t->exec, err))))
		s = err->code;
	ndl_lines_free(lines);
	ndl_buf_clear(&list);
	return s;
}

static ndl_status prepare(const cli *c, const settings *o, quantize_model *m, tools *t, ndl_error *err)
{
	ndl_status s = settle_tokenizer(o, m, &t->tok, err);
	if (s != NDL_OK || (!o->calibrate && !o->check))
		return s;
	if (!t->tok) {
		s = ndl_fail(err, NDL_EINVAL, "no tokenizer, which %s needs: see --vocab", o->check ? "--check" : "--calibrate");
		ndl_error_at(err, m->path, 0);
		return s;
	}
	t->exec = ndl_exec_new(c->common.threads, getenv("NEEDLE_CPU"), err);
	if (!t->exec)
		return NDL_ENOMEM;
	return prepare_records(c, o, m, t, err);
}

static ndl_status convert_and_write(const cli *c, const settings *o, const quantize_model *m, tools *t, ndl_error *err)
{
	ndl_convert_options co = {
		.bits = o->bits, .embedding_bits = o->embedding_bits, .bf16 = o->bf16, .group = o->group,
		/* a plain tree is of one type, as upstream's; beside 4 bits 16 are enough */
		.vector_bits = o->plain && !o->bf16 ? o->bits : o->bits == 4 || o->plain ? 16 : 32,
		.embedding_group = o->embedding_group, .method = o->method, .calib = t->calib, .threads = c->common.threads,
	};
	t->conversion = ndl_convert(m->ckpt, &m->config, &co, err);
	if (!t->conversion) {
		ndl_error_at(err, m->path, 0);
		return err->code;
	}
	ndl_status s = write_model(o, m, t->conversion, err);
	if (t->exec)
		ndl_exec_set_precision(t->exec, o->precision);
	if (s == NDL_OK && o->check && !(t->check = quantize_check(c, m, o->output, t->lines, o->check, t->exec, err)))
		s = err->code;
	return s;
}

static int convert(const cli *c, const settings *o, const char *path)
{
	ndl_error err = NDL_ERROR_INIT;
	quantize_model m = {0};
	tools t = {0};
	ndl_status s = quantize_open(&m, path, o->prefix, &err);
	if (s == NDL_OK)
		s = ndl_outfile_check(o->output, &err);
	if (s == NDL_OK)
		s = prepare(c, o, &m, &t, &err);
	if (s == NDL_OK)
		s = convert_and_write(c, o, &m, &t, &err);
	if (s == NDL_OK && o->json) {
		s = report_json(t.conversion, t.check, &err);
	} else if (s == NDL_OK && !c->common.quiet) {
		report_text(t.conversion);
		if (t.check)
			quantize_check_print(t.check);
	}
	if (s != NDL_OK)
		cli_report(c, &err);
	else if (!o->plain && !t.tok)
		cli_warn(c, "%s has no tokenizer, which inference needs: see --vocab", o->output);
	json_decref(t.check);
	ndl_conversion_free(t.conversion);
	ndl_calib_free(t.calib);
	ndl_lines_free(t.lines);
	ndl_exec_free(t.exec);
	ndl_tok_free(t.tok);
	ndl_ckpt_close(m.ckpt);
	return s == NDL_OK ? CLI_OK : CLI_UNUSABLE;
}

/* Options --------------------------------------------------------------------------------- */

static int parse_bits(const cli *c, const char *option, const char *text)
{
	static const char *const choices[] = {"4", "8", "16", "32", NULL};
	static const int bits[] = {4, 8, 16, 32};
	return bits[cli_choice(c, option, text, choices)];
}

static void set_option(const cli *c, settings *o, int key, const char *arg)
{
	static const char *const groups[] = {"32", "64", "128", NULL}, *const methods[] = {"rtn", "mse", "gptq", NULL},
		*const targets[] = {"model", "safetensors", NULL}, *const precisions[] = {"f32", "int8", NULL};
	switch (key) {
	case 'o': o->output = arg; break;
	case KEY_BITS: o->bits = parse_bits(c, "--bits", arg); break;
	case KEY_EMBEDDING_BITS: o->embedding_bits = parse_bits(c, "--embedding-bits", arg); break;
	case KEY_BF16: o->bf16 = true; break;
	case KEY_GROUP: o->group = (size_t)32 << cli_choice(c, "--group", arg, groups); break;
	case KEY_METHOD: o->method = (ndl_quant_method)cli_choice(c, "--method", arg, methods); break;
	case KEY_EMBEDDING_GROUP: o->embedding_group = (size_t)32 << cli_choice(c, "--embedding-group", arg, groups); break;
	case KEY_CALIBRATE: o->calibrate = arg; break;
	case KEY_CHECK: o->check = arg; break;
	case 't': o->tools = arg; break;
	case KEY_PRECISION:
		o->precision = cli_choice(c, "--precision", arg, precisions) ? NDL_PRECISION_INT8 : NDL_PRECISION_F32;
		break;
	case KEY_VOCAB: o->vocab = arg; break;
	case KEY_TO: o->plain = cli_choice(c, "--to", arg, targets) == 1; break;
	case KEY_PREFIX: o->prefix = arg; break;
	case KEY_INFO: o->info = true; break;
	case KEY_DIFF: o->diff = true; break;
	case KEY_JSON: o->json = true; break;
	default: break;
	}
}

/* Where a report would end up inside the model: a device like /dev/null keeps neither. */
static bool is_stdout(const char *path)
{
	struct stat a, b;
	return stat(path, &a) == 0 && fstat(STDOUT_FILENO, &b) == 0 && !S_ISCHR(a.st_mode) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Combinations, and defaults that depend on one another. */
static void finish_options(const cli *c, settings *o, int operands)
{
	if (o->info && o->diff)
		cli_usage_error(c, "--info and --diff exclude one another");
	if (o->tools && !o->check && !o->calibrate)
		cli_usage_error(c, "--tools goes with --calibrate and --check");
	if (o->precision && !o->check)
		cli_usage_error(c, "--precision goes with --check");
	if ((o->info || o->diff) && (o->output || o->bits || o->embedding_bits || o->bf16 || o->vocab || o->plain ||
	                             o->calibrate || o->check))
		cli_usage_error(c, "%s writes no model: it goes with --json and --prefix only", o->info ? "--info" : "--diff");
	if (operands != (o->diff ? 2 : 1))
		cli_usage_error(c, "expected %s, found %d operands", o->diff ? "two model files" : "one input file", operands);
	if (o->info || o->diff)
		return;
	if (!o->output)
		cli_usage_error(c, "-o FILE is needed: where should the result go?");
	if (strcmp(o->output, "-") == 0)
		cli_usage_error(c, "a model file cannot be written to stdout");
	const char *const read[] = {o->vocab, o->calibrate, o->check, o->tools};
	for (size_t i = 0; i < sizeof read / sizeof *read; i++)
		cli_refuse_same(c, o->output, read[i]);
	if ((o->json || !c->common.quiet) && is_stdout(o->output))
		cli_usage_error(c, "-o %s: stdout is for the report, unless -q", o->output);
	if (!o->bits)
		o->bits = o->bf16 ? 16 : o->plain ? 32 : 4;
	if (!o->embedding_bits)
		o->embedding_bits = o->bits;
	if (o->bf16 && o->bits != 16 && o->embedding_bits != 16)
		cli_usage_error(c, "--bf16 goes with 16 bits");
	if (o->plain && (o->bits < 16 || o->embedding_bits < 16))
		cli_usage_error(c, "--to safetensors holds floats only: 16 or 32 bits");
	if ((o->method == NDL_QUANT_GPTQ) != (o->calibrate != NULL))
		cli_usage_error(c, "--method=gptq and --calibrate go together");
	if (o->plain && o->check)
		cli_usage_error(c, "--check runs the result, and --to safetensors writes no tokenizer");
	if (o->plain && o->vocab)
		cli_usage_error(c, "--to safetensors has no place for a tokenizer");
	if (o->calibrate || o->check)
		cli_check_cpu(c);
}

int main(int argc, char **argv)
{
	cli c = {
		.name = "needle-quantize",
		.usage = "needle-quantize [OPTION]… IN -o FILE\n"
		         "       needle-quantize --info [--json] FILE\n"
		         "       needle-quantize --diff [--json] A B\n",
		.summary = "Convert a model to another number format, show it, or compare two.",
		.examples = "  needle-quantize model.safetensors -o small.safetensors\n"
		            "  needle-quantize --vocab needle.model needle.pkl -o model.safetensors\n"
		            "  needle-quantize --method gptq --calibrate train.jsonl --check test.jsonl tuned.safetensors -o small.safetensors\n"
		            "  needle-quantize --to safetensors small.safetensors -o floats.safetensors\n"
		            "  needle-quantize --diff model.safetensors small.safetensors\n",
		.options = options,
	};
	settings o = {.group = 32, .embedding_group = 128};
	const char *arg;
	int key, at = 0;
	cli_init(&c);
	while ((key = cli_next(&c, argc, argv, &arg, &at)) != 0)
		set_option(&c, &o, key, arg);
	finish_options(&c, &o, argc - at);
	int status;
	if (o.info)
		status = quantize_info(&c, argv[at], o.prefix, o.json);
	else if (o.diff)
		status = quantize_diff(&c, argv[at], argv[at + 1], o.prefix, o.json);
	else
		status = convert(&c, &o, argv[at]);
	return cli_finish(&c, status);
}
