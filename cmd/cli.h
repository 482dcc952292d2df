/* cli.h - what all commands share: options as a table, messages, exit statuses, progress.
 *
 * A command fills one table of options; the table feeds getopt_long, --help and the lint test
 * that compares help, man page and completions. */
#ifndef NDL_CMD_CLI_H
#define NDL_CMD_CLI_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses (CONTRACT): see EXIT STATUS in every man page. */
enum {
	CLI_OK = 0,       /* all done */
	CLI_NEGATIVE = 1, /* done, but the answer is negative or some records failed */
	CLI_USAGE = 2,    /* bad options */
	CLI_UNUSABLE = 3, /* model or file unusable, or a write failed */
};

typedef struct cli_option {
	int key;           /* the short letter, or a value above 255 for long-only options */
	const char *name;  /* long name, without dashes; NULL ends the table */
	const char *arg;   /* name of its argument ("FILE"), or NULL for a flag; "[=HOW]": a flag that takes one after = */
	const char *help;  /* one line; [default] in brackets at the end */
} cli_option;

/* Options that every command has. -h/--help, --version, -q, -v, -j need no handling by the
 * command; -m only where CLI_TAKES_MODEL is given. */
typedef struct cli_common {
	bool quiet, verbose;
	int threads;       /* 0: all available cores */
	const char *model; /* -m, else $NEEDLE_MODEL, else NULL: see cli_model_path */
} cli_common;

enum { CLI_TAKES_MODEL = 1 };

typedef struct cli {
	const char *name;          /* "needle-infer" */
	const char *usage;         /* lines after "Usage: ", each "needle-infer [OPTION]… …\n" */
	const char *summary;       /* one sentence */
	const char *examples;      /* indented lines */
	const cli_option *options; /* the command's own */
	int flags;
	cli_common common;
	/* private */
	void *state;
} cli;

/* Sets up SIGPIPE (ignored: a closed pipe shows as a write error and ends quietly), closed
 * standard streams and $NEEDLE_MODEL. Call first in main. */
void cli_init(cli *c);

/* The next option key (its argument in *arg, NULL for a flag), 0 when the operands begin
 * (*optind_out = index of the first), handling the common options itself. A usage error prints
 * one sentence and exits with CLI_USAGE; --help and --version exit with 0. */
int cli_next(cli *c, int argc, char **argv, const char **arg, int *optind_out);

/* Numbers with ranges; a bad one is a usage error naming the option. */
long cli_long(const cli *c, const char *option, const char *text, long lo, long hi);
double cli_double(const cli *c, const char *option, const char *text, double lo, double hi);
/* Index of text in the NULL-terminated list `choices`; else a usage error that lists them. */
int cli_choice(const cli *c, const char *option, const char *text, const char *const *choices);

/* Prints "needle-X: message" and "Try 'needle-X --help'…" and exits with CLI_USAGE. */
_Noreturn void cli_usage_error(const cli *c, const char *fmt, ...) NDL_PRINTF(2, 3);
/* A usage error if both (NULL: no file) are the same regular file: writing one would destroy the other. */
void cli_refuse_same(const cli *c, const char *out, const char *in);
/* One if two outputs, which options name (NULL: no file), are to have the same name. */
void cli_refuse_clash(const cli *c, const char *option, const char *path, const char *other, const char *other_path);

/* Text from anywhere (arguments, file names, keys): what it holds must not steer the terminal nor break the line, so bytes of
 * controls, or of no UTF-8, come out as '?'. */
void cli_put_clean(FILE *to, const char *text);
/* "needle-X: file:line: text" on stderr, stdout flushed first. */
void cli_report(const cli *c, const ndl_error *err);
/* What a text in err says in spite of success, as a warning about the file, unless -q; err is as new then. */
void cli_note(const cli *c, ndl_error *err, const char *file);
void cli_warn(const cli *c, const char *fmt, ...) NDL_PRINTF(2, 3);    /* unless -q */
void cli_verbose(const cli *c, const char *fmt, ...) NDL_PRINTF(2, 3); /* only with -v */

/* On a terminal with nothing typed yet, a program that reads stdin looks hung: says what it
 * waits for. path: the operand, NULL or "-" for stdin. records_run does this itself. */
void cli_stdin_hint(const cli *c, const char *path);

/* The model to use: -m, $NEEDLE_MODEL, share/default.safetensors of the source tree when run from
 * the build tree, else the installed one. Borrowed; NULL (and err) if none exists. */
const char *cli_model_path(const cli *c, ndl_error *err);

/* Writes to `path` where a file of the package lies: in share/ of the source tree for a program run from the build
 * tree, else where it was installed. */
void cli_share_path(char *path, size_t size, const char *name);

/* Flushes and closes stdout, checking for errors, and returns the exit status: `status`, or
 * CLI_UNUSABLE with a message if writing failed; a closed pipe (EPIPE) is quiet. */
int cli_finish(const cli *c, int status);
/* Whether writing to stdout has failed (stop working then). Asked right after a write or flush
 * it notes errno, and the message of cli_finish can say why. */
bool cli_stdout_failed(void);

/* Progress bar on stderr: only on a terminal and not with -q; at most six times a second.
 * total 0: unknown. text: short, shown after the bar, e.g. "loss 0.412". */
void cli_progress(const cli *c, uint64_t done, uint64_t total, const char *text);
void cli_progress_end(const cli *c);

#endif
