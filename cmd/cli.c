#define _GNU_SOURCE
#include "cmd/cli.h"

#include "needle.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_OPTIONS = 64, KEY_VERSION = 1000 };

static const cli_option common_options[] = {
	{'m', "model", "FILE", "model file [$NEEDLE_MODEL, else the default model]"},
	{'j', "threads", "N", "number of threads; never changes a result [all cores]"},
	{'q', "quiet", NULL, "no warnings, no progress"},
	{'v', "verbose", NULL, "say more on stderr"},
	{'h', "help", NULL, "print this help and exit"},
	{KEY_VERSION, "version", NULL, "print the version and exit"},
	{0, NULL, NULL, NULL},
};

static bool applies(const cli *c, const cli_option *o)
{
	return o->key != 'm' || (c->flags & CLI_TAKES_MODEL);
}

void cli_init(cli *c)
{
	signal(SIGPIPE, SIG_IGN);
	const char *env = getenv("NEEDLE_MODEL");
	c->common.model = env && *env ? env : NULL;
}

/* Help -------------------------------------------------------------------------------- */

static void print_option(const cli_option *o)
{
	char left[80];
	int n = o->key < 256 ? snprintf(left, sizeof left, "  -%c, --%s", o->key, o->name)
	                     : snprintf(left, sizeof left, "      --%s", o->name);
	if (o->arg && n > 0 && (size_t)n < sizeof left)
		snprintf(left + n, sizeof left - (size_t)n, " %s", o->arg);
	printf(strlen(left) < 30 ? "%-30s %s\n" : "%s\n                               %s\n", left, o->help);
}

static _Noreturn void print_help(const cli *c)
{
	printf("Usage: %s%s\n\n", c->usage, c->summary);
	if (c->options[0].name)
		puts("Options:");
	for (const cli_option *o = c->options; o->name; o++)
		print_option(o);
	puts("\nCommon options:");
	for (const cli_option *o = common_options; o->name; o++)
		if (applies(c, o))
			print_option(o);
	printf("\nExamples:\n%s", c->examples);
	printf("\nThe manual is %s(1); needle(7) is the overview.\n", c->name);
	exit(cli_finish(c, CLI_OK));
}

static _Noreturn void print_version(const cli *c)
{
	printf("%s (Needle in C) %s\n"
	       "Copyright (C) 2026 The Needle in C authors. MIT licence: no warranty.\n", c->name, NDL_VERSION);
	exit(cli_finish(c, CLI_OK));
}

/* Options ----------------------------------------------------------------------------- */

typedef struct parser {
	struct option longs[MAX_OPTIONS + 1];
	char shorts[3 * MAX_OPTIONS + 2];
} parser;

static void add_option(parser *p, size_t *n_long, size_t *n_short, const cli_option *o)
{
	if (*n_long >= MAX_OPTIONS)
		abort(); /* a command with more options than fit: a programming error */
	p->longs[(*n_long)++] =
		(struct option){o->name, o->arg ? required_argument : no_argument, NULL, o->key};
	if (o->key < 256) {
		p->shorts[(*n_short)++] = (char)o->key;
		if (o->arg)
			p->shorts[(*n_short)++] = ':';
	}
}

static parser *make_parser(const cli *c)
{
	parser *p = calloc(1, sizeof *p);
	size_t n_long = 0, n_short = 0;
	if (!p) {
		fprintf(stderr, "%s: out of memory\n", c->name);
		exit(CLI_UNUSABLE);
	}
	p->shorts[n_short++] = ':'; /* getopt stays silent, tells missing from unknown */
	for (const cli_option *o = c->options; o->name; o++)
		add_option(p, &n_long, &n_short, o);
	for (const cli_option *o = common_options; o->name; o++)
		if (applies(c, o))
			add_option(p, &n_long, &n_short, o);
	return p;
}

int cli_next(cli *c, int argc, char **argv, const char **arg, int *optind_out)
{
	if (!c->state)
		c->state = make_parser(c);
	parser *p = c->state;
	opterr = 0;
	for (;;) {
		int at = optind;
		int key = getopt_long(argc, argv, p->shorts, p->longs, NULL);
		const char *word = argv[at < argc ? at : argc - 1];
		*arg = optarg;
		switch (key) {
		case -1:
			*optind_out = optind;
			free(c->state);
			c->state = NULL;
			return 0;
		case '?':
			if (optopt && optopt < 256)
				cli_usage_error(c, "unknown option -%c", optopt);
			cli_usage_error(c, "unknown or ambiguous option '%s'", word);
		case ':':
			cli_usage_error(c, "option '%s' needs an argument", word);
		case 'h': print_help(c);
		case KEY_VERSION: print_version(c);
		case 'q': c->common.quiet = true; break;
		case 'v': c->common.verbose = true; break;
		case 'j': c->common.threads = (int)cli_long(c, "--threads", optarg, 1, 1024); break;
		case 'm':
			if (c->flags & CLI_TAKES_MODEL) {
				c->common.model = optarg;
				break;
			}
			return key;
		default: return key;
		}
	}
}

long cli_long(const cli *c, const char *option, const char *text, long lo, long hi)
{
	char *end;
	errno = 0;
	long v = strtol(text, &end, 10);
	if (end == text || *end || errno || v < lo || v > hi)
		cli_usage_error(c, "%s: expected an integer from %ld to %ld, not '%s'", option, lo, hi, text);
	return v;
}

double cli_double(const cli *c, const char *option, const char *text, double lo, double hi)
{
	char *end;
	double v = strtod(text, &end);
	if (end == text || *end || !isfinite(v) || v < lo || v > hi)
		cli_usage_error(c, "%s: expected a number from %g to %g, not '%s'", option, lo, hi, text);
	return v;
}

int cli_choice(const cli *c, const char *option, const char *text, const char *const *choices)
{
	char list[300] = "";
	for (int i = 0; choices[i]; i++) {
		if (strcmp(text, choices[i]) == 0)
			return i;
		size_t n = strlen(list);
		snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", choices[i]);
	}
	cli_usage_error(c, "%s: expected one of %s, not '%s'", option, list, text);
}

/* Messages ---------------------------------------------------------------------------- */

void cli_usage_error(const cli *c, const char *fmt, ...)
{
	va_list ap;
	fflush(stdout);
	fprintf(stderr, "%s: ", c->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry '%s --help'.\n", c->name);
	exit(CLI_USAGE);
}

void cli_report(const cli *c, const ndl_error *err)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", c->name);
	if (err->file[0] && err->line)
		fprintf(stderr, "%s:%zu: ", err->file, err->line);
	else if (err->file[0])
		fprintf(stderr, "%s: ", err->file);
	else if (err->line)
		fprintf(stderr, "line %zu: ", err->line);
	fprintf(stderr, "%s\n", err->text);
}

static void say(const cli *c, const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", c->name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void cli_warn(const cli *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (!c->common.quiet)
		say(c, fmt, ap);
	va_end(ap);
}

void cli_verbose(const cli *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (c->common.verbose)
		say(c, fmt, ap);
	va_end(ap);
}

/* The default model ------------------------------------------------------------------- */

/* Built, not installed: the binary lies in the build tree, whose source tree is known. */
static const char *tree_model(char *path, size_t size)
{
#ifdef NDL_SRCDIR
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		char build[PATH_MAX];
		if (slash && realpath(NDL_BUILDDIR, build)) {
			*slash = '\0';
			if (strcmp(self, build) == 0) {
				snprintf(path, size, "%s/share/default.safetensors", NDL_SRCDIR);
				return path;
			}
		}
	}
#endif
	snprintf(path, size, "%s/default.safetensors", NDL_PKGDATADIR);
	return path;
}

const char *cli_model_path(const cli *c, ndl_error *err)
{
	static char path[PATH_MAX];
	if (c->common.model)
		return c->common.model;
	tree_model(path, sizeof path);
	if (access(path, R_OK) == 0)
		return path;
	ndl_fail(err, NDL_ENOTFOUND, "no default model at %s; give one with -m or $NEEDLE_MODEL", path);
	return NULL;
}

/* The end ----------------------------------------------------------------------------- */

bool cli_stdout_failed(void)
{
	return ferror(stdout);
}

int cli_finish(const cli *c, int status)
{
	bool bad = fflush(stdout) != 0 || ferror(stdout);
	int why = errno;
	if (fclose(stdout) != 0 && !bad) {
		bad = true;
		why = errno;
	}
	if (!bad)
		return status;
	if (why == EPIPE) /* the reader had enough: not an error worth a message */
		return status;
	fprintf(stderr, "%s: cannot write to standard output: %s\n", c->name, strerror(why));
	return CLI_UNUSABLE;
}

/* Progress ---------------------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void cli_progress(const cli *c, uint64_t done, uint64_t total, const char *text)
{
	enum { WIDTH = 30 };
	static double started, shown;
	if (c->common.quiet || !isatty(STDERR_FILENO))
		return;
	double now = now_s();
	if (started == 0)
		started = now;
	if (now - shown < 1.0 / 6 && !(total && done >= total))
		return;
	shown = now;
	if (total == 0) {
		fprintf(stderr, "\r\033[K%llu %s", (unsigned long long)done, text);
		return;
	}
	int full = (int)((double)WIDTH * (double)done / (double)total);
	double left = done ? (now - started) * (double)(total - done) / (double)done : 0;
	fprintf(stderr, "\r\033[K[%.*s%*s] %llu/%llu  %s  %d:%02d left", full,
	        "##############################", WIDTH - full, "", (unsigned long long)done,
	        (unsigned long long)total, text, (int)left / 60, (int)left % 60);
}

void cli_progress_end(const cli *c)
{
	if (!c->common.quiet && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}
