/* Catalogues: words, BM25 by its formula, fusion by its, files and broken files. */
#include "retrieve/retrieve.h"
#include "retrieve/retrieve_internal.h"

#include "base/rng.h"
#include "tests/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/ndl-test-retrieve-XXXXXX";

static ndl_index *index_of(const char *tools)
{
	ndl_error err = NDL_ERROR_INIT;
	json_t *list = ndl_json_parse(tools, strlen(tools), &err);
	ndl_tools *t = list ? ndl_tools_new(list, 0, &err) : NULL;
	ndl_index *x = t ? ndl_index_new(t, 0, &err) : NULL;
	if (!x)
		tap_note("%s", err.text);
	ndl_tools_free(t);
	json_decref(list);
	return x;
}

static void append(void *user, const char *word, size_t len, bool common)
{
	ndl_buf *b = user;
	ndl_buf_add(b, word, len);
	ndl_buf_add(b, common ? "_ " : " ", common ? 2 : 1);
}

static void words_are(const char *text, const char *want)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_words(text, strlen(text), append, &b);
	tap_ok(strcmp(ndl_buf_cstr(&b), want) == 0, "words of \"%s\": %s", text, ndl_buf_cstr(&b));
	ndl_buf_clear(&b);
}

static void test_words(void)
{
	words_are("getUserName", "get user name ");
	words_are("HTTPServer2Go-v2_x", "http server2 go v2 x ");
	words_are("Wake me, at 6:30!", "wake me_ at_ 6 30 ");
	words_are("timers cities bus boss goes trees lenses is", "timer city bus boss goes trees lense is_ ");
	words_are("the your which please this", "the_ your_ which_ please_ this_ ");
	words_are("4K 5G area51Map", "4k 5g area51 map ");
	words_are("alarm th thee zoo", "alarm th thee zoo ");
	words_are("Zürich naïve \"çelik\"", "zürich naïve çelik ");
	words_are("東京の天気 weather", "東 京 の 天 気 weather ");
	words_are("x\xff" "b\xc3", "x b ");
	words_are("“quoted”…done", "quoted done ");
	words_are("", "");
	char text[200], want[62];
	memset(text, 'x', 199);
	memset(want, 'x', 60);
	text[199] = '\0';
	memcpy(want + 60, " ", 2);
	words_are(text, want);
}

/* A text is said if all words of it that mean something are. */
static void test_said(void)
{
	static const char query[] = "No shuffle, please: turn the extra shots on, at half past ten";
	static const char *const said[] = {"shuffle", "extra_shot", "\"shots\":", "half", "turnOn", "the half", "ExtraShots"};
	static const char *const others[] = {"", "the", "shuffle_all_songs", "extra shot strength", "off", "shuf", "quarter"};
	ndl_error err = NDL_ERROR_INIT;
	ndl_said s = {0};
	CHECK(!ndl_said_has(&s, "half", 4));
	CHECK(ndl_said_set(&s, "half of another query", 21, &err) == NDL_OK && ndl_said_has(&s, "query", 5));
	CHECK(ndl_said_set(&s, query, strlen(query), &err) == NDL_OK && !ndl_said_has(&s, "query", 5));
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		tap_ok(ndl_said_has(&s, said[i], strlen(said[i])), "said: %s", said[i]);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		tap_ok(!ndl_said_has(&s, others[i], strlen(others[i])), "not said: %s", others[i]);
	CHECK(ndl_said_some(&s, "extra shot strength", 19) && ndl_said_some(&s, "on", 2) && !ndl_said_some(&s, "the strength", 12));
	ndl_said_clear(&s);
}

static const char three[] =
	"[{\"name\":\"set_alarm\",\"description\":\"Set an alarm.\",\"parameters\":{\"time\":{\"type\":\"string\",\"required\":true}}},"
	"{\"name\":\"playMusic\",\"description\":\"Plays music\",\"parameters\":{\"type\":\"object\",\"properties\":{\"genre\":"
	"{\"type\":\"string\",\"enum\":[\"jazz\",\"rock\"]},\"more\":{\"type\":\"object\",\"properties\":{\"volume\":{\"type\":\"integer\","
	"\"description\":\"How loud\"}}}}}},"
	"{\"name\":\"nothing\"}]";

/* playMusic has play 3 + 1, music 3 + 1, genre, jazz, rock, more, volume, how, loud: 15; set_alarm set 3 + 1,
 * alarm 3 + 1, an, time: 10; nothing 3. */
static void test_bm25(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_index *x = index_of(three);
	float s[3];
	if (!CHECK(x != NULL))
		return;
	CHECK_INT(ndl_index_count(x), 3);
	CHECK_STR(ndl_index_name(x, 1), "playMusic");
	CHECK_INT(ndl_index_bm25(x, "Play some JAZZ music, jazz!", 27, false, s, &err), NDL_OK);
	double mean = (10.0 + 15 + 3) / 3, idf = log(1 + 2.5 / 1.5), norm = 1.2 * (0.25 + 0.75 * 15 / mean);
	double want = 2 * (idf * 4 * 2.2 / (4 + norm)) + 2 * (idf * 2.2 / (1 + norm));
	tap_ok(fabs(s[1] - want) < 1e-5, "score %g, by the formula %g", (double)s[1], want);
	CHECK(s[0] == 0 && s[2] == 0);
	ndl_index_bm25(x, "how loud volumes", 16, false, s, &err);
	CHECK(s[1] > 0 && s[0] == 0);
	ndl_index_bm25(x, "the a of", 8, false, s, &err);
	CHECK(s[0] == 0 && s[1] == 0 && s[2] == 0);
	ndl_index_bm25(x, "", 0, false, s, &err);
	CHECK(s[0] == 0 && s[1] == 0 && s[2] == 0);
	/* "musical" shares 5 letters of 7 with "music", "musi" 4 of 5, "musicianship" 5 of 12 */
	double kin = idf * 4 * 2.2 / (4 + norm) / 2;
	static const struct { const char *query; bool kin; int music, alarm; } kins[] = {
		{"musical", true, 1, 0}, {"musical", false, 0, 0}, {"musi", true, 1, 0}, {"music", true, 2, 0}, {"mus", true, 0, 0},
		{"musicianship", true, 0, 0}, {"alar", true, 0, 1}, {"alert", true, 0, 0}, {"zzzz", true, 0, 0}, {"aaaa", true, 0, 0}};
	for (size_t i = 0; i < sizeof kins / sizeof *kins; i++) {
		ndl_index_bm25(x, kins[i].query, strlen(kins[i].query), kins[i].kin, s, &err);
		tap_ok(fabs(s[1] - kin * kins[i].music) < 1e-5 && (s[0] > 0) == kins[i].alarm && s[2] == 0, "kin: %s", kins[i].query);
	}
	ndl_index_free(x);
}

static void test_ranks(void)
{
	static const float head[] = {0.1f, 0.9f, 0.5f, 0.5f}, words[] = {0, 1, 3, 0};
	ndl_error err = NDL_ERROR_INIT;
	size_t order[4];
	float fused[4];
	CHECK_INT(ndl_rank_best(head, 4, order, 4, &err), NDL_OK);
	CHECK(order[0] == 1 && order[1] == 2 && order[2] == 3 && order[3] == 0);
	ndl_rank_fuse(head, words, 4, fused);
	CHECK(fabsf(fused[0] - 0.1f) < 1e-6f && fabsf(fused[1] - 0.97f) < 1e-6f);
	CHECK(fabsf(fused[2] - 0.71f) < 1e-6f && fabsf(fused[3] - 0.5f) < 1e-6f);
}

/* Files ---------------------------------------------------------------------------------- */

static ndl_index *with_vectors(void)
{
	ndl_index *x = index_of(three);
	float *v = calloc(6, sizeof *v);
	for (int i = 0; v && i < 6; i++)
		v[i] = i % 2 ? 0.6f : -0.8f;
	CHECK_INT(ndl_index_set_vectors(x, v, 2, "0123456789abcdef int8", NULL), NDL_OK);
	return x;
}

static void test_file(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_index *x = with_vectors(), *y;
	float a[3], b[3];
	size_t dim, all[3] = {0, 1, 2};
	CHECK_INT(ndl_index_write(x, path, &err), NDL_OK);
	y = ndl_index_open(path, &err);
	if (!tap_ok(y != NULL, "what was written can be read %s", err.text))
		return;
	CHECK_INT(ndl_index_count(y), 3);
	CHECK_STR(ndl_index_name(y, 1), "playMusic");
	CHECK_STR(ndl_index_by(y), "0123456789abcdef int8");
	CHECK(ndl_index_hash(y, 2) == ndl_index_hash(x, 2) && ndl_index_hash(y, 0) != ndl_index_hash(y, 1));
	CHECK(memcmp(ndl_index_vectors(y, &dim), ndl_index_vectors(x, &dim), 6 * sizeof(float)) == 0 && dim == 2);
	ndl_index_bm25(x, "set the time of an alarm", 24, false, a, &err);
	ndl_index_bm25(y, "set the time of an alarm", 24, false, b, &err);
	CHECK(memcmp(a, b, sizeof a) == 0 && a[0] > 0);
	json_t *list = ndl_index_tools(y, all, 3, &err), *given = ndl_json_parse(three, strlen(three), &err);
	CHECK(list && json_equal(list, given));
	json_decref(list);
	json_decref(given);
	ndl_index_free(x);
	ndl_index_free(y);
	x = index_of("[]");
	CHECK_INT(ndl_index_write(x, path, &err), NDL_EINVAL);
	ndl_index_free(x);
}

/* What a broken file still opens as can be asked for everything. */
static bool use(const char *bytes, size_t size)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_index *x = ndl_index_open_memory(bytes, size, &err);
	if (!x) {
		if (!err.text[0])
			tap_ok(0, "refused without a reason");
		return false;
	}
	size_t n = ndl_index_count(x), dim;
	float *s = calloc(n, sizeof *s), *q;
	size_t *order = calloc(n, sizeof *order);
	ndl_index_bm25(x, "set the alarm, play some music", 30, false, s, &err);
	ndl_rank_best(s, n, order, n, &err);
	for (size_t i = 0; i < n; i++) {
		json_t *tool = ndl_index_tools(x, &i, 1, &err);
		if (tool)
			ndl_tools_free(ndl_tools_new(tool, 0, &err));
		json_decref(tool);
		if (!strlen(ndl_index_name(x, i)))
			tap_ok(0, "a tool without a name");
	}
	if (ndl_index_vectors(x, &dim) && (q = calloc(dim, sizeof *q))) {
		ndl_index_dot(x, q, s);
		free(q);
	}
	free(s);
	free(order);
	ndl_index_free(x);
	return true;
}

/* n bytes of `what` become those of `by`, wherever they stand. */
static char *replaced(const char *bytes, size_t size, const char *what, const char *by, size_t n)
{
	char *copy = malloc(size + 1);
	memcpy(copy, bytes, size);
	for (size_t i = 0; i + n <= size; i++)
		if (memcmp(copy + i, what, n) == 0)
			memcpy(copy + i, by, n);
	return copy;
}

static void test_broken(void)
{
	static const struct {
		const char *from, *to;
		size_t len;
	} changes[] = {
		{"needle-index", "needle-indeX", 12}, {"format_version\":\"1\"", "format_version\":\"2\"", 19}, {"word/from", "word/frim", 9},
		{"vectors_by", "vectors_bY", 10}, {"\"U64\"", "\"I64\"", 5}, {"\"F32\"", "\"I32\"", 5}, {"alarm\0play", "a\0arm\0play", 10},
		{"\x9a\x99\x19\x3f", "\x9a\x99\xc0\x7f", 4} /* 0.6 to NaN */,
	};
	ndl_error err = NDL_ERROR_INIT;
	ndl_index *x = with_vectors();
	CHECK_INT(ndl_index_write(x, path, &err), NDL_OK);
	ndl_index_free(x);
	FILE *f = fopen(path, "rb");
	char *bytes = malloc(20000);
	size_t size = f ? fread(bytes, 1, 20000, f) : 0, opened = 0, cut = 0;
	if (f)
		fclose(f);
	CHECK(size > 500 && size < 20000 && use(bytes, size));
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		char *copy = replaced(bytes, size, changes[i].from, changes[i].to, changes[i].len);
		tap_ok(memcmp(copy, bytes, size) != 0 && !use(copy, size), "refused: change %zu", i);
		free(copy);
	}
	for (size_t n = 0; n < size; n += 1 + n / 40)
		cut += use(bytes, n);
	CHECK_INT(cut, 0);
	ndl_rng r;
	ndl_rng_seed(&r, 1, 0);
	for (int i = 0; i < 3000; i++) {
		size_t at = (size_t)ndl_rng_below(&r, size);
		char was = bytes[at];
		bytes[at] = (char)ndl_rng_u64(&r);
		opened += use(bytes, size);
		bytes[at] = was;
	}
	tap_note("%zu of 3000 with a changed byte can be read all the same", opened);
	CHECK(opened > 100 && opened < 2900);
	free(bytes);
}

int main(void)
{
	int fd = mkstemp(path);
	if (fd < 0)
		return 1;
	close(fd);
	CHECK(ndl_xxh64("", 0, 0) == 0xef46db3751d8e999u);
	CHECK(ndl_xxh64("abc", 3, 0) == 0x44bc2cf5ad770999u);
	CHECK(ndl_xxh64("Nobody inspects the spammish repetition", 39, 0) == 0xfbcea83c8a378bf1u);
	test_words();
	test_said();
	test_bm25();
	test_ranks();
	test_file();
	test_broken();
	unlink(path);
	return tap_done();
}
