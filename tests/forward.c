/* forward - runs a model file over lines of ids, for comparison with another implementation.
 *
 * For each line of stdin, on stdout, little-endian: i32 steps; f32 states [ids, d]; f32 logits
 * [steps, vocabulary]; i32 greedy tokens [steps], until </s> or the limit. */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_IDS = 1024 };

static size_t parse(char *line, int32_t *ids)
{
	size_t n = 0;
	for (char *end, *at = line; n < LINE_MAX_IDS; at = end) {
		long id = strtol(at, &end, 10);
		if (end == at)
			break;
		ids[n++] = (int32_t)id;
	}
	return n;
}

static void put(const void *data, size_t size, size_t n)
{
	fwrite(data, size, n, stdout);
}

static int run(const ndl_model *m, ndl_encoder *e, ndl_decoder *d, const int32_t *ids, size_t n, size_t limit,
               ndl_error *err)
{
	const ndl_config *c = ndl_model_config(m);
	size_t vocab = (size_t)c->vocab_size;
	const float *states, *hidden;
	float *logits = malloc(limit * vocab * sizeof *logits);
	int32_t *tokens = malloc(limit * sizeof *tokens), steps = 0, last = 1;
	int rc = !logits || !tokens || ndl_encoder_run(e, ids, n, &states, err) || ndl_decoder_start(d, states, n, err);
	for (; rc == 0 && (size_t)steps < limit && (steps == 0 || last != 1); steps++) {
		rc = ndl_decoder_step(d, &last, 1, &hidden, err) != NDL_OK;
		if (rc == 0) {
			ndl_decoder_logits(d, hidden, 1, logits + (size_t)steps * vocab);
			tokens[steps] = last = (int32_t)ndl_argmax(logits + (size_t)steps * vocab, vocab);
		}
	}
	if (rc == 0) {
		put(&steps, 4, 1);
		put(states, sizeof *states, n * (size_t)c->d_model);
		put(logits, sizeof *logits, (size_t)steps * vocab);
		put(tokens, sizeof *tokens, (size_t)steps);
	}
	free(logits);
	free(tokens);
	return rc;
}

int main(int argc, char **argv)
{
	static char line[LINE_MAX_IDS * 12];
	int32_t ids[LINE_MAX_IDS];
	ndl_error err = NDL_ERROR_INIT;
	if (argc != 3) {
		fprintf(stderr, "Usage: forward MODEL STEPS <IDS >RESULT\n");
		return 2;
	}
	ndl_exec *x = ndl_exec_new(0, getenv("NEEDLE_CPU"), &err);
	ndl_model *m = ndl_model_open(argv[1], &err);
	ndl_encoder *e = x && m ? ndl_encoder_new(m, x, &err) : NULL;
	ndl_decoder *d = e ? ndl_decoder_new(m, x, &err) : NULL;
	int rc = !d;
	while (rc == 0 && fgets(line, sizeof line, stdin))
		rc = run(m, e, d, ids, parse(line, ids), (size_t)atoi(argv[2]), &err);
	if (rc)
		fprintf(stderr, "forward: %s\n", err.text);
	ndl_decoder_free(d);
	ndl_encoder_free(e);
	ndl_model_free(m);
	ndl_exec_free(x);
	return rc || fflush(stdout) != 0;
}
