#include "cmd/finetune_data.h"

#include "base/mem.h"
#include "grammar/grammar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void report_record(void *user, const ndl_error *err)
{
	cli_report(user, err);
}

/* The list must be one that training can read: said once, not for every row. */
static ndl_status load_tools(finetune_data *d, ndl_error *err)
{
	if (!d->o->tools)
		return NDL_OK;
	json_t *list = ndl_json_load(d->o->tools, err);
	if (!list)
		return err->code;
	ndl_tools *tools = ndl_tools_new(list, NDL_TOOLS_LENIENT, err);
	ndl_json_write(&d->tools, list, 0);
	json_decref(list);
	if (!tools) {
		ndl_error_at(err, d->o->tools, 0);
		return err->code;
	}
	ndl_tools_free(tools);
	cli_note(d->app, err, d->o->tools);
	return ndl_buf_check(&d->tools, err);
}

/* Whether decoding could ever write this answer: what the grammar refuses must not be taught. A
 * tool list that has no grammar is no fault of the row: training is lenient there. */
static ndl_status check_decodable(const ndl_record *r, ndl_error *err)
{
	ndl_error ignored = NDL_ERROR_INIT;
	ndl_answer answer = {0};
	ndl_gstate state;
	const ndl_grammar_options o = {.bare = true};
	ndl_grammar *g = ndl_grammar_new(r->tools, &o, &ignored);
	ndl_status status = g ? ndl_answer_render(&answer, r, err) : NDL_OK;
	if (g && status == NDL_OK) {
		ndl_gstate_init(&state, g);
		if (!ndl_gstate_bytes(&state, answer.text.data, answer.text.len) || !ndl_gstate_done(&state))
			status = ndl_fail(err, NDL_EINVAL, "answers: not what the tools' grammar can write: %.120s", answer.text.data);
	}
	ndl_answer_clear(&answer);
	ndl_grammar_free(g);
	return status;
}

static ndl_status load_lines(const finetune_data *d, ndl_lines **lines, const char *const *paths, int n,
                             const ndl_heldout *heldout, ndl_error *err)
{
	ndl_lines_options lo = {.heldout = heldout, .tools = d->tools.data, .check = check_decodable,
	                        .strict = d->o->strict, .report = report_record, .report_user = (void *)(uintptr_t)d->app,
	                        .threads = d->threads};
	*lines = ndl_lines_new(err);
	if (!*lines)
		return err->code;
	for (int i = 0; i < n; i++) {
		ndl_status status = ndl_lines_load(*lines, paths[i], &lo, err);
		if (status != NDL_OK)
			return status;
	}
	if (ndl_lines_count(*lines) == 0)
		return ndl_fail(err, NDL_EINVAL, "%s: no usable examples", strcmp(paths[0], "-") ? paths[0] : "<stdin>");
	return NDL_OK;
}

static ndl_dataset_options train_options(const finetune_data *d)
{
	return (ndl_dataset_options){
		.batch_size = (size_t)d->o->batch, .seed = d->o->seed, .max_enc_len = d->config.max_enc_len,
		.max_dec_len = d->config.max_dec_len, .pairs = d->o->contrastive_every > 0 && d->config.contrastive_dim > 0,
		.heldout = d->heldout, .tools = d->tools.data, .strict = d->o->strict, .report = report_record,
		.report_user = (void *)(uintptr_t)d->app, .threads = d->threads, .shuffle_buffer = (size_t)d->o->buffer,
		.as_given = d->o->keep_order, .loosen = d->o->loosen};
}

static void use_train_rows(const finetune_data *d, ndl_dataset_options *to)
{
	to->lines = d->lines;
	to->subset = d->rows;
	to->n_subset = d->n_rows;
	to->curriculum = (uint64_t)d->o->curriculum;
}

/* How often a row comes in an epoch: weight 2.5 is twice, and of every second row three times. */
static size_t copies(double weight, uint64_t seed, size_t row)
{
	ndl_rng die;
	double whole = floor(weight);
	ndl_rng_seed(&die, seed, row);
	return (size_t)whole + ((double)(ndl_rng_u64(&die) >> 11) * 0x1p-53 < weight - whole);
}

/* The rows of the training part (all with --val), repeated by weight. */
static ndl_status weigh_rows(finetune_data *d, ndl_error *err)
{
	bool all = d->o->val != NULL;
	size_t n = all ? ndl_lines_count(d->lines) : d->split.n[NDL_TRAIN], cap = 0;
	for (size_t i = 0; i < n; i++) {
		size_t row = all ? i : d->split.part[NDL_TRAIN][i], times = copies(d->o->share[ndl_lines_file(d->lines, row)], d->o->seed, row);
		if (ndl_grow(&d->rows, &cap, d->n_rows + times + 1, sizeof *d->rows) < 0)
			return ndl_fail_nomem(err, "training rows");
		for (size_t k = 0; k < times; k++)
			d->rows[d->n_rows++] = row;
	}
	return d->n_rows ? NDL_OK : ndl_fail(err, NDL_EINVAL, "the weights leave no example to train on");
}

static ndl_status open_held(finetune_data *d, ndl_error *err)
{
	ndl_status status = load_lines(d, &d->lines, d->o->inputs, d->o->n_inputs, d->heldout, err);
	if (status == NDL_OK) /* with --val only for what is told of the tools */
		status = ndl_lines_split(&d->split, d->lines, 0, d->o->seed, err);
	return status == NDL_OK ? weigh_rows(d, err) : status;
}

static bool is_pipe(const char *path)
{
	struct stat st;
	return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && S_ISFIFO(st.st_mode));
}

/* Pipes may be endless; files are read whole. */
static bool all_pipes(const cli *app, const finetune_options *o)
{
	int pipes = 0;
	for (int i = 0; i < o->n_inputs; i++)
		pipes += is_pipe(o->inputs[i]);
	for (int i = 0; i < o->n_inputs && pipes < o->n_inputs; i++)
		if (is_pipe(o->inputs[i]))
			cli_warn(app, "%s is read to its end, for not all inputs are pipes: give files as <(cat FILE)", o->inputs[i]);
	return pipes == o->n_inputs;
}

ndl_status finetune_data_open(finetune_data *d, const cli *app, const finetune_options *o, const ndl_tok *tok,
                              const ndl_config *config, int threads, ndl_error *err)
{
	*d = (finetune_data){.o = o, .app = app, .tok = tok, .config = *config, .threads = threads};
	if (o->max_enc)
		d->config.max_enc_len = (int)o->max_enc;
	if (o->max_dec)
		d->config.max_dec_len = (int)o->max_dec;
	if (o->heldout && !(d->heldout = ndl_heldout_load(o->heldout, err)))
		return err->code;
	d->stream = o->max_steps >= 0 && o->epochs < 0 && all_pipes(app, o);
	ndl_status status = load_tools(d, err);
	if (status == NDL_OK && o->val)
		status = load_lines(d, &d->val_lines, &o->val, 1, NULL, err);
	if (status == NDL_OK && !d->stream)
		status = open_held(d, err);
	if (status != NDL_OK)
		return status;
	ndl_dataset_options t = train_options(d);
	if (d->stream) {
		t.path = o->inputs;
		t.n_paths = (size_t)o->n_inputs;
		t.share = o->share;
	} else {
		use_train_rows(d, &t);
	}
	d->train = ndl_dataset_open(&t, tok, &d->config, err);
	return d->train ? NDL_OK : err->code;
}

void finetune_data_close(finetune_data *d)
{
	ndl_dataset_close(d->train);
	ndl_split_clear(&d->split);
	ndl_lines_free(d->val_lines);
	ndl_lines_free(d->lines);
	free(d->rows);
	ndl_heldout_free(d->heldout);
	ndl_buf_clear(&d->tools);
}

size_t finetune_data_part(const finetune_data *d, int part, const ndl_lines **lines, const size_t **rows)
{
	*lines = d->val_lines ? d->val_lines : d->lines;
	*rows = d->val_lines ? NULL : d->split.part[part];
	return d->val_lines ? ndl_lines_count(d->val_lines) : d->split.n[part];
}

ndl_dataset *finetune_data_part_batches(const finetune_data *d, int part, ndl_error *err)
{
	ndl_dataset_options o = train_options(d);
	o.n_subset = finetune_data_part(d, part, &o.lines, &o.subset);
	o.in_order = o.as_given = true;
	o.pairs = false;
	o.heldout = NULL;
	o.epochs = 1;
	return ndl_dataset_open(&o, d->tok, &d->config, err);
}

/* Telling -------------------------------------------------------------------------------- */

enum { SHOWN_TOOLS = 20, SCANNED_ROWS = 20000, FEW_STEPS = 100, FEW_HELD_OUT = 20 };

static void tell_tools(const finetune_data *d)
{
	const ndl_split *s = &d->split;
	fprintf(stderr, "  %8s%s  tool called first\n", "training", d->val_lines ? "" : "   valid.     test");
	for (size_t i = 0; i < s->n_tools && i < SHOWN_TOOLS; i++) {
		const struct ndl_split_tool *t = &s->tools[i];
		if (d->val_lines) /* nothing is split off */
			fprintf(stderr, "  %8zu", t->rows);
		else
			fprintf(stderr, "  %8zu %8zu %8zu", t->n[NDL_TRAIN], t->n[NDL_VAL], t->n[NDL_TEST]);
		fputs("  ", stderr);
		cli_put_clean(stderr, t->name[0] ? t->name : "(no call)");
		fputc('\n', stderr);
	}
	if (s->n_tools > SHOWN_TOOLS)
		fprintf(stderr, "  %26s  and %zu more\n", "", s->n_tools - SHOWN_TOOLS);
}

/* One pass over the training rows, or over as many as will do, drawn at random: what became of them. */
static ndl_status scan(const finetune_data *d, ndl_dataset_counts *counts, ndl_error *err)
{
	ndl_dataset_options o = train_options(d);
	ndl_dataset_state state;
	ndl_batch b;
	use_train_rows(d, &o);
	o.as_given = true;
	o.curriculum = 0;
	o.pairs = false;
	o.epochs = 1;
	o.batch_size = 256;
	ndl_dataset *data = ndl_dataset_open(&o, d->tok, &d->config, err);
	if (!data)
		return err->code;
	int rc;
	do {
		rc = ndl_dataset_next(data, &b, err);
		ndl_dataset_position(data, &state);
	} while (rc > 0 && state.counts.rows < SCANNED_ROWS);
	ndl_dataset_close(data);
	*counts = state.counts;
	return rc < 0 ? (ndl_status)rc : NDL_OK;
}

static void tell_fit(const finetune_data *d, const ndl_dataset_counts *c)
{
	double n = c->examples ? (double)c->examples : 1;
	fprintf(stderr, "  %.1f%% are refusals; %.0f prompt tokens and %.0f answer tokens on average%s\n",
	        100 * (double)c->refusals / n, (double)c->enc_tokens / n, (double)c->dec_tokens / n,
	        c->rows >= SCANNED_ROWS ? ", in a sample of them" : "");
	if (c->tools_left_out + c->query_cut)
		fprintf(stderr, "  truncated: %llu prompts lose tools that are not called, %llu queries are cut at the %d tokens of "
		        "--max-enc-len\n", (unsigned long long)c->tools_left_out, (unsigned long long)c->query_cut,
		        d->config.max_enc_len);
	if (c->too_long_dec + c->too_long_enc)
		cli_warn(d->app, "%llu rows are dropped: %llu answers over %d tokens, %llu prompts whose called tools do not fit into %d",
		         (unsigned long long)(c->too_long_dec + c->too_long_enc), (unsigned long long)c->too_long_dec,
		         d->config.max_dec_len, (unsigned long long)c->too_long_enc, d->config.max_enc_len);
}

static void warn_of_few(const finetune_data *d)
{
	char names[160] = "";
	size_t few = 0, used = 0;
	for (size_t i = 0; i < d->split.n_tools; i++) {
		const struct ndl_split_tool *t = &d->split.tools[i];
		if (!t->name[0] || t->rows >= NDL_FEW_ROWS)
			continue;
		int n = few++ < 3 ? snprintf(names + used, sizeof names - used, "%s%.40s", used ? ", " : "", t->name) : 0;
		used += n > 0 ? (size_t)n : 0;
	}
	if (few)
		cli_warn(d->app, "%zu tools have under %d examples (%s%s): expect their arguments to suffer", few, NDL_FEW_ROWS, names,
		         few > 3 ? ", ..." : "");
}

ndl_status finetune_data_tell(const finetune_data *d, uint64_t steps, ndl_error *err)
{
	const ndl_lines *lines;
	const size_t *rows;
	uint64_t per_step = (uint64_t)d->o->batch * (uint64_t)d->o->accumulate;
	if (d->app->common.quiet)
		return NDL_OK;
	if (d->lines) {
		size_t held_out = finetune_data_part(d, NDL_VAL, &lines, &rows), train = ndl_dataset_rows(d->train);
		ndl_dataset_counts counts = {0};
		ndl_status status = scan(d, &counts, err);
		if (status != NDL_OK)
			return status;
		fprintf(stderr, "  %zu examples for training, %.1f steps an epoch; %zu for validation, %zu for the test; "
		        "%zu bad rows, %zu held out\n",
		        train, (double)train / (double)per_step, held_out, d->val_lines ? held_out : d->split.n[NDL_TEST],
		        ndl_lines_bad(d->lines), ndl_lines_heldout(d->lines));
		if (d->split.n_tools)
			tell_tools(d);
		tell_fit(d, &counts);
		if (counts.refusals == 0)
			cli_warn(d->app, "no example refuses (\"answers\":[]): the model will learn to call a tool whatever is said");
		if (held_out < FEW_HELD_OUT)
			cli_warn(d->app, "%zu examples for validation say little about the model", held_out);
		warn_of_few(d);
	}
	if (steps > 0 && steps < FEW_STEPS)
		cli_warn(d->app, "%llu steps are few: see --epochs, or a smaller --batch-size", (unsigned long long)steps);
	return NDL_OK;
}

void finetune_data_tell_stream(const finetune_data *d)
{
	ndl_dataset_state s;
	if (!d->stream)
		return;
	ndl_dataset_position(d->train, &s);
	const ndl_dataset_counts *c = &s.counts;
	if (c->bad + c->held_out + c->too_long_dec + c->too_long_enc)
		cli_warn(d->app, "of %llu rows %llu were bad and %llu held out; %llu answers over %d tokens, %llu prompts whose called tools "
		         "do not fit into %d", (unsigned long long)c->rows, (unsigned long long)c->bad, (unsigned long long)c->held_out,
		         (unsigned long long)c->too_long_dec, d->config.max_dec_len, (unsigned long long)c->too_long_enc,
		         d->config.max_enc_len);
}
