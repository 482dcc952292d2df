/* cli_options.c - what a command is told: its options, their values, --help. */
#define _GNU_SOURCE
#include "cmd/cli.h"

#include "needle.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/* Help -------------------------------------------------------------------------------- */

static void print_option(const cli_option *o)
{
	char left[80];
	int n = o->key < 256 ? snprintf(left, sizeof left, "  -%c, --%s", o->key, o->name)
	                     : snprintf(left, sizeof left, "      --%s", o->name);
	if (o->arg && n > 0 && (size_t)n < sizeof left)
		snprintf(left + n, sizeof left - (size_t)n, o->arg[0] == '[' ? "%s" : " %s", o->arg);
	printf(strlen(left) < 30 ? "%-30s %s\n" : "%s\n                               %s\n", left, o->help);
}

static _Noreturn void print_help(const cli *c)
{
	size_t summary = strlen(c->summary); /* with or without its newline */
	while (summary > 0 && c->summary[summary - 1] == '\n')
		summary--;
	printf("Usage: %s%.*s\n\n", c->usage, (int)summary, c->summary);
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
		(struct option){o->name, !o->arg ? no_argument : o->arg[0] == '[' ? optional_argument : required_argument, NULL, o->key};
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

static const cli_option *option_by_key(const cli *c, int key)
{
	for (const cli_option *o = c->options; o->name; o++)
		if (o->key == key)
			return o;
	for (const cli_option *o = common_options; o->name; o++)
		if (o->key == key && applies(c, o))
			return o;
	return NULL;
}

/* Edits (insert, delete, replace a letter) that turn a into b; both short. */
static size_t distance(const char *a, size_t n, const char *b)
{
	size_t row[64], m = strlen(b);
	if (m + 1 > sizeof row / sizeof row[0])
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 0; i < n; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < m; j++) {
			size_t best = diagonal + (a[i] != b[j]);
			diagonal = row[j + 1];
			if (best > row[j] + 1)
				best = row[j] + 1;
			if (best > diagonal + 1)
				best = diagonal + 1;
			row[j + 1] = best;
		}
	}
	return row[m];
}

static _Noreturn void unknown_long(const cli *c, const parser *p, const char *word)
{
	const char *name = word + strspn(word, "-"), *near = NULL;
	size_t len = strcspn(name, "="), least = len < 4 ? 2 : 3, matches = 0;
	for (const struct option *o = p->longs; o->name; o++) {
		size_t d = distance(name, len, o->name);
		matches += strncmp(name, o->name, len) == 0;
		if (d < least) {
			least = d;
			near = o->name;
		}
	}
	if (matches > 1)
		cli_usage_error(c, "option '%s' is ambiguous", word);
	if (near)
		cli_usage_error(c, "unknown option '%s'; did you mean '--%s'?", word, near);
	cli_usage_error(c, "unknown option '%s'", word);
}

/* getopt says only '?' or ':' and, in optopt, the key of a known option or the unknown letter. */
static _Noreturn void option_error(const cli *c, const parser *p, int key, const char *word)
{
	const cli_option *o = optopt ? option_by_key(c, optopt) : NULL;
	if (o && key == ':')
		cli_usage_error(c, "option '--%s' needs an argument (%s)", o->name, o->arg);
	if (o)
		cli_usage_error(c, "option '--%s' takes no argument", o->name);
	if (optopt) /* a letter, or one byte of it: optind may not have passed its word yet */
		cli_usage_error(c, "unknown option '-%c'", optopt > ' ' && optopt < 0x7f ? optopt : '?');
	unknown_long(c, p, word);
}

int cli_next(cli *c, int argc, char **argv, const char **arg, int *optind_out)
{
	if (!c->state)
		c->state = make_parser(c);
	parser *p = c->state;
	opterr = 0;
	for (;;) {
		int key = getopt_long(argc, argv, p->shorts, p->longs, NULL);
		*arg = optarg;
		switch (key) {
		case -1:
			*optind_out = optind;
			free(c->state);
			c->state = NULL;
			return 0;
		case '?':
		case ':': option_error(c, p, key, argv[optind - 1]);
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

void cli_refuse_same(const cli *c, const char *out, const char *in)
{
	struct stat a, b;
	if (out && in && stat(out, &a) == 0 && stat(in, &b) == 0 && S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino)
		cli_usage_error(c, "%s is to be read and to be overwritten", in);
}

void cli_refuse_clash(const cli *c, const char *option, const char *path, const char *other, const char *other_path)
{
	if (path && other_path && strcmp(path, other_path) == 0)
		cli_usage_error(c, "%s and %s name the same file", option, other);
}
