#include "cmd/finetune_options.h"
#include "cmd/engine.h"

#include "train/params.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_INIT = 256, OPT_VOCAB, OPT_EPOCHS, OPT_MAX_STEPS, OPT_BATCH, OPT_ACCUMULATE, OPT_LR, OPT_MUON_LR, OPT_WARMUP,
	OPT_DECAY, OPT_SCHEDULE, OPT_QAT, OPT_QAT_EMBEDDING, OPT_QAT_GROUP, OPT_QAT_EMBEDDING_GROUP, OPT_CW,
	OPT_CE, OPT_ZW, OPT_CLIP, OPT_WEIGHT_DECAY, OPT_KEEP_ORDER, OPT_LOOSEN,
	OPT_WEIGHTS, OPT_ENC, OPT_DEC, OPT_SEED, OPT_VAL, OPT_LOG, OPT_RESUME, OPT_CKPT, OPT_EVAL, OPT_PRECISION, OPT_HELDOUT, OPT_AVERAGE,
	OPT_STRICT, OPT_BUFFER, OPT_SCORE, OPT_VAL_CALLS, OPT_LAYERS, OPT_WIDTH, OPT_DUMP, OPT_CURRICULUM, OPT_LORA, OPT_FREEZE,
	OPT_TEACHER, OPT_TEACHER_WEIGHT, OPT_TEACHER_TEMPERATURE };

const cli_option finetune_table[] = {
	{'o', "output", "FILE", "the trained model (needed)"},
	{'t', "tools", "FILE", "tool list of rows that have none of their own"},
	{OPT_INIT, "init", "CONFIG.json", "start from random weights of this shape (with --vocab)"},
	{OPT_VOCAB, "vocab", "FILE.model", "SentencePiece vocabulary for --init"},
	{OPT_LAYERS, "layers", "ENC,DEC", "grow the model to so many layers first; new ones do nothing yet"},
	{OPT_WIDTH, "d-model", "N", "grow the model first to this width, a multiple of its own"},
	{OPT_EPOCHS, "epochs", "N", "passes over the data [10, or as --max-steps says; 1 for a stream]"},
	{OPT_MAX_STEPS, "max-steps", "N", "stop after N steps; lets stdin be endless"},
	{OPT_BATCH, "batch-size", "N", "examples a batch [32]"},
	{OPT_ACCUMULATE, "accumulate", "N", "batches a step [1]"},
	{OPT_LR, "lr", "X", "peak learning rate of AdamW [3e-5; 3e-4 with --init; 1e-3 with --lora-rank]"},
	{OPT_MUON_LR, "muon-lr", "X", "peak learning rate of Muon [0.002; 0.02 with --init]"},
	{OPT_WEIGHT_DECAY, "weight-decay", "X", "share of each matrix that Muon takes away, times the rate [0.01]"},
	{OPT_CLIP, "clip-norm", "X", "longest gradient, 0 for any [1]"},
	{OPT_SCHEDULE, "schedule", "NAME", "wsd or constant [wsd]"},
	{OPT_WARMUP, "warmup", "X", "share of the steps that warm up [0.05]"},
	{OPT_DECAY, "decay", "X", "share of the steps that decay [0.15]"},
	{OPT_AVERAGE, "average", "X", "decay of the parameters' running average, 0 for none [0]"},
	{OPT_QAT, "qat-every", "N", "every Nth step trains through INT4, 0 for none [100]"},
	{OPT_QAT_EMBEDDING, "qat-embedding", NULL, "in these steps the embedding, too"},
	{OPT_QAT_GROUP, "qat-group", "32|64|128", "inputs of a kernel that share a scale in these steps [32]"},
	{OPT_QAT_EMBEDDING_GROUP, "qat-embedding-group", "32|64|128", "inputs of the embedding that do [128]"},
	{OPT_CE, "contrastive-every", "N", "every Nth step has the contrastive loss, 0 for none [10]"},
	{OPT_CW, "contrastive-weight", "X", "its weight [0.1]"},
	{OPT_ZW, "z-weight", "X", "weight of the squared log-partition, 0 for none [1e-4]"},
	{OPT_WEIGHTS, "weights", "LIST", "loss by token class [structure=1,name=2,key=1.5,value=4]"},
	{OPT_ENC, "max-enc-len", "N", "longest prompt in tokens [as the model]"},
	{OPT_DEC, "max-dec-len", "N", "longest answer in tokens [as the model]"},
	{OPT_LORA, "lora-rank", "N", "train low-rank additions to the matrices alone, 0 for all [0]"},
	{OPT_FREEZE, "freeze", "LIST", "parts that stay: embedding,encoder,decoder,contrastive"},
	{OPT_TEACHER, "teacher-model", "FILE", "learn from this model's probabilities too; it has the same vocabulary"},
	{OPT_TEACHER_WEIGHT, "teacher-weight", "X", "its share of the loss, 0 to 1 [0.5]"},
	{OPT_TEACHER_TEMPERATURE, "teacher-temperature", "X", "temperature at which the two are compared [2]"},
	{OPT_CURRICULUM, "curriculum", "N", "in the first N epochs short examples come before long ones [0]"},
	{OPT_KEEP_ORDER, "keep-order", NULL, "show tools and parameters as they are given, not shuffled"},
	{OPT_LOOSEN, "loosen", "X", "share of the examples in which required arguments are shown as optional [0]"},
	{OPT_SEED, "seed", "N", "of initialisation and order [1]"},
	{OPT_BUFFER, "shuffle-buffer", "N", "examples that a stream is shuffled within [4096]"},
	{OPT_PRECISION, "precision", "NAME", "of matrix products: auto, f32 or bf16 [auto]"},
	{OPT_VAL, "val", "FILE", "validation examples [split off the data]"},
	{OPT_EVAL, "eval-every", "N", "validate every N steps, 0 only at the end [a tenth of the run]"},
	{OPT_VAL_CALLS, "val-calls", "N", "of these, make the calls of N each time [100; 0 with --init]"},
	{OPT_SCORE, "score", "N", "held-out examples whose calls are scored at the end [200]"},
	{OPT_LOG, "log", "FILE.tsv", "write losses and speed, a line every few steps"},
	{OPT_CKPT, "checkpoint-every", "N", "save the state every N steps, 0 only when stopped [200]"},
	{OPT_RESUME, "resume", NULL, "go on from the state of a run that was stopped"},
	{OPT_DUMP, "dump-tokens", "FILE", "write the batches as token ids to FILE (- is stdout) instead of training"},
	{OPT_HELDOUT, "heldout", "FILE", "drop examples whose query hash is listed"},
	{OPT_STRICT, "strict", NULL, "stop at the first bad record instead of skipping it"},
	{0, NULL, NULL, NULL},
};

static void parse_weights(const cli *app, float *weight, const char *text)
{
	static const char *const names[NDL_CLASS_COUNT + 1] = {
		[NDL_CLASS_STRUCTURE] = "structure", [NDL_CLASS_NAME] = "name",
		[NDL_CLASS_VALUE] = "value", [NDL_CLASS_KEY] = "key", [NDL_CLASS_COUNT] = NULL};
	char *copy = strdup(text), *save = NULL;
	for (char *item = copy ? strtok_r(copy, ",", &save) : NULL; item; item = strtok_r(NULL, ",", &save)) {
		char *eq = strchr(item, '=');
		if (!eq)
			cli_usage_error(app, "--weights: expected CLASS=NUMBER, not '%s'", item);
		*eq = '\0';
		weight[cli_choice(app, "--weights", item, names)] = (float)cli_double(app, "--weights", eq + 1, 0, 1000);
	}
	free(copy);
}

static void parse_layers(const cli *app, finetune_options *o, const char *text)
{
	char first[16];
	const char *comma = strchr(text, ',');
	if (!comma || (size_t)(comma - text) >= sizeof first)
		cli_usage_error(app, "--layers: expected ENC,DEC, not '%s'", text);
	memcpy(first, text, (size_t)(comma - text));
	first[comma - text] = '\0';
	o->enc_layers = cli_long(app, "--layers", first, 1, 1024);
	o->dec_layers = cli_long(app, "--layers", comma + 1, 1, 1024);
}

static unsigned parse_parts(const cli *app, const char *text)
{
	static const char *const names[] = {"embedding", "encoder", "decoder", "contrastive", NULL};
	char *copy = strdup(text), *save = NULL;
	unsigned parts = 0;
	for (char *item = copy ? strtok_r(copy, ",", &save) : NULL; item; item = strtok_r(NULL, ",", &save))
		parts |= 1u << cli_choice(app, "--freeze", item, names);
	free(copy);
	return parts;
}

/* The files that a run keeps beside its model and removes, which a user may want to begin another run with. */
static void refuse_kept(const cli *app, const char *out, const char *in)
{
	static const char *const kept[] = {".state", ".best", ".trial"};
	char path[PATH_MAX];
	for (size_t i = 0; out && i < sizeof kept / sizeof *kept; i++)
		if ((size_t)snprintf(path, sizeof path, "%s%s", out, kept[i]) < sizeof path)
			cli_refuse_same(app, path, in);
}

/* What is read must not be what is written. */
static void refuse_outputs(const cli *app, const finetune_options *o, const char *in)
{
	cli_refuse_same(app, o->out, in);
	cli_refuse_same(app, o->log, in);
	cli_refuse_same(app, o->dump, in);
	refuse_kept(app, o->out, in);
}

/* "FILE" or "FILE=WEIGHT"; a file that has such a name is that file. */
static void parse_inputs(const cli *app, finetune_options *o, char **operand, int n)
{
	o->n_inputs = n;
	o->inputs = calloc((size_t)n + 1, sizeof *o->inputs);
	o->share = calloc((size_t)n + 1, sizeof *o->share);
	if (!o->inputs || !o->share)
		cli_usage_error(app, "out of memory");
	for (int i = 0; i < n; i++) {
		char *eq = strrchr(operand[i], '=');
		o->inputs[i] = operand[i];
		o->share[i] = 1;
		if (!eq || access(operand[i], F_OK) == 0)
			continue;
		o->share[i] = cli_double(app, operand[i], eq + 1, 0.001, 1000);
		*eq = '\0';
	}
}

/* What is said, in *o; the index of the first operand. */
static int read_options(cli *app, finetune_options *o, int argc, char **argv)
{
	static const char *const schedules[] = {"wsd", "constant", NULL};
	static const char *const groups[] = {"32", "64", "128", NULL};
	static const char *const precisions[] = {"auto", "f32", "bf16", NULL};
	const char *arg;
	int key, first;
	const long most = 1000000000;
	while ((key = cli_next(app, argc, argv, &arg, &first)) != 0) {
		switch (key) {
		case 'o': o->out = arg; break;
		case 't': o->tools = arg; break;
		case OPT_INIT: o->init = arg; break;
		case OPT_VOCAB: o->vocab = arg; break;
		case OPT_LAYERS: parse_layers(app, o, arg); break;
		case OPT_WIDTH: o->d_model = cli_long(app, "--d-model", arg, 1, 65536); break;
		case OPT_EPOCHS: o->epochs = cli_long(app, "--epochs", arg, 1, 1000000); break;
		case OPT_MAX_STEPS: o->max_steps = cli_long(app, "--max-steps", arg, 0, most); break;
		case OPT_BATCH: o->batch = cli_long(app, "--batch-size", arg, 1, 65536); break;
		case OPT_ACCUMULATE: o->accumulate = cli_long(app, "--accumulate", arg, 1, 65536); break;
		case OPT_LR: o->lr = cli_double(app, "--lr", arg, 0, 10); break;
		case OPT_MUON_LR: o->muon_lr = cli_double(app, "--muon-lr", arg, 0, 10); break;
		case OPT_SCHEDULE: o->constant = cli_choice(app, "--schedule", arg, schedules) == 1; break;
		case OPT_WARMUP: o->warmup = cli_double(app, "--warmup", arg, 0, 1); break;
		case OPT_DECAY: o->decay = cli_double(app, "--decay", arg, 0, 1); break;
		case OPT_AVERAGE: o->average = cli_double(app, "--average", arg, 0, 0.999999); break;
		case OPT_QAT: o->qat = cli_long(app, "--qat-every", arg, 0, most); break;
		case OPT_QAT_EMBEDDING: o->qat_embedding = true; break;
		case OPT_QAT_GROUP: o->qat_group = (size_t)32 << cli_choice(app, "--qat-group", arg, groups); break;
		case OPT_QAT_EMBEDDING_GROUP:
			o->qat_embedding_group = (size_t)32 << cli_choice(app, "--qat-embedding-group", arg, groups);
			break;
		case OPT_CE: o->contrastive_every = cli_long(app, "--contrastive-every", arg, 0, most); break;
		case OPT_CW: o->contrastive_weight = cli_double(app, "--contrastive-weight", arg, 0, 1000); break;
		case OPT_ZW: o->z_weight = cli_double(app, "--z-weight", arg, 0, 1000); break;
		case OPT_WEIGHT_DECAY: o->weight_decay = cli_double(app, "--weight-decay", arg, 0, 1000); break;
		case OPT_CLIP: o->clip_norm = cli_double(app, "--clip-norm", arg, 0, 1e9); break;
		case OPT_KEEP_ORDER: o->keep_order = true; break;
		case OPT_LOOSEN: o->loosen = cli_double(app, "--loosen", arg, 0, 1); break;
		case OPT_WEIGHTS: parse_weights(app, o->weight, arg); break;
		case OPT_ENC: o->max_enc = cli_long(app, "--max-enc-len", arg, 8, 65536); break;
		case OPT_DEC: o->max_dec = cli_long(app, "--max-dec-len", arg, 8, 65536); break;
		case OPT_LORA: o->lora_rank = cli_long(app, "--lora-rank", arg, 0, 1024); break;
		case OPT_FREEZE: o->freeze = parse_parts(app, arg); break;
		case OPT_TEACHER: o->teacher = arg; break;
		case OPT_TEACHER_WEIGHT: o->teacher_weight = cli_double(app, "--teacher-weight", arg, 0, 1); break;
		case OPT_TEACHER_TEMPERATURE: o->teacher_temperature = cli_double(app, "--teacher-temperature", arg, 0.1, 100); break;
		case OPT_CURRICULUM: o->curriculum = cli_long(app, "--curriculum", arg, 0, most); break;
		case OPT_SEED: o->seed = (uint64_t)cli_long(app, "--seed", arg, 0, most); break;
		case OPT_BUFFER: o->buffer = cli_long(app, "--shuffle-buffer", arg, 1, 1000000); break;
		case OPT_PRECISION: o->precision = cli_choice(app, "--precision", arg, precisions); break;
		case OPT_VAL: o->val = arg; break;
		case OPT_EVAL: o->eval_every = cli_long(app, "--eval-every", arg, 0, most); break;
		case OPT_VAL_CALLS: o->val_calls = cli_long(app, "--val-calls", arg, 0, most); break;
		case OPT_SCORE: o->score = cli_long(app, "--score", arg, 0, most); break;
		case OPT_LOG: o->log = arg; break;
		case OPT_CKPT: o->checkpoint_every = cli_long(app, "--checkpoint-every", arg, 0, most); break;
		case OPT_DUMP: o->dump = arg; break;
		case OPT_RESUME: o->resume = true; break;
		case OPT_HELDOUT: o->heldout = arg; break;
		case OPT_STRICT: o->strict = true; break;
		}
	}
	return first;
}

/* Combinations that cannot mean anything. */
static void check_options(const cli *app, const finetune_options *o)
{
	if (o->dump && o->out)
		cli_usage_error(app, "--dump-tokens trains no model: leave out -o");
	if (!o->out && !o->dump)
		cli_usage_error(app, "no output file: give -o MODEL");
	if (o->out && strcmp(o->out, "-") == 0)
		cli_usage_error(app, "a model file cannot be written to stdout");
	if (o->log && strcmp(o->log, "-") == 0)
		cli_usage_error(app, "--log needs a file: stdout is for the scores");
	const char *const read[] = {o->val, o->tools, o->init, o->vocab, o->teacher, o->heldout};
	for (int i = 0; i < o->n_inputs; i++)
		refuse_outputs(app, o, o->inputs[i]);
	for (size_t i = 0; i < sizeof read / sizeof *read; i++)
		refuse_outputs(app, o, read[i]);
	cli_refuse_same(app, o->log, app->common.model);
	cli_refuse_same(app, o->dump, app->common.model);
	refuse_kept(app, o->out, app->common.model);
	cli_refuse_clash(app, "--log", o->log, "-o", o->out);
	if (o->n_inputs == 0)
		cli_usage_error(app, "no training data: name JSON Lines files, or - for standard input");
	if (o->init && !o->vocab)
		cli_usage_error(app, "--init needs --vocab");
	if (o->vocab && !o->init)
		cli_usage_error(app, "--vocab goes with --init: a model file has its vocabulary inside");
	if (o->init && (o->enc_layers || o->d_model))
		cli_usage_error(app, "%s grows a model; the shape of a new one stands in --init", o->enc_layers ? "--layers" : "--d-model");
	if (!o->teacher && (o->teacher_weight >= 0 || o->teacher_temperature >= 0))
		cli_usage_error(app, "--teacher-weight and --teacher-temperature need --teacher-model");
	if (o->qat_embedding_group && !o->qat_embedding)
		cli_usage_error(app, "--qat-embedding-group needs --qat-embedding");
	if (o->loosen > 0 && o->keep_order)
		cli_usage_error(app, "--loosen changes tools, which --keep-order shows as they are given");
	const unsigned trained = o->lora_rank ? NDL_PART_ENCODER | NDL_PART_DECODER : NDL_PART_ALL;
	if ((o->freeze & trained) == trained)
		cli_usage_error(app, "--freeze leaves nothing to train");
	for (int i = 0; i < o->n_inputs; i++)
		if (strcmp(o->inputs[i], "-") == 0 && o->n_inputs > 1)
			cli_usage_error(app, "- must be the only input: give pipes names, as with <(...)");
}

/* What depends on other options where it is not said. */
static void set_defaults(finetune_options *o)
{
	if (o->lr < 0)
		o->lr = o->lora_rank ? 1e-3 : o->init ? 3e-4 : 3e-5;
	if (o->val_calls < 0)
		o->val_calls = o->init ? 0 : 100; /* the calls of a model that knows nothing are long */
	if (!o->qat_embedding_group)
		o->qat_embedding_group = 128;
	if (o->teacher_weight < 0)
		o->teacher_weight = 0.5;
	if (o->teacher_temperature < 0)
		o->teacher_temperature = 2;
	if (o->muon_lr < 0)
		o->muon_lr = o->init ? 0.02 : 0.002;
}

void finetune_parse(cli *app, finetune_options *o, int argc, char **argv)
{
	*o = (finetune_options){
		.epochs = -1, .max_steps = -1, .batch = 32, .accumulate = 1, .qat = 100, .qat_group = 32, .contrastive_every = 10,
		.eval_every = -1, .checkpoint_every = 200, .score = 200, .val_calls = -1, .lr = -1, .muon_lr = -1, .warmup = 0.05, .decay = 0.15,
		.contrastive_weight = 0.1, .z_weight = 1e-4, .weight_decay = 0.01, .clip_norm = 1, .teacher_weight = -1,
		.teacher_temperature = -1, .weight = {1, 2, 4, 1.5f}, .seed = 1};
	int first = read_options(app, o, argc, argv);
	cli_check_cpu(app);
	parse_inputs(app, o, argv + first, argc - first);
	check_options(app, o);
	set_defaults(o);
}
