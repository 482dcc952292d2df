/* engine.h - what every command that runs the network does first: threads, processor mask, model. */
#ifndef NDL_CMD_ENGINE_H
#define NDL_CMD_ENGINE_H

#include "cmd/cli.h"
#include "session/session.h"

/* Arithmetic of the network, --precision int8|f32, for the option tables and their parser; int8 is the default. */
#define CLI_PRECISION(key) {key, "precision", "int8|f32", "arithmetic of the network [int8]"}
ndl_precision cli_precision(const cli *c, const char *arg);

/* --refuse-bias X or "off", for ndl_request. */
double cli_refuse_bias(const cli *c, const char *arg);
/* --today DATE|now, for ndl_request: YYYY-MM-DD, or the day that the clock and the time zone say. */
int64_t cli_today(const cli *c, const char *arg);
/* A usage error if it was given with --ground off: days that are worked out are copied. */
void cli_check_today(const cli *c, const ndl_request *r);
/* --lexical-weight X, for ndl_request. */
double cli_lexical_weight(const cli *c, const char *arg);

/* --ground strict|prefer|off, for ndl_request. */
enum ndl_grounding cli_grounding(const cli *c, const char *arg);

/* How -k ranks tools, --rank, likewise; NDL_RANK_AUTO where it is not given. */
#define CLI_RANK(key) {key, "rank", "head|bm25|fused", "how -k ranks tools [fused; bm25 without a contrastive head]"}
enum ndl_ranking cli_ranking(const cli *c, const char *arg);
bool cli_names_ranking(const char *arg);

/* A usage error if $NEEDLE_CPU names no level; cli_engine_open begins with it. */
void cli_check_cpu(const cli *c);
/* Of so many threads (0: all), processor as $NEEDLE_CPU says. */
ndl_exec *cli_exec_new(int threads, ndl_precision precision, ndl_error *err);

typedef struct cli_engine {
	ndl_exec *exec;
	ndl_engine *engine;
	ndl_session *session; /* NULL before cli_session_open */
	void *heap; /* what keeps it where it is */
} cli_engine;

/* Threads as -j says, the model of cli_model_path. False after a message: exit with CLI_UNUSABLE. Close
 * in either case. */
bool cli_engine_open(const cli *c, cli_engine *e, ndl_precision precision);
/* A session in all of these threads, for commands that do one thing at a time. Likewise. */
bool cli_session_open(const cli *c, cli_engine *e);
void cli_engine_close(cli_engine *e);

/* What lists of tools are made for. */
typedef struct cli_tools_use {
	const ndl_engine *engine;
	int flags;                  /* as ndl_tools_new */
	const ndl_request *request; /* its top_tools and rank */
	bool rank;                  /* index every list, not only those that are longer than top_tools */
} cli_tools_use;

/* Of a list, indexed where its use wants that, in x's threads and arithmetic. NULL with err. */
ndl_toolset *cli_toolset_new(const cli_tools_use *u, json_t *list, const ndl_exec *x, ndl_error *err);

/* The tools of the record seen last that brought its own: records often repeat them. Zeroed at first. */
typedef struct cli_own_tools {
	ndl_toolset *set;    /* owned */
	ndl_buf text, given; /* what it was made from; the list under way */
} cli_own_tools;

/* Those of this list, made anew unless they are held already; of tools that the list before had, too, the vectors are kept.
 * Borrowed; NULL with err. */
const ndl_toolset *cli_own_toolset(cli_own_tools *own, const cli_tools_use *u, json_t *list, const ndl_exec *x, ndl_error *err);
void cli_own_tools_clear(cli_own_tools *own);

/* What one thread of several answers with, or one request of several at a time. Zeroed at first; close in either case. */
typedef struct cli_worker {
	ndl_exec *exec;
	ndl_session *session;
	cli_own_tools own;
} cli_worker;
ndl_status cli_worker_open(cli_worker *w, const ndl_engine *e, int threads, ndl_precision precision, ndl_error *err);
void cli_worker_close(cli_worker *w);

/* Whether the model can rank so; what is asked for by name does not fall back. */
ndl_status cli_check_ranking(const ndl_engine *e, enum ndl_ranking how, ndl_error *err);

#endif
