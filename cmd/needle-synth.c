/* needle-synth - training examples composed from a corpus of tool cards. */
#include "cmd/cli.h"

#include "synth/synth.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_CORPUS = 300, KEY_SPLIT, KEY_MAX_TOOLS, KEY_DOMAINS, KEY_LIST, KEY_STATS, KEY_TEXT, KEY_HELDOUT };

static const cli_option options[] = {
	{'n', "count", "N", "number of examples [endless; 10000 with --stats]"},
	{KEY_CORPUS, "corpus", "DIR", "folder of corpus files, see needle-corpus(5) [the installed one]"},
	{KEY_DOMAINS, "domains", "A,B,...", "right tools from these domains only [all]"},
	{KEY_HELDOUT, "heldout", "FILE", "hashes of queries that must not come out [the installed list]"},
	{KEY_LIST, "list-domains", NULL, "print the domains with their number of tools, and exit"},
	{KEY_MAX_TOOLS, "max-tools", "N", "tools offered at most, 1 to 16 [8]"},
	{'s', "seed", "S", "same seed, same bytes [1]"},
	{KEY_SPLIT, "split", "all|train|phrasing|value|tool|domain", "part of the corpus to draw from [all]"},
	{KEY_STATS, "stats", NULL, "print what the examples contain instead of the examples"},
	{KEY_TEXT, "text", NULL, "lines of query, tools and answers, to train a vocabulary on"},
	{0, NULL, NULL, NULL},
};

typedef struct settings {
	ndl_synth_options synth;
	long count; /* -1: endless */
	bool list, stats, text;
	char corpus[PATH_MAX], heldout[PATH_MAX];
} settings;

/* Corpus and list of held-out queries: in the source tree for a program run from the build
 * tree, else where they were installed. */
static void share_path(char *path, size_t size, const char *name)
{
#ifdef NDL_SRCDIR
	char self[PATH_MAX], build[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash = n > 0 ? (self[n] = '\0', strrchr(self, '/')) : NULL;
	if (slash && realpath(NDL_BUILDDIR, build)) {
		*slash = '\0';
		if (strcmp(self, build) == 0) {
			snprintf(path, size, "%s/share/%s", NDL_SRCDIR, name);
			return;
		}
	}
#endif
	snprintf(path, size, "%s/%s", NDL_PKGDATADIR, name);
}

static void parse_options(cli *c, settings *s, int argc, char **argv)
{
	static const char *const splits[] = {"all", "train", "phrasing", "value", "tool", "domain", NULL};
	const char *arg;
	int key, operand;
	while ((key = cli_next(c, argc, argv, &arg, &operand)) != 0) {
		switch (key) {
		case 'n': s->count = cli_long(c, "--count", arg, 0, LONG_MAX); break;
		case 's': s->synth.seed = (uint64_t)cli_long(c, "--seed", arg, 0, LONG_MAX); break;
		case KEY_CORPUS: s->synth.corpus = arg; break;
		case KEY_DOMAINS: s->synth.domains = arg; break;
		case KEY_HELDOUT: s->synth.heldout = arg; break;
		case KEY_LIST: s->list = true; break;
		case KEY_MAX_TOOLS: s->synth.max_tools = (int)cli_long(c, "--max-tools", arg, 1, 16); break;
		case KEY_SPLIT: s->synth.split = (enum ndl_synth_split)cli_choice(c, "--split", arg,
			splits); break;
		case KEY_STATS: s->stats = true; break;
		case KEY_TEXT: s->text = true; break;
		}
	}
	if (operand < argc)
		cli_usage_error(c, "unexpected argument '%s'", argv[operand]);
	if (s->stats && s->text)
		cli_usage_error(c, "--stats and --text exclude each other");
}

static void fill_defaults(settings *s)
{
	if (!s->synth.corpus) {
		share_path(s->corpus, sizeof s->corpus, "corpus");
		s->synth.corpus = s->corpus;
	}
	if (!s->synth.heldout) {
		share_path(s->heldout, sizeof s->heldout, "heldout_hashes.txt");
		s->synth.heldout = s->heldout;
	}
}

static int list_domains(const ndl_synth *synth)
{
	size_t tools;
	int held;
	const char *name;
	for (size_t i = 0; (name = ndl_synth_domain(synth, i, &tools, &held)); i++)
		printf("%s\t%zu%s\n", name, tools, held ? "\theld out" : "");
	return CLI_OK;
}

static int write_examples(const cli *c, ndl_synth *synth, const settings *s, ndl_error *err)
{
	ndl_buf out = NDL_BUF_INIT;
	int status = CLI_OK;
	for (long i = 0; (s->count < 0 || i < s->count) && !cli_stdout_failed(); i++) {
		ndl_buf_reset(&out);
		if (ndl_synth_next(synth, &out, s->text ? NDL_SYNTH_TEXT : NDL_SYNTH_JSONL, err) != NDL_OK) {
			cli_report(c, err);
			status = CLI_UNUSABLE;
			break;
		}
		fwrite(out.data, 1, out.len, stdout);
	}
	ndl_buf_clear(&out);
	return status;
}

int main(int argc, char **argv)
{
	cli c = {
		.name = "needle-synth",
		.usage = "needle-synth [OPTION]...\n",
		.summary = "Writes training examples, JSON Lines, composed from a corpus of tool cards.",
		.examples = "  needle-synth -n 1000 --split train > train.jsonl\n"
		            "  needle-synth --seed 7 --domains music,weather_environment | head -n 3\n"
		            "  needle-synth -n 50000 --stats\n",
		.options = options,
	};
	settings s = {.synth = {.seed = 1}, .count = -1};
	ndl_error err = NDL_ERROR_INIT;
	int status;
	cli_init(&c);
	parse_options(&c, &s, argc, argv);
	fill_defaults(&s);
	ndl_synth *synth = ndl_synth_open(&s.synth, &err);
	if (!synth) {
		cli_report(&c, &err);
		return cli_finish(&c, err.code == NDL_EINVAL ? CLI_USAGE : CLI_UNUSABLE);
	}
	if (s.list) {
		status = list_domains(synth);
	} else if (s.stats) {
		status = ndl_synth_stats(synth, s.count < 0 ? 10000 : (uint64_t)s.count, stdout,
			&err) == NDL_OK ? CLI_OK : CLI_UNUSABLE;
		if (status)
			cli_report(&c, &err);
	} else {
		status = write_examples(&c, synth, &s, &err);
	}
	ndl_synth_close(synth);
	return cli_finish(&c, status);
}
