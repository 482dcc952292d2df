/* needle-finetune - trains a model, from scratch or from a model file.
 *
 * Reads examples {"query","tools","answers"} as JSON Lines, writes one model file. The state of
 * the run lies beside it (OUT.state) until it is done: killed at any moment, the same command
 * with --resume ends on the same bytes. See needle-finetune(1). */
#include "cmd/cli.h"
#include "cmd/finetune_score.h"
#include "cmd/train_log.h"
#include "data/dataset.h"
#include "train/run.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OPT_INIT = 256, OPT_VOCAB, OPT_EPOCHS, OPT_MAX_STEPS, OPT_BATCH, OPT_ACCUMULATE, OPT_LR, OPT_MUON_LR, OPT_WARMUP,
	OPT_DECAY, OPT_SCHEDULE, OPT_QAT, OPT_CW, OPT_CE, OPT_WEIGHTS, OPT_ENC, OPT_DEC, OPT_SEED, OPT_VAL, OPT_LOG, OPT_RESUME,
	OPT_CKPT, OPT_EVAL, OPT_PRECISION, OPT_HELDOUT, OPT_AVERAGE, OPT_STRICT, OPT_BUFFER,
	OPT_SCORE, OPT_LAYERS };

static const cli_option table[] = {
	{'o', "output", "FILE", "the trained model (needed)"},
	{OPT_INIT, "init", "CONFIG.json", "start from random weights of this shape (with --vocab)"},
	{OPT_VOCAB, "vocab", "FILE.model", "SentencePiece vocabulary for --init"},
	{OPT_LAYERS, "layers", "ENC,DEC", "grow the model to so many layers first; new ones do nothing yet"},
	{OPT_EPOCHS, "epochs", "N", "passes over the data [10; 1 for a stream]"},
	{OPT_MAX_STEPS, "max-steps", "N", "stop after N steps; lets stdin be endless"},
	{OPT_BATCH, "batch-size", "N", "examples a batch [32]"},
	{OPT_ACCUMULATE, "accumulate", "N", "batches a step [1]"},
	{OPT_LR, "lr", "X", "peak learning rate of AdamW [3e-5; 3e-4 with --init]"},
	{OPT_MUON_LR, "muon-lr", "X", "peak learning rate of Muon [0.002; 0.02 with --init]"},
	{OPT_SCHEDULE, "schedule", "NAME", "wsd or constant [wsd]"},
	{OPT_WARMUP, "warmup", "X", "share of the steps that warm up [0.05]"},
	{OPT_DECAY, "decay", "X", "share of the steps that decay [0.15]"},
	{OPT_AVERAGE, "average", "X", "decay of the parameters' running average, 0 for none [0]"},
	{OPT_QAT, "qat-every", "N", "every Nth step trains through INT4, 0 for none [100]"},
	{OPT_CE, "contrastive-every", "N", "every Nth step has the contrastive loss, 0 for none [10]"},
	{OPT_CW, "contrastive-weight", "X", "its weight [0.1]"},
	{OPT_WEIGHTS, "weights", "LIST", "loss by token class [structure=1,name=2,key=1.5,value=4]"},
	{OPT_ENC, "max-enc-len", "N", "longest prompt in tokens [as the model]"},
	{OPT_DEC, "max-dec-len", "N", "longest answer in tokens [as the model]"},
	{OPT_SEED, "seed", "N", "of initialisation and order [1]"},
	{OPT_BUFFER, "shuffle-buffer", "N", "examples that a stream is shuffled within [4096]"},
	{OPT_PRECISION, "precision", "NAME", "of matrix products: auto, f32 or bf16 [auto]"},
	{OPT_VAL, "val", "FILE", "validation examples [split off the data]"},
	{OPT_EVAL, "eval-every", "N", "validate every N steps, 0 only at the end [a tenth of the run]"},
	{OPT_SCORE, "score", "N", "held-out examples whose calls are scored at the end [200]"},
	{OPT_LOG, "log", "FILE.tsv", "write losses and speed, a line every few steps"},
	{OPT_CKPT, "checkpoint-every", "N", "save the state every N steps, 0 only at the end [200]"},
	{OPT_RESUME, "resume", NULL, "go on from the state of a run that was stopped"},
	{OPT_HELDOUT, "heldout", "FILE", "drop examples whose query hash is listed"},
	{OPT_STRICT, "strict", NULL, "stop at the first bad record instead of skipping it"},
	{0, NULL, NULL, NULL},
};

typedef struct options {
	const char *out, *init, *vocab, *val, *log, *heldout;
	const char *const *inputs;
	int n_inputs;
	long epochs, max_steps, batch, accumulate, qat, contrastive_every, max_enc, max_dec, eval_every, checkpoint_every,
	     buffer, score, enc_layers, dec_layers;
	double lr, muon_lr, warmup, decay, contrastive_weight, average;
	float weight[NDL_CLASS_COUNT];
	uint64_t seed;
	bool resume, strict, constant;
	int precision; /* 0 auto, 1 f32, 2 bf16 */
} options;

static cli app = {
	.name = "needle-finetune",
	.usage = "needle-finetune [-m BASE] [OPTION]... DATA.jsonl... -o MODEL\n"
	         "       needle-finetune --init CONFIG.json --vocab FILE.model [OPTION]... DATA.jsonl... -o MODEL\n",
	.summary = "Trains a model on examples of queries, tools and answers.",
	.examples = "  needle-finetune my.jsonl -o mine.safetensors --epochs 20\n"
	            "  needle-synth | needle-finetune --init small.json --vocab my.model --max-steps 10000 - -o new.safetensors\n",
	.options = table,
	.flags = CLI_TAKES_MODEL,
};

/* Options ------------------------------------------------------------------------------- */

static void parse_weights(float *weight, const char *text)
{
	static const char *const names[NDL_CLASS_COUNT + 1] = {
		[NDL_CLASS_STRUCTURE] = "structure", [NDL_CLASS_NAME] = "name",
		[NDL_CLASS_VALUE] = "value", [NDL_CLASS_KEY] = "key", [NDL_CLASS_COUNT] = NULL};
	char *copy = strdup(text), *save = NULL;
	for (char *item = copy ? strtok_r(copy, ",", &save) : NULL; item; item = strtok_r(NULL, ",", &save)) {
		char *eq = strchr(item, '=');
		if (!eq)
			cli_usage_error(&app, "--weights: expected CLASS=NUMBER, not '%s'", item);
		*eq = '\0';
		weight[cli_choice(&app, "--weights", item, names)] = (float)cli_double(&app, "--weights", eq + 1, 0, 1000);
	}
	free(copy);
}

static void parse_layers(options *o, const char *text)
{
	char first[16];
	const char *comma = strchr(text, ',');
	if (!comma || (size_t)(comma - text) >= sizeof first)
		cli_usage_error(&app, "--layers: expected ENC,DEC, not '%s'", text);
	memcpy(first, text, (size_t)(comma - text));
	first[comma - text] = '\0';
	o->enc_layers = cli_long(&app, "--layers", first, 1, 1024);
	o->dec_layers = cli_long(&app, "--layers", comma + 1, 1, 1024);
}

static void parse_options(options *o, int argc, char **argv)
{
	static const char *const schedules[] = {"wsd", "constant", NULL};
	static const char *const precisions[] = {"auto", "f32", "bf16", NULL};
	const char *arg;
	int key, first;
	const long most = 1000000000;
	*o = (options){.epochs = -1, .max_steps = -1, .batch = 32, .accumulate = 1, .qat = 100, .contrastive_every = 10,
	               .eval_every = -1, .checkpoint_every = 200, .score = 200, .lr = -1, .muon_lr = -1, .warmup = 0.05, .decay = 0.15,
	               .contrastive_weight = 0.1, .weight = {1, 2, 4, 1.5f}, .seed = 1};
	while ((key = cli_next(&app, argc, argv, &arg, &first)) != 0) {
		switch (key) {
		case 'o': o->out = arg; break;
		case OPT_INIT: o->init = arg; break;
		case OPT_VOCAB: o->vocab = arg; break;
		case OPT_LAYERS: parse_layers(o, arg); break;
		case OPT_EPOCHS: o->epochs = cli_long(&app, "--epochs", arg, 1, 1000000); break;
		case OPT_MAX_STEPS: o->max_steps = cli_long(&app, "--max-steps", arg, 0, most); break;
		case OPT_BATCH: o->batch = cli_long(&app, "--batch-size", arg, 1, 65536); break;
		case OPT_ACCUMULATE: o->accumulate = cli_long(&app, "--accumulate", arg, 1, 65536); break;
		case OPT_LR: o->lr = cli_double(&app, "--lr", arg, 0, 10); break;
		case OPT_MUON_LR: o->muon_lr = cli_double(&app, "--muon-lr", arg, 0, 10); break;
		case OPT_SCHEDULE: o->constant = cli_choice(&app, "--schedule", arg, schedules) == 1; break;
		case OPT_WARMUP: o->warmup = cli_double(&app, "--warmup", arg, 0, 1); break;
		case OPT_DECAY: o->decay = cli_double(&app, "--decay", arg, 0, 1); break;
		case OPT_AVERAGE: o->average = cli_double(&app, "--average", arg, 0, 0.999999); break;
		case OPT_QAT: o->qat = cli_long(&app, "--qat-every", arg, 0, most); break;
		case OPT_CE: o->contrastive_every = cli_long(&app, "--contrastive-every", arg, 0, most); break;
		case OPT_CW: o->contrastive_weight = cli_double(&app, "--contrastive-weight", arg, 0, 1000); break;
		case OPT_WEIGHTS: parse_weights(o->weight, arg); break;
		case OPT_ENC: o->max_enc = cli_long(&app, "--max-enc-len", arg, 8, 65536); break;
		case OPT_DEC: o->max_dec = cli_long(&app, "--max-dec-len", arg, 8, 65536); break;
		case OPT_SEED: o->seed = (uint64_t)cli_long(&app, "--seed", arg, 0, most); break;
		case OPT_BUFFER: o->buffer = cli_long(&app, "--shuffle-buffer", arg, 1, 1000000); break;
		case OPT_PRECISION: o->precision = cli_choice(&app, "--precision", arg, precisions); break;
		case OPT_VAL: o->val = arg; break;
		case OPT_EVAL: o->eval_every = cli_long(&app, "--eval-every", arg, 0, most); break;
		case OPT_SCORE: o->score = cli_long(&app, "--score", arg, 0, most); break;
		case OPT_LOG: o->log = arg; break;
		case OPT_CKPT: o->checkpoint_every = cli_long(&app, "--checkpoint-every", arg, 0, most); break;
		case OPT_RESUME: o->resume = true; break;
		case OPT_HELDOUT: o->heldout = arg; break;
		case OPT_STRICT: o->strict = true; break;
		}
	}
	o->inputs = (const char *const *)argv + first;
	o->n_inputs = argc - first;
	if (!o->out)
		cli_usage_error(&app, "no output file: give -o MODEL");
	if (o->n_inputs == 0)
		cli_usage_error(&app, "no training data: name JSON Lines files, or - for standard input");
	if (o->init && !o->vocab)
		cli_usage_error(&app, "--init needs --vocab");
	if (o->vocab && !o->init)
		cli_usage_error(&app, "--vocab goes with --init: a model file has its vocabulary inside");
	if (o->init && o->enc_layers)
		cli_usage_error(&app, "--layers grows a model; the shape of a new one stands in --init");
	for (int i = 0; i < o->n_inputs; i++)
		if (strcmp(o->inputs[i], "-") == 0 && o->n_inputs > 1)
			cli_usage_error(&app, "- must be the only input");
	if (o->lr < 0)
		o->lr = o->init ? 3e-4 : 3e-5;
	if (o->muon_lr < 0)
		o->muon_lr = o->init ? 0.02 : 0.002;
}

/* The parts of a job --------------------------------------------------------------------- */

typedef struct job {
	options o;
	ndl_config config;
	ndl_ckpt *base;      /* NULL with --init */
	ndl_tok *tok;
	ndl_exec *x;
	ndl_heldout *heldout;
	ndl_lines *lines, *val_lines;
	ndl_split split;
	ndl_dataset *train;
	ndl_run *run;
	train_log log;
	char *state_path;
	uint64_t total;      /* steps */
	bool stream;
} job;

static volatile sig_atomic_t stop_signal;

static void on_signal(int sig)
{
	stop_signal = sig;
}

static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigemptyset(&a.sa_mask);
	a.sa_flags = (int)SA_RESETHAND; /* a second signal ends at once */
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
}

static void report_record(void *user, const ndl_error *err)
{
	(void)user;
	cli_report(&app, err);
}

/* The layers that --layers asks for. */
static ndl_status grow(job *j, ndl_error *err)
{
	ndl_config *c = &j->config;
	if (!j->o.enc_layers)
		return NDL_OK;
	if (j->o.enc_layers < c->num_encoder_layers || j->o.dec_layers < c->num_decoder_layers)
		return ndl_fail(err, NDL_EINVAL, "the model has %d encoder and %d decoder layers: --layers can only add to them",
		                c->num_encoder_layers, c->num_decoder_layers);
	c->num_encoder_layers = (int)j->o.enc_layers;
	c->num_decoder_layers = (int)j->o.dec_layers;
	return NDL_OK;
}

static ndl_status open_base(job *j, ndl_error *err)
{
	if (j->o.init) {
		ndl_status status = ndl_config_load(&j->config, j->o.init, err);
		if (status == NDL_OK && !(j->tok = ndl_tok_load(j->o.vocab, err)))
			status = err->code;
		if (status == NDL_OK && (size_t)j->config.vocab_size != ndl_tok_size(j->tok))
			status = ndl_fail(err, NDL_EINVAL, "%s: vocab_size is %d, but %s has %zu pieces", j->o.init,
			                  j->config.vocab_size, j->o.vocab, ndl_tok_size(j->tok));
		return status;
	}
	const char *path = cli_model_path(&app, err);
	if (!path || !(j->base = ndl_ckpt_open(path, err)))
		return err->code;
	ndl_status status = ndl_config_from_ckpt(&j->config, j->base, err);
	if (status == NDL_OK)
		status = ndl_ckpt_check(j->base, &j->config, err);
	if (status == NDL_OK)
		status = grow(j, err);
	const ndl_tensor *vocab = ndl_ckpt_find(j->base, NDL_TOKENIZER_TENSOR);
	if (status == NDL_OK && !vocab)
		status = ndl_fail(err, NDL_EFORMAT, "no tokenizer in the model file");
	if (status == NDL_OK && !(j->tok = ndl_tok_new(vocab->data, vocab->bytes, err)))
		status = err->code;
	if (status != NDL_OK)
		ndl_error_at(err, path, 0);
	return status;
}

static ndl_status open_exec(job *j, ndl_error *err)
{
	j->x = ndl_exec_new(app.common.threads, getenv("NEEDLE_CPU"), err);
	if (!j->x)
		return err->code;
	bool fast = ndl_exec_has_fast_bf16(j->x);
	bool bf16 = j->o.precision == 2 || (j->o.precision == 0 && fast);
	ndl_exec_set_precision(j->x, bf16 ? NDL_PRECISION_BF16 : NDL_PRECISION_F32);
	cli_verbose(&app, "matrix products in %s, %d threads", bf16 ? "bfloat16" : "float32", ndl_exec_threads(j->x));
	return NDL_OK;
}

static ndl_status load_lines(job *j, ndl_lines **lines, const char *const *paths, int n, ndl_error *err)
{
	ndl_lines_options lo = {.heldout = j->heldout, .strict = j->o.strict, .report = report_record,
	                        .threads = ndl_exec_threads(j->x)};
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

static ndl_dataset_options train_options(const job *j)
{
	return (ndl_dataset_options){
		.batch_size = (size_t)j->o.batch, .seed = j->o.seed, .max_enc_len = j->config.max_enc_len,
		.max_dec_len = j->config.max_dec_len, .pairs = j->o.contrastive_every > 0 && j->config.contrastive_dim > 0,
		.heldout = j->heldout, .strict = j->o.strict, .report = report_record, .threads = ndl_exec_threads(j->x),
		.shuffle_buffer = (size_t)j->o.buffer};
}

/* Data in memory is split for validation; stdin with --max-steps (and no --epochs) is a stream
 * that may be endless, and is not held. */
static ndl_status open_data(job *j, ndl_error *err)
{
	ndl_status status = NDL_OK;
	if (j->o.max_enc)
		j->config.max_enc_len = (int)j->o.max_enc;
	if (j->o.max_dec)
		j->config.max_dec_len = (int)j->o.max_dec;
	if (j->o.heldout && !(j->heldout = ndl_heldout_load(j->o.heldout, err)))
		return err->code;
	j->stream = strcmp(j->o.inputs[0], "-") == 0 && j->o.max_steps >= 0 && j->o.epochs < 0;
	if (j->o.val)
		status = load_lines(j, &j->val_lines, &j->o.val, 1, err);
	ndl_dataset_options d = train_options(j);
	if (j->stream) {
		d.path = "-";
	} else if (status == NDL_OK) {
		status = load_lines(j, &j->lines, j->o.inputs, j->o.n_inputs, err);
		d.lines = j->lines;
		if (status == NDL_OK && !j->o.val)
			status = ndl_lines_split(&j->split, j->lines, 0, j->o.seed, err);
		if (status == NDL_OK && j->split.n[NDL_TRAIN] > 0) {
			d.subset = j->split.part[NDL_TRAIN];
			d.n_subset = j->split.n[NDL_TRAIN];
		}
	}
	if (status != NDL_OK)
		return status;
	j->train = ndl_dataset_open(&d, j->tok, &j->config, err);
	return j->train ? NDL_OK : err->code;
}

static void plan_steps(job *j)
{
	uint64_t per_step = (uint64_t)j->o.batch * (uint64_t)j->o.accumulate, rows = ndl_dataset_rows(j->train);
	uint64_t epochs = j->o.epochs > 0 ? (uint64_t)j->o.epochs : 10;
	if (!j->stream)
		j->total = (rows * epochs + per_step - 1) / per_step;
	if (j->o.max_steps >= 0 && (j->stream || j->o.epochs < 0 || (uint64_t)j->o.max_steps < j->total))
		j->total = (uint64_t)j->o.max_steps;
	if (j->o.eval_every < 0)
		j->o.eval_every = (long)(j->total / 10 ? j->total / 10 : 1);
}

static ndl_status open_run(job *j, ndl_error *err)
{
	const options *o = &j->o;
	ndl_run_options r = NDL_RUN_DEFAULTS;
	plan_steps(j);
	memcpy(r.loss.class_weight, o->weight, sizeof r.loss.class_weight);
	r.loss.contrastive_weight = (float)o->contrastive_weight;
	r.optimiser.adam_lr = o->lr;
	r.optimiser.muon_lr = o->muon_lr;
	r.schedule = (ndl_schedule){j->total, o->constant ? 0 : (uint64_t)(o->warmup * (double)j->total),
	                            o->constant ? 0 : (uint64_t)(o->decay * (double)j->total), 0.05};
	r.seed = o->seed;
	r.qat_every = (uint64_t)o->qat;
	r.contrastive_every = (uint64_t)o->contrastive_every;
	r.accumulate = (uint64_t)o->accumulate;
	r.average = o->average;
	j->run = ndl_run_new(&r, &j->config, j->base, j->tok, j->train, j->x, err);
	return j->run ? NDL_OK : err->code;
}

/* Options of ours, beyond the run's own, that a resumed run must share. */
static ndl_status with_state(job *j, bool load, ndl_error *err)
{
	char batch[24], buffer[24], rows[24];
	snprintf(batch, sizeof batch, "%ld", j->o.batch);
	snprintf(buffer, sizeof buffer, "%ld", j->stream ? j->o.buffer : -1);
	snprintf(rows, sizeof rows, "%zu", ndl_dataset_rows(j->train));
	const char *extra[] = {"option.batch_size", batch, "option.shuffle_buffer", buffer, "option.rows", rows, NULL};
	return load ? ndl_run_load(j->run, j->state_path, extra, err) : ndl_run_save(j->run, j->state_path, extra, err);
}

static ndl_status maybe_resume(job *j, ndl_error *err)
{
	size_t n = strlen(j->o.out) + sizeof ".state";
	j->state_path = malloc(n);
	if (!j->state_path)
		return ndl_fail_nomem(err, "file name");
	snprintf(j->state_path, n, "%s.state", j->o.out);
	bool exists = access(j->state_path, F_OK) == 0;
	if (!j->o.resume) {
		if (exists)
			cli_warn(&app, "%s: state of an earlier run is replaced (--resume would go on from it)", j->state_path);
		return NDL_OK;
	}
	if (!exists) {
		cli_warn(&app, "%s: no state to resume from; starting anew", j->state_path);
		return NDL_OK;
	}
	ndl_status status = with_state(j, true, err);
	if (status == NDL_OK)
		cli_warn(&app, "resuming after step %llu", (unsigned long long)ndl_run_steps(j->run));
	return status;
}

/* Running -------------------------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool has_validation(const job *j)
{
	return j->val_lines || (j->lines && j->split.n[NDL_VAL] > 0);
}

/* Loss on the validation rows (part NDL_VAL) or the test rows of the split. */
static ndl_status validate(job *j, int part, ndl_loss *loss, ndl_error *err)
{
	ndl_dataset_options d = train_options(j);
	d.lines = j->val_lines ? j->val_lines : j->lines;
	if (!j->val_lines) {
		d.subset = j->split.part[part];
		d.n_subset = j->split.n[part];
	}
	d.in_order = d.as_given = true;
	d.pairs = false;
	d.epochs = 1;
	ndl_dataset *data = ndl_dataset_open(&d, j->tok, &j->config, err);
	if (!data)
		return err->code;
	ndl_status status = ndl_run_evaluate(j->run, data, loss, err);
	ndl_dataset_close(data);
	return status;
}

static void announce(const job *j)
{
	if (app.common.quiet)
		return;
	fprintf(stderr, "%s: %zu parameters, %llu steps of %ld examples", app.name, ndl_run_parameters(j->run),
	        (unsigned long long)j->total, j->o.batch * j->o.accumulate);
	if (j->lines)
		fprintf(stderr, "; %zu rows for training, %zu for validation, %zu for the test", ndl_dataset_rows(j->train),
		        j->val_lines ? ndl_lines_count(j->val_lines) : j->split.n[NDL_VAL], j->split.n[NDL_TEST]);
	fputc('\n', stderr);
	size_t few = 0;
	for (size_t i = 0; i < j->split.n_tools; i++)
		few += j->split.tools[i].name[0] && j->split.tools[i].rows < NDL_FEW_ROWS;
	if (few)
		cli_warn(&app, "%zu of %zu tools have under %d examples: expect their arguments to suffer", few,
		         j->split.n_tools, NDL_FEW_ROWS);
}

/* A line of the log, at times with a validation. */
static ndl_status note(job *j, const ndl_step_report *r, train_window *w, ndl_error *err)
{
	ndl_loss val = {0};
	bool end = r->step == j->total;
	bool eval = has_validation(j) && (end || (j->o.eval_every && r->step % (uint64_t)j->o.eval_every == 0));
	if (eval) {
		ndl_status status = validate(j, NDL_VAL, &val, err);
		if (status != NDL_OK)
			return status;
		cli_verbose(&app, "step %llu: validation loss %.4f, token accuracy %.4f", (unsigned long long)r->step, val.ce,
		            val.tokens ? (double)val.correct / (double)val.tokens : 0.0);
	}
	if (!eval && !end && r->step % 20 != 0)
		return NDL_OK;
	ndl_status status = train_log_line(&j->log, r->step, w, r->lr_factor, eval ? &val : NULL, err);
	*w = (train_window){0};
	return status;
}

/* Steps until the end, a signal or an error. */
static ndl_status loop(job *j, ndl_error *err)
{
	ndl_step_report r;
	train_window w = {0};
	double before = now_s();
	int rc = 0;
	while (!stop_signal && (rc = ndl_run_step(j->run, &r, err)) > 0) {
		double now = now_s();
		char text[80];
		train_window_add(&w, &r, now - before);
		before = now;
		snprintf(text, sizeof text, "loss %.3f, accuracy %.3f", r.loss.total,
		         r.loss.tokens ? (double)r.loss.correct / (double)r.loss.tokens : 0.0);
		cli_progress(&app, r.step, j->total, text);
		ndl_status status = note(j, &r, &w, err);
		if (status == NDL_OK && j->o.checkpoint_every && r.step % (uint64_t)j->o.checkpoint_every == 0)
			status = with_state(j, false, err);
		if (status != NDL_OK)
			return status;
	}
	cli_progress_end(&app);
	return rc < 0 ? (ndl_status)rc : NDL_OK;
}

/* Base against tuned on rows that neither trained on: the test part, or the --val file. */
static ndl_status score(job *j, ndl_error *err)
{
	const ndl_lines *lines = j->val_lines ? j->val_lines : j->lines;
	size_t have = j->val_lines ? ndl_lines_count(j->val_lines) : j->split.n[NDL_TEST];
	size_t n = have < (size_t)j->o.score ? have : (size_t)j->o.score;
	if (n == 0)
		return NDL_OK;
	size_t *first = NULL;
	if (j->val_lines) {
		first = malloc(n * sizeof *first);
		if (!first)
			return ndl_fail_nomem(err, "row numbers");
		for (size_t i = 0; i < n; i++)
			first[i] = i;
	}
	ndl_status status = finetune_score(lines, first ? first : j->split.part[NDL_TEST], n,
	                                   j->base ? cli_model_path(&app, err) : NULL, j->o.out, app.common.threads, err);
	free(first);
	return status;
}

static ndl_status finish(job *j, ndl_error *err)
{
	ndl_status status = train_log_close(&j->log, err);
	if (status == NDL_OK)
		status = ndl_run_write_model(j->run, j->o.out, err);
	if (status != NDL_OK)
		return status;
	unlink(j->state_path); /* nothing left to resume */
	return score(j, err);
}

static int train(job *j, ndl_error *err)
{
	ndl_status status = maybe_resume(j, err);
	if (status == NDL_OK)
		status = train_log_open(&j->log, j->o.log, ndl_run_steps(j->run), err);
	if (status != NDL_OK)
		return status;
	announce(j);
	catch_signals();
	status = loop(j, err);
	if (status != NDL_OK)
		return status;
	if (stop_signal) {
		status = with_state(j, false, err);
		if (status == NDL_OK)
			cli_warn(&app, "stopped after step %llu; the same command with --resume goes on",
			         (unsigned long long)ndl_run_steps(j->run));
		return status == NDL_OK ? 1 : status;
	}
	if (ndl_run_steps(j->run) < j->total)
		cli_warn(&app, "the data ended after %llu of %llu steps", (unsigned long long)ndl_run_steps(j->run),
		         (unsigned long long)j->total);
	return finish(j, err);
}

static void close_job(job *j)
{
	ndl_error ignored;
	train_log_close(&j->log, &ignored);
	free(j->state_path);
	ndl_run_free(j->run);
	ndl_dataset_close(j->train);
	ndl_split_clear(&j->split);
	ndl_lines_free(j->val_lines);
	ndl_lines_free(j->lines);
	ndl_heldout_free(j->heldout);
	ndl_exec_free(j->x);
	ndl_tok_free(j->tok);
	ndl_ckpt_close(j->base);
}

int main(int argc, char **argv)
{
	static job j;
	ndl_error err = NDL_ERROR_INIT;
	cli_init(&app);
	parse_options(&j.o, argc, argv);
	int rc = open_base(&j, &err);
	if (rc == NDL_OK)
		rc = open_exec(&j, &err);
	if (rc == NDL_OK)
		rc = open_data(&j, &err);
	if (rc == NDL_OK)
		rc = open_run(&j, &err);
	if (rc == NDL_OK)
		rc = train(&j, &err);
	if (rc < 0)
		cli_report(&app, &err);
	close_job(&j);
	return cli_finish(&app, rc < 0 ? CLI_UNUSABLE : rc > 0 ? CLI_NEGATIVE : CLI_OK);
}
