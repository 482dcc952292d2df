/* bench.h - what the parts of needle-bench share: a row of results and how it is measured. */
#ifndef NDL_CMD_BENCH_H
#define NDL_CMD_BENCH_H

#include "cmd/cli.h"

#include "model/model.h"
#include "retrieve/retrieve.h"
#include "tensor/exec.h"

typedef struct bench_row {
	char name[64];      /* what: "product 4096x512x512" */
	char kernel[24];    /* "avx512", ...; "-" where it does not matter */
	int threads;
	double value;
	const char *unit;   /* "GFLOP/s", "ms", ...: constant text */
	bool less_is_better;
} bench_row;

enum { BENCH_PROMPTS = 4 };

typedef struct bench {
	cli c;
	bool json, kernels_only, train;
	const char *compare, *filter, *shape;
	double min_s;             /* least time to spend on a row */
	int prompt, answer;       /* tokens of the encoder's input (0: several lengths), decoded tokens (0: 32 or what fits) */
	int records;              /* of a batch */
	const char *path;         /* of the model; NULL: only kernels are measured */
	char hash[65];            /* its SHA-256 */
	int prompts[BENCH_PROMPTS]; /* lengths to measure; 0 ends */
	ndl_model *model;         /* while bench_model runs */
	const char *levels[8];    /* masks to measure, rising, each with the ",nodot" of $NEEDLE_CPU; NULL ends */
	char level_names[NDL_ISA_AMX + 1][24];
	int threads[2];           /* counts to measure; 0 ends */
	bench_row *rows;
	size_t n_rows, cap;
} bench;

/* Whether a row of this name is wanted, or one of these (NULL ends); asked before it is measured. */
bool bench_wants(const bench *b, const char *name);
bool bench_wants_any(const bench *b, const char *const *names);
/* Keeps the row and, unless it waits for --json, prints it. */
ndl_status bench_add(bench *b, const char *name, const char *kernel, int threads, double value,
                     const char *unit, bool less_is_better, ndl_error *err);


/* Shortest time of one call of run(arg), seconds: repeated for min_s, three times at least. */
double bench_time(const bench *b, void (*run)(void *), void *arg);

/* GB/s read from so many bytes, again and again; negative with err if memory runs out. */
double bench_read_rate(const bench *b, size_t bytes, int threads, ndl_error *err);
/* Whether this level differs from the one below only in what training uses. */
bool bench_trains_only(const char *level);

ndl_status bench_kernels(bench *b, ndl_error *err);
/* The most that arithmetic can do here, and products of rounded inputs with INT4 and INT8 weights. */
ndl_status bench_integers(bench *b, ndl_error *err);
/* Rate of the innermost loop of x's dense product, GFLOP/s; negative with err if memory runs out. */
double bench_inner_loop(const bench *b, const ndl_exec *x, ndl_error *err);
/* A training step at the highest level, of the published shape or that of b->shape. */
ndl_status bench_train(bench *b, ndl_error *err);
/* needle-infer as a process: one query, many records. Before all others: a process counts the memory of the one
 * that starts it as its own. */
ndl_status bench_processes(bench *b, ndl_error *err);
/* The lengths to measure: --prompt and --answer, NDL_EINVAL if the model's windows are shorter; else what fits. */
ndl_status bench_lengths(bench *b, const ndl_config *c, ndl_error *err);
ndl_status bench_model(bench *b, ndl_error *err);
/* Whole answers of the model, INT8, one thread: with jumping ahead and without, and the grammar's part. */
ndl_status bench_answers(bench *b, ndl_error *err);
/* A catalogue of 10,000 made-up tools, with random vectors that pass for those of `by`, or none if width
 * is 0. Owned. */
ndl_index *bench_catalogue(size_t width, const char *by, ndl_error *err);
/* A search in it by words and vectors. */
ndl_status bench_search(bench *b, ndl_error *err);
/* From its index file: opening that, and a request for which 5 tools are picked. INT8, one thread. */
ndl_status bench_request(bench *b, ndl_error *err);

#endif
