/* engine.h - what every command that runs the network does first: threads, processor mask, model. */
#ifndef NDL_CMD_ENGINE_H
#define NDL_CMD_ENGINE_H

#include "cmd/cli.h"
#include "session/session.h"

typedef struct cli_engine {
	ndl_exec *exec;
	ndl_engine *engine;
	ndl_session *session;
} cli_engine;

/* Threads as -j says, processor level as $NEEDLE_CPU says, the model of cli_model_path. False after
 * a message: exit with CLI_UNUSABLE. Close in either case. */
bool cli_engine_open(const cli *c, cli_engine *e);
void cli_engine_close(cli_engine *e);

#endif
