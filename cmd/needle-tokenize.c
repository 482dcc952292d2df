/* needle-tokenize - text lines to token ids and back; trains vocabularies.
 *
 * Reads lines of text (or of ids, with --decode), writes one line for each: what spm_encode and
 * spm_decode write for the same vocabulary. --train reads text and writes a SentencePiece .model.
 * The manual is needle-tokenize(1). */
#include "cmd/cli.h"

#include "base/outfile.h"
#include "base/reader.h"
#include "checkpoint/checkpoint.h"
#include "json/json.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/train.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_PIECES = 256, KEY_JSON, KEY_COUNT, KEY_VOCAB, KEY_PLAIN, KEY_STRICT,
	KEY_TRAIN, KEY_SIZE, KEY_COVERAGE, KEY_LENGTH, KEY_DIGITS, KEY_SPACES };

static const cli_option options[] = {
	{KEY_PIECES, "pieces", NULL, "write the pieces instead of their ids"},
	{KEY_JSON, "json", NULL, "write {\"ids\":[...],\"pieces\":[...]}; with -d {\"text\":...}"},
	{KEY_COUNT, "count", NULL, "write the number of tokens of each line"},
	{'d', "decode", NULL, "ids, or what --json wrote, to text"},
	{KEY_PLAIN, "plain", NULL, "<tools> and <tool_call> in the text are text, not symbols"},
	{KEY_STRICT, "strict", NULL, "stop at the first line that cannot be converted"},
	{KEY_VOCAB, "vocab", "FILE", "SentencePiece .model, or its list, to use instead of a model file's"},
	{KEY_TRAIN, "train", NULL, "learn a vocabulary from lines of text"},
	{'o', "output", "FILE", "with --train: where to write the .model"},
	{KEY_SIZE, "vocab-size", "N", "with --train: number of pieces [8192]"},
	{KEY_COVERAGE, "coverage", "X", "with --train: share of the characters that become pieces [0.9995]"},
	{KEY_LENGTH, "max-piece-length", "N", "with --train: longest piece in characters [16]"},
	{KEY_DIGITS, "split-digits", NULL, "with --train: each digit is a piece of its own"},
	{KEY_SPACES, "split-spaces", NULL, "with --train: a space is a piece of its own"},
	{0, NULL, NULL, NULL},
};

enum mode { MODE_IDS, MODE_PIECES, MODE_JSON, MODE_COUNT };

typedef struct job {
	cli c;
	enum mode mode;
	bool decode, strict, train;
	const char *output;
	ndl_tok_train_options training;
	int encode_flags;
	const char *vocab;
	ndl_tok *tok;
	ndl_ids ids;
	ndl_buf out, text;
} job;

/* One line ---------------------------------------------------------------------------- */

static void write_ids(ndl_buf *out, const ndl_ids *ids, int separator)
{
	for (size_t i = 0; i < ids->len; i++) {
		char digits[12];
		int n = 0;
		if (i)
			ndl_buf_byte(out, separator);
		for (uint32_t v = (uint32_t)ids->id[i]; v || n == 0; v /= 10)
			digits[n++] = (char)('0' + v % 10);
		while (n)
			ndl_buf_byte(out, digits[--n]);
	}
}

static void write_pieces(job *j)
{
	for (size_t i = 0; i < j->ids.len; i++) {
		size_t len;
		const char *piece = ndl_tok_piece(j->tok, j->ids.id[i], &len);
		if (i)
			ndl_buf_byte(&j->out, ' ');
		ndl_buf_add(&j->out, piece, len);
	}
}

static void write_json(job *j)
{
	ndl_buf_str(&j->out, "{\"ids\":[");
	write_ids(&j->out, &j->ids, ',');
	ndl_buf_str(&j->out, "],\"pieces\":[");
	for (size_t i = 0; i < j->ids.len; i++) {
		size_t len;
		const char *piece = ndl_tok_piece(j->tok, j->ids.id[i], &len);
		if (i)
			ndl_buf_byte(&j->out, ',');
		ndl_json_write_string(&j->out, piece, len, 0);
	}
	ndl_buf_str(&j->out, "]}");
}

static ndl_status encode_line(job *j, const char *line, size_t len, ndl_error *err)
{
	j->ids.len = 0;
	ndl_status status = ndl_tok_encode(j->tok, &j->ids, line, len, j->encode_flags, err);
	if (status != NDL_OK)
		return status;
	switch (j->mode) {
	case MODE_IDS: write_ids(&j->out, &j->ids, ' '); break;
	case MODE_PIECES: write_pieces(j); break;
	case MODE_JSON: write_json(j); break;
	case MODE_COUNT: ndl_buf_printf(&j->out, "%zu", j->ids.len); break;
	}
	return NDL_OK;
}

static ndl_status parse_ids(job *j, const char *line, ndl_error *err)
{
	const char *at = line + strspn(line, " \t\r");
	while (*at) {
		char *end;
		errno = 0;
		long v = strtol(at, &end, 10);
		if (end == at || errno || v < 0 || v > INT32_MAX || (*end && !strchr(" \t\r", *end))) {
			int n = (int)strcspn(at, " \t\r");
			return ndl_fail(err, NDL_EFORMAT, "column %zu: '%.*s' is not a token id",
			                (size_t)(at - line) + 1, n < 40 ? n : 40, at);
		}
		if (ndl_ids_push(&j->ids, (int32_t)v, err) != NDL_OK)
			return NDL_ENOMEM;
		at = end + strspn(end, " \t\r");
	}
	return NDL_OK;
}

/* [1,2] or {"ids":[1,2],...} */
static ndl_status parse_json_ids(job *j, const char *line, size_t len, ndl_error *err)
{
	ndl_status status = NDL_OK;
	json_t *value = ndl_json_parse(line, len, err);
	if (!value)
		return NDL_EFORMAT;
	json_t *list = json_is_object(value) ? json_object_get(value, "ids") : value;
	if (!json_is_array(list))
		status = ndl_fail(err, NDL_EFORMAT, "expected ids, a list of ids or an object with \"ids\"");
	for (size_t i = 0; status == NDL_OK && i < json_array_size(list); i++) {
		json_t *id = json_array_get(list, i);
		json_int_t v = json_integer_value(id);
		if (!json_is_integer(id) || v < 0 || v > INT32_MAX)
			status = ndl_fail(err, NDL_EFORMAT, "ids[%zu] is not a token id", i);
		else
			status = ndl_ids_push(&j->ids, (int32_t)v, err);
	}
	json_decref(value);
	return status;
}

static ndl_status decode_line(job *j, const char *line, size_t len, ndl_error *err)
{
	j->ids.len = 0;
	const char *first = line + strspn(line, " \t");
	if (strlen(line) != len)
		return ndl_fail(err, NDL_EFORMAT, "a NUL byte among the ids");
	ndl_status status = *first == '{' || *first == '[' ? parse_json_ids(j, line, len, err)
	                                                   : parse_ids(j, line, err);
	if (status != NDL_OK)
		return status;
	if (j->mode != MODE_JSON)
		return ndl_tok_decode(j->tok, &j->out, j->ids.id, j->ids.len, err);
	ndl_buf_reset(&j->text);
	status = ndl_tok_decode(j->tok, &j->text, j->ids.id, j->ids.len, err);
	if (status != NDL_OK)
		return status;
	ndl_buf_str(&j->out, "{\"text\":");
	ndl_json_write_string(&j->out, ndl_buf_cstr(&j->text), j->text.len, 0);
	ndl_buf_byte(&j->out, '}');
	return NDL_OK;
}

/* Files ------------------------------------------------------------------------------- */

/* A pipe or terminal wants each line at once; a file is faster without that. */
static bool is_live(const char *path)
{
	struct stat st;
	int rc = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(path, &st);
	return rc < 0 || !S_ISREG(st.st_mode);
}

/* A line that cannot be done becomes an empty line, so that the others keep their numbers. */
static int bad_line(job *j, const ndl_reader *in, ndl_error *err)
{
	ndl_error_at(err, ndl_reader_name(in), ndl_reader_lineno(in));
	err->line = ndl_reader_lineno(in);
	cli_report(&j->c, err);
	ndl_buf_reset(&j->out);
	if (j->mode != MODE_JSON)
		return CLI_NEGATIVE;
	ndl_buf_printf(&j->out, "{\"error\":{\"line\":%zu,\"message\":", err->line);
	ndl_json_write_string(&j->out, err->text, strlen(err->text), 0);
	ndl_buf_str(&j->out, "}}");
	return CLI_NEGATIVE;
}

static int run_file(job *j, const char *path)
{
	ndl_error err = NDL_ERROR_INIT;
	int status = CLI_OK, got;
	bool live = is_live(path);
	const char *line;
	size_t len;
	cli_stdin_hint(&j->c, path);
	ndl_reader *in = ndl_reader_open(path, &err);
	if (!in) {
		cli_report(&j->c, &err);
		return CLI_UNUSABLE;
	}
	ndl_reader_keep_cr(in);
	while (!cli_stdout_failed() && (got = ndl_reader_line(in, &line, &len, &err)) != 0) {
		if (got < 0 && err.code != NDL_ELIMIT) {
			cli_report(&j->c, &err);
			status = CLI_UNUSABLE;
			break;
		}
		ndl_buf_reset(&j->out);
		ndl_status rc = got < 0 ? err.code : j->decode ? decode_line(j, line, len, &err)
		                                               : encode_line(j, line, len, &err);
		if (rc == NDL_OK)
			rc = ndl_buf_check(&j->out, &err);
		if (rc != NDL_OK)
			status = bad_line(j, in, &err);
		if (rc != NDL_OK && j->strict)
			break;
		ndl_buf_byte(&j->out, '\n');
		fwrite(j->out.data, 1, j->out.len, stdout);
		if (live)
			fflush(stdout);
		err = (ndl_error)NDL_ERROR_INIT;
	}
	ndl_reader_close(in);
	return status;
}

/* Training ---------------------------------------------------------------------------- */

static void show_progress(void *user, size_t done, size_t total)
{
	cli_progress(user, done, total, "pieces");
}

static ndl_status write_model(const job *j, ndl_error *err)
{
	ndl_outfile o = {0};
	ndl_status status = ndl_outfile_open(&o, j->output, err);
	if (status != NDL_OK)
		return status;
	fwrite(j->out.data, 1, j->out.len, o.f); /* commit looks at the stream's error flag */
	return ndl_outfile_commit(&o, err);
}

static ndl_status train(job *j, char **files, int n, ndl_error *err)
{
	ndl_status status = ndl_outfile_check(j->output, err);
	ndl_tok_trainer *tr = status == NDL_OK ? ndl_tok_trainer_new(&j->training, err) : NULL;
	if (!tr)
		return err->code;
	for (int i = 0; (i < n || i == 0) && status == NDL_OK; i++) {
		const char *path = n ? files[i] : "-";
		cli_stdin_hint(&j->c, path);
		status = ndl_tok_trainer_add_file(tr, path, err);
	}
	if (status == NDL_OK)
		status = ndl_tok_trainer_finish(tr, &j->out, err);
	cli_progress_end(&j->c);
	ndl_tok_trainer_free(tr);
	return status == NDL_OK ? write_model(j, err) : status;
}

/* Options and main -------------------------------------------------------------------- */

static ndl_tok *vocabulary_of_model(const char *path, ndl_error *err)
{
	ndl_tok *t = NULL;
	ndl_ckpt *ckpt = ndl_ckpt_open(path, err);
	if (!ckpt)
		return NULL;
	const ndl_tensor *tensor = ndl_ckpt_find(ckpt, NDL_TOKENIZER_TENSOR);
	if (!tensor)
		ndl_fail(err, NDL_ENOTFOUND, "this model file holds no vocabulary; give one with --vocab");
	else
		t = ndl_tok_new(tensor->data, tensor->bytes, err);
	if (!t)
		ndl_error_at(err, path, 0);
	ndl_ckpt_close(ckpt);
	return t;
}

static ndl_tok *open_vocabulary(const job *j, ndl_error *err)
{
	if (j->vocab)
		return ndl_tok_load(j->vocab, err);
	const char *path = cli_model_path(&j->c, err);
	return path ? vocabulary_of_model(path, err) : NULL;
}

static void set_mode(job *j, enum mode mode)
{
	if (j->mode != MODE_IDS && j->mode != mode)
		cli_usage_error(&j->c, "only one of --pieces, --json and --count can be given");
	j->mode = mode;
}

static int parse_options(job *j, int argc, char **argv)
{
	ndl_tok_train_options *o = &j->training;
	const char *arg;
	int key, first;
	while ((key = cli_next(&j->c, argc, argv, &arg, &first)) != 0) {
		switch (key) {
		case KEY_PIECES: set_mode(j, MODE_PIECES); break;
		case KEY_JSON: set_mode(j, MODE_JSON); break;
		case KEY_COUNT: set_mode(j, MODE_COUNT); break;
		case KEY_PLAIN: j->encode_flags |= NDL_TOK_PLAIN; break;
		case KEY_STRICT: j->strict = true; break;
		case KEY_VOCAB: j->vocab = arg; break;
		case 'd': j->decode = true; break;
		case KEY_TRAIN: j->train = true; break;
		case 'o': j->output = arg; break;
		case KEY_SIZE: o->vocab_size = (size_t)cli_long(&j->c, "--vocab-size", arg, 263, 1 << 20); break;
		case KEY_COVERAGE: o->coverage = cli_double(&j->c, "--coverage", arg, 0.01, 1); break;
		case KEY_LENGTH: o->max_piece_chars = (int)cli_long(&j->c, "--max-piece-length", arg, 1, 64); break;
		case KEY_DIGITS: o->split_digits = true; break;
		case KEY_SPACES: o->split_spaces = true; break;
		}
	}
	if (j->decode && (j->mode == MODE_PIECES || j->mode == MODE_COUNT))
		cli_usage_error(&j->c, "--decode goes with --json only");
	if (j->train != (j->output != NULL))
		cli_usage_error(&j->c, "--train and --output go together");
	if (!j->train && (o->vocab_size || o->coverage > 0 || o->max_piece_chars || o->split_digits || o->split_spaces))
		cli_usage_error(&j->c, "--vocab-size, --coverage, --max-piece-length, --split-digits and --split-spaces need --train");
	if (j->train && (j->decode || j->mode != MODE_IDS || j->vocab || j->strict || j->encode_flags))
		cli_usage_error(&j->c, "--train cannot be combined with --vocab, --decode, --pieces, --json, --count, --plain or --strict");
	for (int i = first; i < argc; i++)
		cli_refuse_same(&j->c, j->output, argv[i]);
	return first;
}

static int convert(job *j, char **files, int n, ndl_error *err)
{
	int status = CLI_OK;
	j->tok = open_vocabulary(j, err);
	if (!j->tok) {
		cli_report(&j->c, err);
		return CLI_UNUSABLE;
	}
	for (int i = 0; i < n || i == 0; i++) {
		int s = run_file(j, n ? files[i] : "-");
		status = s > status ? s : status;
		if (status != CLI_OK && j->strict)
			break;
	}
	return status;
}

int main(int argc, char **argv)
{
	static const char usage[] =
		"needle-tokenize [OPTION]... [FILE]...\n"
		"       needle-tokenize --train [OPTION]... [FILE]... -o OUT.model\n";
	static const char summary[] =
		"Turns lines of text into token ids, and back, as spm_encode and spm_decode do.\n"
		"--train learns a vocabulary (a SentencePiece .model) from text. No FILE, or -: standard input.\n";
	static const char examples[] =
		"  echo 'set an alarm for 7' | needle-tokenize --pieces\n"
		"  needle-tokenize notes.txt | needle-tokenize --decode\n"
		"  needle-tokenize --train notes.txt -o notes.model --vocab-size 1000\n"
		"  needle-tokenize --vocab notes.model --count notes.txt\n";
	job j = {.c = {.name = "needle-tokenize", .usage = usage, .summary = summary, .examples = examples,
	               .options = options, .flags = CLI_TAKES_MODEL}};
	ndl_error err = NDL_ERROR_INIT;
	int status = CLI_OK;
	cli_init(&j.c);
	j.training.progress = show_progress;
	j.training.user = &j.c;
	int first = parse_options(&j, argc, argv);
	if (!j.train) {
		status = convert(&j, argv + first, argc - first, &err);
	} else if (train(&j, argv + first, argc - first, &err) != NDL_OK) {
		cli_report(&j.c, &err);
		status = CLI_UNUSABLE;
	}
	ndl_ids_clear(&j.ids);
	ndl_buf_clear(&j.out);
	ndl_buf_clear(&j.text);
	ndl_tok_free(j.tok);
	return cli_finish(&j.c, status);
}
