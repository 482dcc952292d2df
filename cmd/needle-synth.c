/* needle-synth - training examples composed from a corpus of tool cards. */
#include "cmd/cli.h"
#include "cmd/post.h"

#include "synth/mix.h"
#include "synth/synth.h"
#include "synth/teacher.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_CORPUS = 300, KEY_SPLIT, KEY_MAX_TOOLS, KEY_DOMAINS, KEY_LIST, KEY_STATS, KEY_TEXT, KEY_HELDOUT,
	KEY_MIX, KEY_TOOLS, KEY_TEACHER, KEY_TEACHER_MODEL, KEY_TEACHER_RATE, KEY_TEACHER_CACHE, KEY_TEACHER_PRICE };

static const cli_option options[] = {
	{'n', "count", "N", "number of examples [endless; 10000 with --stats]"},
	{KEY_CORPUS, "corpus", "DIR", "folder of corpus files, see needle-corpus(5) [the installed one]"},
	{KEY_DOMAINS, "domains", "A,B,...", "right tools from these domains only [all]"},
	{KEY_HELDOUT, "heldout", "FILE", "hashes of queries that must not come out [the installed list]"},
	{KEY_LIST, "list-domains", NULL, "print the domains with their number of tools, and exit"},
	{KEY_MAX_TOOLS, "max-tools", "N", "tools offered at most, 1 to 16 [8]"},
	{KEY_MIX, "mix", "FILE=WEIGHT", "also draw records of FILE (or requests), WEIGHT to every composed 1; may be repeated"},
	{'s', "seed", "S", "same seed, same bytes [1]"},
	{KEY_SPLIT, "split", "all|train|phrasing|value|tool|domain", "part of the corpus to draw from [all]"},
	{KEY_STATS, "stats", NULL, "print what the examples contain instead of the examples"},
	{KEY_TOOLS, "tools", "FILE", "examples for the tools listed in FILE, in any dialect, and for no others"},
	{KEY_TEACHER, "teacher", "URL", "ask the OpenAI-compatible endpoint URL instead of composing; key in $NEEDLE_TEACHER_KEY"},
	{KEY_TEACHER_CACHE, "teacher-cache", "FILE", "keep the teacher's answers in FILE and ask none of them again"},
	{KEY_TEACHER_MODEL, "teacher-model", "NAME", "the model to ask for"},
	{KEY_TEACHER_PRICE, "teacher-price", "IN,OUT", "price of a million tokens read and written, to print the cost"},
	{KEY_TEACHER_RATE, "teacher-rate", "N", "requests a minute at most [60]"},
	{KEY_TEXT, "text", NULL, "lines of query, tools and answers, to train a vocabulary on"},
	{0, NULL, NULL, NULL},
};

enum { MAX_MIXED = 64 };
/* Requests written by hand to every composed example. */
static const double REQUESTS_SHARE = 0.25;

typedef struct settings {
	ndl_synth_options synth;
	long count; /* -1: endless */
	bool list, stats, text;
	struct mixed {
		char *path; /* of the command line */
		double weight;
	} mixed[MAX_MIXED];
	size_t n_mixed;
	double composed, requests; /* weights of what is composed, of requests written by hand; below 0: as is usual */
	post_options teacher;
	const char *teacher_model, *teacher_option; /* the last of those that need --teacher */
	double price_in, price_out;
	char corpus[PATH_MAX], heldout[PATH_MAX];
} settings;

/* "FILE=WEIGHT"; "synth" is what is composed, "requests" what was written by hand. */
static void parse_mix(cli *c, settings *s, char *arg)
{
	char *equals = strrchr(arg, '=');
	if (!equals || equals == arg)
		cli_usage_error(c, "--mix: expected FILE=WEIGHT, got '%s'", arg);
	*equals = '\0';
	double weight = cli_double(c, "--mix", equals + 1, 0, 1e6);
	if (strcmp(arg, "synth") == 0) {
		s->composed = weight;
		return;
	}
	if (strcmp(arg, "requests") == 0) {
		s->requests = weight;
		return;
	}
	if (s->n_mixed == MAX_MIXED)
		cli_usage_error(c, "--mix: more than %d files", MAX_MIXED);
	if (weight > 0)
		s->mixed[s->n_mixed++] = (struct mixed){arg, weight};
}

static void parse_price(cli *c, settings *s, const char *arg)
{
	char in[32];
	const char *comma = strchr(arg, ',');
	if (!comma || (size_t)(comma - arg) >= sizeof in)
		cli_usage_error(c, "--teacher-price: expected IN,OUT, got '%s'", arg);
	snprintf(in, sizeof in, "%.*s", (int)(comma - arg), arg);
	s->price_in = cli_double(c, "--teacher-price", in, 0, 1e6);
	s->price_out = cli_double(c, "--teacher-price", comma + 1, 0, 1e6);
}

/* Is anything to be drawn that is not composed? */
static bool mixes(const settings *s)
{
	return s->n_mixed || s->requests > 0;
}

static void check_teacher(cli *c, settings *s)
{
	if (!s->teacher.url && s->teacher_option)
		cli_usage_error(c, "%s needs --teacher", s->teacher_option);
	if (!s->teacher.url)
		return;
	if (!post_available())
		cli_usage_error(c, "--teacher: this program was built without libcurl");
	if (!s->teacher_model)
		cli_usage_error(c, "--teacher needs --teacher-model");
	if (s->stats || s->text || mixes(s))
		cli_usage_error(c, "--teacher excludes --stats, --text and --mix");
	if (s->count < 0)
		cli_usage_error(c, "--teacher needs -n: an endless stream would cost without end");
}

static void parse_options(cli *c, settings *s, int argc, char **argv)
{
	static const char *const teacher_options[] = {"--teacher-model", "--teacher-rate", "--teacher-cache", "--teacher-price"};
	static const char *const splits[] = {"all", "train", "phrasing", "value", "tool", "domain", NULL};
	const char *arg;
	int key, operand;
	while ((key = cli_next(c, argc, argv, &arg, &operand)) != 0) {
		if (key > KEY_TEACHER)
			s->teacher_option = teacher_options[key - KEY_TEACHER - 1];
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
		case KEY_MIX: parse_mix(c, s, (char *)arg); break;
		case KEY_STATS: s->stats = true; break;
		case KEY_TEXT: s->text = true; break;
		case KEY_TEACHER: s->teacher.url = arg; break;
		case KEY_TEACHER_CACHE: s->teacher.cache = arg; break;
		case KEY_TEACHER_MODEL: s->teacher_model = arg; break;
		case KEY_TEACHER_PRICE: parse_price(c, s, arg); break;
		case KEY_TEACHER_RATE: s->teacher.per_minute = cli_double(c, "--teacher-rate", arg, 0.01, 1e6); break;
		case KEY_TOOLS: s->synth.tools = arg; break;
		}
	}
	if (operand < argc)
		cli_usage_error(c, "unexpected argument '%s'", argv[operand]);
	if (s->stats && s->text)
		cli_usage_error(c, "--stats and --text exclude each other");
	if (s->synth.tools && (s->synth.domains || s->synth.split > NDL_SYNTH_VALUE
		|| s->synth.split == NDL_SYNTH_PHRASING))
		cli_usage_error(c, "--tools goes with --split all, train or value, and not with --domains");
	if (s->stats && mixes(s))
		cli_usage_error(c, "--stats counts composed examples only, not --mix");
	check_teacher(c, s);
	if (s->composed == 0 && !mixes(s))
		cli_usage_error(c, "nothing is left to draw from");
}

static void fill_defaults(settings *s)
{
	if (!s->synth.corpus) {
		cli_share_path(s->corpus, sizeof s->corpus, "corpus");
		s->synth.corpus = s->corpus;
	}
	if (!s->synth.heldout) {
		cli_share_path(s->heldout, sizeof s->heldout, "heldout_hashes.txt");
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

static void report_row(void *user, const ndl_error *err)
{
	const cli *c = user;
	if (c->common.verbose)
		cli_report(c, err);
}

/* Unasked they come beside what is composed of the whole corpus, where there are any. */
static bool add_requests(ndl_mix *m, const settings *s, const ndl_heldout *held, ndl_error *err)
{
	char dir[PATH_MAX];
	bool usual = s->requests < 0 && s->composed > 0 && s->synth.split <= NDL_SYNTH_TRAIN && !s->synth.domains && !s->synth.tools;
	double weight = usual ? REQUESTS_SHARE * s->composed : s->requests;
	snprintf(dir, sizeof dir, "%s/requests", s->synth.corpus);
	if (weight <= 0 || (usual && access(dir, F_OK) != 0))
		return true;
	size_t max_tools = s->synth.max_tools ? (size_t)s->synth.max_tools : NDL_SYNTH_TOOLS;
	ndl_requests *r = ndl_requests_open(dir, s->synth.split, max_tools, held, err);
	if (r && usual && ndl_requests_count(r) == 0) {
		ndl_requests_free(r);
		return true;
	}
	return r && ndl_mix_add_requests(m, r, weight, err) == NDL_OK;
}

static ndl_mix *open_mix(cli *c, ndl_synth *synth, const settings *s, ndl_error *err)
{
	ndl_mix *m = ndl_mix_new(synth, s->composed, s->synth.seed, err);
	ndl_heldout *held = m ? ndl_heldout_load(s->synth.heldout, err) : NULL;
	ndl_lines_options o = {.heldout = held, .report = report_row, .report_user = c,
		.threads = c->common.threads};
	bool ok = held != NULL;
	for (size_t i = 0; i < s->n_mixed && ok; i++) {
		size_t good, bad, out;
		ok = ndl_mix_add(m, s->mixed[i].path, s->mixed[i].weight, &o, err) == NDL_OK;
		if (!ok)
			break;
		ndl_mix_rows(m, i, &good, &bad, &out);
		cli_verbose(c, "%s: %zu records, %zu held out", s->mixed[i].path, good, out);
		if (bad)
			cli_warn(c, "%s: left out %zu records that are no examples (-v names them)",
				s->mixed[i].path, bad);
	}
	if (ok)
		ok = add_requests(m, s, held, err);
	ndl_heldout_free(held);
	if (ok)
		return m;
	ndl_mix_free(m);
	return NULL;
}

static int write_examples(cli *c, ndl_synth *synth, const settings *s, ndl_error *err)
{
	ndl_buf out = NDL_BUF_INIT;
	int status = CLI_OK;
	ndl_mix *mix = open_mix(c, synth, s, err);
	if (!mix) {
		cli_report(c, err);
		return CLI_UNUSABLE;
	}
	for (long i = 0; (s->count < 0 || i < s->count) && !cli_stdout_failed(); i++) {
		ndl_buf_reset(&out);
		if (ndl_mix_next(mix, &out, s->text ? NDL_SYNTH_TEXT : NDL_SYNTH_JSONL, err) != NDL_OK) {
			cli_report(c, err);
			status = CLI_UNUSABLE;
			break;
		}
		fwrite(out.data, 1, out.len, stdout);
	}
	ndl_buf_clear(&out);
	ndl_mix_free(mix);
	return status;
}

/* Asking a teacher ------------------------------------------------------------------------ */

static ndl_status ask(void *user, uint64_t n, const char *body, ndl_buf *response, ndl_error *err)
{
	(void)n;
	return post_ask(user, body, response, err);
}

static void print_usage(const cli *c, const settings *s, const ndl_teacher *t, const post *p)
{
	ndl_teacher_counts n;
	post_counts sent;
	char dropped[300] = "";
	size_t used = 0;
	if (c->common.quiet)
		return;
	ndl_teacher_count(t, &n);
	post_count(p, &sent);
	for (int f = 0; f < NDL_TEACHER_FAULTS; f++)
		if (n.dropped[f])
			used += (size_t)snprintf(dropped + used, sizeof dropped - used, "%s%" PRIu64 " %s",
				used ? ", " : "", n.dropped[f], ndl_teacher_fault_name((enum ndl_teacher_fault)f));
	cli_warn(c, "%" PRIu64 " examples kept; dropped: %s", n.kept, used ? dropped : "none");
	cli_warn(c, "%" PRIu64 " requests sent, %" PRIu64 " of them again, %" PRIu64 " answers from the cache; "
		"%" PRIu64 " tokens read, %" PRIu64 " written", sent.sent, sent.tried_again, sent.from_cache, n.tokens_in,
		n.tokens_out);
	if (s->price_in > 0 || s->price_out > 0)
		cli_warn(c, "cost: %.4f", 1e-6 * (s->price_in * (double)n.tokens_in + s->price_out * (double)n.tokens_out));
}

/* "https://host/v1" is asked at "https://host/v1/chat/completions". */
static void complete_url(char out[PATH_MAX], const char *url)
{
	static const char tail[] = "/chat/completions";
	size_t n = strlen(url);
	while (n && url[n - 1] == '/')
		n--;
	bool whole = n >= sizeof tail - 1 && memcmp(url + n - (sizeof tail - 1), tail, sizeof tail - 1) == 0;
	snprintf(out, PATH_MAX, "%.*s%s", (int)n, url, whole ? "" : tail);
}

static int ask_teacher(const cli *c, ndl_synth *synth, settings *s, ndl_error *err)
{
	ndl_buf out = NDL_BUF_INIT;
	char url[PATH_MAX];
	int status = CLI_OK;
	complete_url(url, s->teacher.url);
	s->teacher.url = url;
	s->teacher.key = getenv("NEEDLE_TEACHER_KEY");
	ndl_heldout *held = ndl_heldout_load(s->synth.heldout, err);
	post *p = held ? post_open(&s->teacher, err) : NULL;
	ndl_teacher_options o = {.synth = synth, .model = s->teacher_model, .heldout = held, .ask = ask, .user = p};
	ndl_teacher *t = p ? ndl_teacher_new(&o, err) : NULL;
	bool ok = t != NULL;
	for (long i = 0; i < s->count && ok && !cli_stdout_failed(); i++) {
		ndl_buf_reset(&out);
		ok = ndl_teacher_next(t, &out, err) == NDL_OK;
		if (ok) {
			fwrite(out.data, 1, out.len, stdout);
			fflush(stdout); /* it was paid for, and the next one may take minutes */
		}
		cli_progress(c, (uint64_t)i + 1, (uint64_t)s->count, "examples");
	}
	cli_progress_end(c);
	if (!ok) {
		cli_report(c, err);
		status = CLI_UNUSABLE;
	}
	if (t)
		print_usage(c, s, t, p);
	ndl_teacher_free(t);
	post_close(p);
	ndl_heldout_free(held);
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
	settings s = {.synth = {.seed = 1}, .count = -1, .composed = 1, .requests = -1,
		.teacher = {.per_minute = 60, .tries = 6}};
	ndl_error err = NDL_ERROR_INIT;
	int status;
	cli_init(&c);
	parse_options(&c, &s, argc, argv);
	fill_defaults(&s);
	bool composes = s.composed > 0 || s.list || s.stats || s.teacher.url;
	ndl_synth *synth = composes ? ndl_synth_open(&s.synth, &err) : NULL;
	if (composes && !synth) {
		cli_report(&c, &err);
		return cli_finish(&c, err.code == NDL_EINVAL ? CLI_USAGE : CLI_UNUSABLE);
	}
	const char *mute;
	for (size_t i = 0; synth && (mute = ndl_synth_mute(synth, i)); i++)
		cli_warn(&c, "%s: no request can be made for %s; it is only offered beside others", s.synth.tools, mute);
	if (s.list) {
		status = list_domains(synth);
	} else if (s.stats) {
		status = ndl_synth_stats(synth, s.count < 0 ? 10000 : (uint64_t)s.count, stdout,
			&err) == NDL_OK ? CLI_OK : CLI_UNUSABLE;
		if (status)
			cli_report(&c, &err);
	} else if (s.teacher.url) {
		status = ask_teacher(&c, synth, &s, &err);
	} else {
		status = write_examples(&c, synth, &s, &err);
	}
	ndl_synth_close(synth);
	return cli_finish(&c, status);
}
