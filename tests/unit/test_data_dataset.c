/* dataset: rows in memory and streams, the same batches for any number of threads and after a
 * seek, dropping rules and counters; lines: loading and the split by tool and phrasing. */
#include "data/dataset.h"
#include "data/prompt.h"
#include "tests/tap.h"

#include <unistd.h>

#define VOCAB NDL_SRCDIR "/testdata/vocab-512.model"

static const ndl_config config = {.max_enc_len = 256, .max_dec_len = 128};
static ndl_tok *tok;
static char path[] = "dataset-XXXXXX";

/* Row i: tool i % 3, every seventh a refusal. */
static void write_row(FILE *f, int i)
{
	static const char *const names[] = {"set_alarm", "playSong", "find-place"};
	fprintf(f, "{\"query\":\"number %d please\",\"tools\":[", i);
	for (int k = 0; k < 3; k++)
		fprintf(f, "%s{\"name\":\"%s\",\"description\":\"d%d\",\"parameters\":{\"a\":{\"type\":\"integer\"},"
		        "\"b\":{\"type\":\"string\"}}}", k ? "," : "", names[k], k);
	if (i % 7 == 0)
		fputs("],\"answers\":[]}\n", f);
	else
		fprintf(f, "],\"answers\":[{\"name\":\"%s\",\"arguments\":{\"b\":\"please\",\"a\":%d}}]}\n", names[i % 3], i);
}

static void write_rows(int n, const char *extra)
{
	FILE *f = fopen(path, "w");
	if (!f)
		abort();
	for (int i = 0; i < n; i++)
		write_row(f, i);
	fputs(extra, f);
	if (fclose(f) != 0)
		abort();
}

static uint64_t hash_ids(uint64_t h, const int32_t *ids, const size_t *off, size_t n)
{
	h = ndl_hash64(off, (n + 1) * sizeof *off, h);
	return ndl_hash64(ids, off[n] * sizeof *ids, h);
}

static uint64_t hash_batch(const ndl_batch *b)
{
	uint64_t h = hash_ids(b->n, b->enc, b->enc_off, b->n);
	h = hash_ids(h, b->dec_in, b->dec_off, b->n);
	h = hash_ids(h, b->dec_out, b->dec_off, b->n);
	h = ndl_hash64(b->cls, b->dec_off[b->n], h);
	if (b->n_pairs) {
		h = hash_ids(h, b->query, b->query_off, b->n_pairs);
		h = hash_ids(h, b->tool, b->tool_off, b->n_pairs);
	}
	return h;
}

enum { MAX_BATCHES = 64 };
typedef struct run {
	uint64_t hash[MAX_BATCHES];
	ndl_dataset_state state[MAX_BATCHES + 1]; /* before batch i */
	size_t n, examples, pairs, last_size;
	int rc;
	ndl_error err;
} run;

/* All batches (at most MAX_BATCHES) from a fresh dataset, after seeking to `from` unless NULL. */
static void run_all(run *r, const ndl_dataset_options *o, const ndl_dataset_state *from)
{
	ndl_batch b;
	*r = (run){0};
	ndl_dataset *d = ndl_dataset_open(o, tok, &config, &r->err);
	r->rc = d ? 0 : r->err.code;
	if (d && from)
		r->rc = ndl_dataset_seek(d, from, &r->err);
	while (d && r->rc == 0 && r->n < MAX_BATCHES) {
		ndl_dataset_position(d, &r->state[r->n]);
		int got = ndl_dataset_next(d, &b, &r->err);
		if (got <= 0) {
			r->rc = got;
			break;
		}
		r->hash[r->n++] = hash_batch(&b);
		r->examples += b.n;
		r->pairs += b.n_pairs;
		r->last_size = b.n;
	}
	if (d && r->n < MAX_BATCHES)
		ndl_dataset_position(d, &r->state[r->n]);
	ndl_dataset_close(d);
}

static bool same_from(const run *a, size_t from, const run *b)
{
	if (a->n != from + b->n || memcmp(&a->state[a->n], &b->state[b->n], sizeof a->state[0]) != 0)
		return false;
	return memcmp(a->hash + from, b->hash, b->n * sizeof a->hash[0]) == 0;
}

/* The same batches with other thread counts, and from every position on. */
static void check_repeatable(const ndl_dataset_options *o, const char *what)
{
	static run all, again;
	ndl_dataset_options other = *o;
	run_all(&all, o, NULL);
	other.threads = 3;
	run_all(&again, &other, NULL);
	tap_ok(all.n > 3 && same_from(&all, 0, &again), "%s: the same with 3 threads", what);
	bool same = true;
	for (size_t i = 0; i <= all.n && i < MAX_BATCHES; i++) {
		run_all(&again, o, &all.state[i]);
		same &= again.rc == 0 && same_from(&all, i, &again);
	}
	tap_ok(same, "%s: the same from each of %zu positions", what, all.n);
	other = *o;
	other.seed++;
	run_all(&again, &other, NULL);
	tap_ok(again.hash[0] != all.hash[0], "%s: another seed, other batches", what);
}

static ndl_lines *load(const ndl_lines_options *o)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_lines *l = ndl_lines_new(&e);
	if (!l || ndl_lines_load(l, path, o, &e) != NDL_OK)
		tap_note("%s", e.text);
	return l;
}

static void test_lines_source(void)
{
	static run r;
	write_rows(50, "");
	ndl_lines *l = load(NULL);
	CHECK_INT(ndl_lines_count(l), 50);
	ndl_dataset_options o = {.lines = l, .batch_size = 8, .epochs = 3, .pairs = true, .seed = 4, .threads = 1};
	check_repeatable(&o, "lines");
	run_all(&r, &o, NULL);
	CHECK_INT(r.n, 19); /* 150 / 8, running on from epoch to epoch */
	CHECK_INT(r.examples, 150);
	CHECK_INT(r.last_size, 6);
	const ndl_dataset_counts *c = &r.state[r.n].counts;
	CHECK(c->rows == 150 && c->examples == 150 && c->refusals == 24 && c->bad == 0);
	CHECK(r.pairs <= 3 * r.n && r.pairs > 2 * r.n); /* one pair a tool and batch */
	CHECK(r.hash[0] != r.hash[6]);

	/* in order and as given: the epochs are alike */
	o = (ndl_dataset_options){.lines = l, .batch_size = 10, .epochs = 2, .in_order = true, .as_given = true};
	run_all(&r, &o, NULL);
	CHECK(r.n == 10 && memcmp(r.hash, r.hash + 5, 5 * sizeof r.hash[0]) == 0);
	/* only shuffled inside the examples: not alike */
	o.as_given = false;
	run_all(&r, &o, NULL);
	CHECK(r.n == 10 && r.hash[0] != r.hash[5]);

	const size_t subset[] = {7, 3, 49};
	o = (ndl_dataset_options){.lines = l, .subset = subset, .n_subset = 3, .epochs = 1};
	run_all(&r, &o, NULL);
	CHECK_INT(r.examples, 3);
	ndl_dataset_state bad = {.epoch = 9, .position = 0};
	run_all(&r, &o, &bad);
	CHECK_INT(r.rc, NDL_EINVAL);
	o.n_subset = 0;
	run_all(&r, &o, NULL);
	CHECK_INT(r.rc, NDL_EINVAL);
	CHECK(strstr(r.err.text, "no training examples") != NULL);
	ndl_lines_free(l);
}

static void test_stream_source(void)
{
	static run r;
	const char *only = path;
	write_rows(60, "\n  \n");
	ndl_dataset_options o = {.path = &only, .n_paths = 1, .batch_size = 7, .shuffle_buffer = 16, .pairs = true, .threads = 1};
	check_repeatable(&o, "stream");
	o.shuffle_buffer = 1000; /* more than there is */
	check_repeatable(&o, "stream in one buffer");
	run_all(&r, &o, NULL);
	CHECK(r.examples == 60 && r.state[r.n].counts.rows == 60);
	/* nothing is lost or doubled, and no row comes earlier than the buffer allows */
	o = (ndl_dataset_options){.path = &only, .n_paths = 1, .batch_size = 1, .shuffle_buffer = 16};
	ndl_error e = NDL_ERROR_INIT;
	ndl_dataset *d = ndl_dataset_open(&o, tok, &config, &e);
	ndl_batch b;
	int seen[60] = {0}, early = 0, moved = 0;
	for (int i = 0; ndl_dataset_next(d, &b, &e) == 1; i++) {
		ndl_buf text = NDL_BUF_INIT;
		int number = -1;
		ndl_tok_decode(tok, &text, b.enc, b.enc_off[1], &e);
		if (sscanf(ndl_buf_cstr(&text), "number %d", &number) == 1 && number >= 0 && number < 60)
			seen[number]++;
		early += number > i + 15;
		moved += number != i;
		ndl_buf_clear(&text);
	}
	ndl_dataset_close(d);
	int once = 1;
	for (int i = 0; i < 60; i++)
		once &= seen[i] == 1;
	CHECK(once);
	CHECK_INT(early, 0);
	CHECK(moved > 30);

	ndl_dataset_state beyond = {.position = 61};
	run_all(&r, &o, &beyond);
	CHECK_INT(r.rc, NDL_EINVAL);
	CHECK(strstr(r.err.text, "ends before") != NULL);
	only = "no-such-file";
	run_all(&r, &o, NULL);
	CHECK_INT(r.rc, NDL_EIO);
}

/* Two streams, one three times as often: both are read to their ends. */
static void test_mixed_streams(void)
{
	static run r;
	const char *both[] = {path, path};
	const double share[] = {3, 1};
	write_rows(60, "");
	ndl_dataset_options o = {.path = both, .n_paths = 2, .share = share, .batch_size = 7, .shuffle_buffer = 8, .threads = 1};
	check_repeatable(&o, "two streams");
	run_all(&r, &o, NULL);
	CHECK_INT(r.examples, 120);
	/* of the first forty rows about thirty come from the first stream: its row numbers run ahead */
	o = (ndl_dataset_options){.path = both, .n_paths = 2, .share = share, .batch_size = 40, .in_order = true, .as_given = true};
	ndl_error e = NDL_ERROR_INIT;
	ndl_dataset *d = ndl_dataset_open(&o, tok, &config, &e);
	ndl_batch b;
	int highest = -1;
	CHECK_INT(ndl_dataset_next(d, &b, &e), 1);
	for (size_t i = 0; i < b.n; i++) {
		ndl_buf text = NDL_BUF_INIT;
		int number = -1;
		ndl_tok_decode(tok, &text, b.enc + b.enc_off[i], b.enc_off[i + 1] - b.enc_off[i], &e);
		if (sscanf(ndl_buf_cstr(&text), "number %d", &number) == 1 && number > highest)
			highest = number;
		ndl_buf_clear(&text);
	}
	tap_ok(highest >= 24 && highest <= 36, "row %d of 40 is the last of the stream with share 3 in 4", highest);
	ndl_dataset_close(d);
}

/* In the epochs of a curriculum prompts grow longer, in the others they do not. */
static void test_curriculum(void)
{
	FILE *f = fopen(path, "w");
	for (int i = 0; f && i < 64; i++) /* ever longer queries, in an order that is not theirs */
		fprintf(f, "{\"query\":\"%0*d\",\"tools\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}],\"answers\":[]}\n",
		        1 + i * 29 % 64, i);
	fclose(f);
	ndl_lines *l = load(NULL);
	ndl_dataset_options o = {.lines = l, .batch_size = 16, .epochs = 2, .curriculum = 1, .threads = 1};
	check_repeatable(&o, "curriculum");
	ndl_error e = NDL_ERROR_INIT;
	ndl_dataset *d = ndl_dataset_open(&o, tok, &config, &e);
	ndl_batch b;
	size_t tokens[8];
	for (int i = 0; i < 8; i++)
		tokens[i] = ndl_dataset_next(d, &b, &e) == 1 ? b.enc_off[b.n] : 0;
	tap_note("%zu %zu %zu %zu, %zu %zu %zu %zu", tokens[0], tokens[1], tokens[2], tokens[3], tokens[4], tokens[5],
	         tokens[6], tokens[7]);
	CHECK(tokens[0] < tokens[1] && tokens[1] < tokens[2] && tokens[2] < tokens[3]);
	CHECK(!(tokens[4] < tokens[5] && tokens[5] < tokens[6] && tokens[6] <= tokens[7]));
	ndl_dataset_close(d);

	/* a row that stands twice in the subset comes twice, with another order of tools */
	const size_t twice[] = {5, 5, 5, 5};
	o = (ndl_dataset_options){.lines = l, .subset = twice, .n_subset = 4, .batch_size = 1, .epochs = 1, .in_order = true};
	static run r;
	run_all(&r, &o, NULL);
	CHECK_INT(r.examples, 4);
	CHECK(r.hash[0] != r.hash[1] || r.hash[0] != r.hash[2] || r.hash[0] != r.hash[3]);
	ndl_lines_free(l);
}

static void count_report(void *user, const ndl_error *err)
{
	size_t *lines = user; /* lines[0]: how many; then their numbers */
	lines[++lines[0]] = err->line;
}

#define LONG_QUERY "{\"query\":\"q\",\"tools\":[{\"name\":\"f\",\"parameters\":{\"a\":{\"type\":\"string\"}}}]," \
	"\"answers\":[{\"name\":\"f\",\"arguments\":{\"a\":\"%s\"}}]}\n"

static void test_bad_rows(void)
{
	static run r;
	char extra[4096], filler[600];
	size_t reports[16] = {0};
	memset(filler, 'z', sizeof filler - 1);
	filler[sizeof filler - 1] = '\0';
	int n = snprintf(extra, sizeof extra, "{broken\n{\"query\":\"x\",\"tools\":[],\"answers\":[{\"name\":\"f\"}]}\n" LONG_QUERY,
	                 filler);
	snprintf(extra + n, sizeof extra - (size_t)n, "{\"query\":\"held-out QUERY!\",\"tools\":[],\"answers\":[]}\n");
	write_rows(5, extra);

	char held_path[] = "heldout-XXXXXX", hex[NDL_QUERY_HASH_LEN + 1];
	int fd = mkstemp(held_path);
	ndl_query_hash("Held out query", 14, hex);
	CHECK(fd >= 0 && write(fd, hex, sizeof hex - 1) == (ssize_t)sizeof hex - 1);
	close(fd);
	ndl_error e = NDL_ERROR_INIT;
	ndl_heldout *h = ndl_heldout_load(held_path, &e);

	/* stream: everything is counted and reported */
	const char *only = path;
	ndl_dataset_options o = {.path = &only, .n_paths = 1, .heldout = h, .report = count_report, .report_user = reports};
	run_all(&r, &o, NULL);
	const ndl_dataset_counts *c = &r.state[r.n].counts;
	CHECK(r.rc == 0 && c->rows == 9 && c->examples == 5 && c->bad == 2 && c->too_long_dec == 1 && c->held_out == 1);
	CHECK_INT(reports[0], 2);
	CHECK(reports[1] + reports[2] == 13); /* lines 6 and 7, in the order drawn */
	o.strict = true;
	run_all(&r, &o, NULL);
	CHECK(r.rc < 0 && (r.err.line == 6 || r.err.line == 7));
	CHECK_STR(r.err.file, path);

	/* lines: bad and held-out rows never get in */
	memset(reports, 0, sizeof reports);
	ndl_lines_options lo = {.heldout = h, .report = count_report, .report_user = reports};
	ndl_lines *l = load(&lo);
	CHECK(ndl_lines_count(l) == 6 && ndl_lines_bad(l) == 2 && ndl_lines_heldout(l) == 1);
	CHECK(reports[0] == 2 && reports[1] == 6 && reports[2] == 7);
	ndl_lines_free(l);
	lo.strict = true;
	l = ndl_lines_new(&e);
	CHECK(ndl_lines_load(l, path, &lo, &e) < 0 && e.line == 6);
	ndl_lines_free(l);
	ndl_heldout_free(h);
	unlink(held_path);

	/* rows that never fit must not be looked through for ever */
	FILE *f = fopen(path, "w");
	fprintf(f, LONG_QUERY, filler);
	fclose(f);
	l = load(NULL);
	o = (ndl_dataset_options){.lines = l, .epochs = 0};
	run_all(&r, &o, NULL);
	CHECK(r.rc < 0 && strstr(r.err.text, "none of") != NULL);
	ndl_lines_free(l);
}

/* Rows of one phrasing, spelled differently, stand together. */
static int part_of(const ndl_split *s, size_t row)
{
	for (int p = 0; p < NDL_PARTS; p++)
		for (size_t i = 0; i < s->n[p]; i++)
			if (s->part[p][i] == row)
				return p;
	return -1;
}

static void test_split(void)
{
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 200; i++)
		for (int k = 0; k < 2; k++) /* twice the same phrasing */
			fprintf(f, "{\"query\":\"%s %d\",\"tools\":[{\"name\":\"many\"}],\"answers\":[{\"name\":\"many\"}]}\n",
			        k ? "Do it!" : "do IT", i);
	for (int i = 0; i < 24; i++)
		fprintf(f, "{\"query\":\"a few %d\",\"tools\":[{\"name\":\"few\"}],\"answers\":[{\"name\":\"few\"}]}\n", i);
	fprintf(f, "{\"query\":\"one\",\"tools\":[{\"name\":\"one\"}],\"answers\":[]}\n");
	fclose(f);
	ndl_lines *l = load(NULL);
	ndl_split s, again;
	ndl_error e = NDL_ERROR_INIT;
	CHECK_INT(ndl_lines_count(l), 425);
	CHECK_INT(ndl_lines_split(&s, l, 0, 5, &e), NDL_OK);
	CHECK_INT(s.n[0] + s.n[1] + s.n[2], 425);
	CHECK_INT(s.n_tools, 3);
	CHECK(strcmp(s.tools[0].name, "") == 0 && s.tools[0].n[NDL_TRAIN] == 1);
	CHECK(strcmp(s.tools[1].name, "few") == 0 && s.tools[1].n[NDL_VAL] == 2 && s.tools[1].n[NDL_TEST] == 2);
	CHECK(strcmp(s.tools[2].name, "many") == 0 && s.tools[2].n[NDL_VAL] == 20 && s.tools[2].n[NDL_TEST] == 20);
	int together = 1;
	for (size_t i = 0; i < 400; i += 2)
		together &= part_of(&s, i) == part_of(&s, i + 1);
	CHECK(together);
	CHECK_INT(ndl_lines_split(&again, l, 0, 5, &e), NDL_OK);
	CHECK(again.n[1] == s.n[1] && memcmp(again.part[1], s.part[1], s.n[1] * sizeof s.part[1][0]) == 0);
	ndl_split_clear(&again);
	CHECK_INT(ndl_lines_split(&again, l, 0, 6, &e), NDL_OK);
	CHECK(again.n[1] == s.n[1] && memcmp(again.part[1], s.part[1], s.n[1] * sizeof s.part[1][0]) != 0);
	ndl_split_clear(&again);
	ndl_split_clear(&s);
	const char *file;
	size_t line;
	ndl_lines_source(l, 424, &file, &line);
	CHECK(line == 425 && strcmp(file, path) == 0 && strcmp(ndl_lines_tool(l, 0), "many") == 0);
	ndl_lines_free(l);
}

/* Queries without a Latin letter are phrasings like others, and so are few that stand in many rows. */
static void test_split_scripts(void)
{
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 120; i++)
		fprintf(f, "{\"query\":\"\xd0\xb2\xd0\xba\xd0\xbb %c%c\",\"tools\":[{\"name\":\"a\"}],\"answers\":[{\"name\":\"a\"}]}\n",
		        0xd0, 0x90 + i % 40);
	fclose(f);
	ndl_lines *l = load(NULL);
	ndl_split s;
	ndl_error e = NDL_ERROR_INIT;
	CHECK_INT(ndl_lines_split(&s, l, 0, 5, &e), NDL_OK);
	CHECK(s.n[NDL_VAL] == 12 && s.n[NDL_TEST] == 12 && s.n[NDL_TRAIN] == 96);
	ndl_split_clear(&s);
	ndl_lines_free(l);
}

int main(void)
{
	ndl_error e = NDL_ERROR_INIT;
	int fd = mkstemp(path);
	tok = ndl_tok_load(VOCAB, &e);
	if (!tok)
		tap_note("%s", e.text);
	CHECK(fd >= 0 && tok);
	close(fd);
	if (tok) {
		test_lines_source();
		test_stream_source();
	test_mixed_streams();
	test_curriculum();
		test_bad_rows();
		test_split();
		test_split_scripts();
	}
	unlink(path);
	ndl_tok_free(tok);
	return tap_done();
}
