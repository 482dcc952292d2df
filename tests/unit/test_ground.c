/* What may be copied from a query, and which values of an answer are copies. */
#include "session/session.h"

#include "readings/readings.h"
#include "session/search_internal.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check(enum ndl_copied kind, const char *query, const char *value, const char *source)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ground g = {0};
	size_t from = 0, to = 0;
	bool ok = ndl_ground_set(&g, query, strlen(query), 0, &err) == NDL_OK;
	bool found = ok && ndl_ground_span(&g, kind, value, strlen(value), &from, &to);
	if (!source)
		tap_ok(ok && !found, "\"%s\" is not in: %s", value, query);
	else if (!tap_ok(found && to - from == strlen(source) && memcmp(query + from, source, to - from) == 0,
	                 "\"%s\" comes from \"%s\" in: %s", value, source, query))
		tap_note("found %zu to %zu", from, to);
	ndl_ground_clear(&g);
}

static void check_span(const char *query, const char *value, const char *source)
{
	check(NDL_COPIED_TEXT, query, value, source);
}

static void check_number(const char *query, const char *value, const char *source)
{
	check(NDL_COPIED_NUMBER, query, value, source);
}

static void test_spans(void)
{
	const char *q = "Tell  Maria's cousin\tZo\xc3\xab \"call me\" at half past six, reminders 12b\xe2\x80\x99s";
	check_span(q, "maria", "Maria");
	check_span(q, "Maria's Cousin Zo\xc3\xab", "Maria's cousin\tZo\xc3\xab");
	check_span(q, "reminder", "reminder");
	check_span(q, "\\\"call me\\\"", "\"call me\"");
	check_span(q, "12", "12");
	check_span(q, "12b", "12b");
	check_span("tea at 7:55pm in 4K", "K", NULL);
	check_span(q, "ousin", NULL);
	check_span(q, "cous", NULL);
	check_span(q, "Tell Maria cousin", NULL);
	check_span(q, "", NULL);
	check_span("", "x", NULL);
	check_span("a\x01" "b\\c", "a", "a");
	check_span("a\x01" "b\\c", "b\\\\c", "b\\c");
	/* readings: as wholes only */
	check_span(q, "6:30 PM", "half past six");
	check_span(q, "06:3", NULL);
	check_span(q, "06", NULL);
	check_span("tomorrow, it's 29 November 2026", "2026-11-30", "tomorrow");
}

/* What is of one piece is copied whole (runs.c), quotes of other kinds as plain ones. */
static void test_runs(void)
{
	static const char *const whole[][2] = {
		{"read /etc/nginx/nginx.conf now", "/etc/nginx/nginx.conf"}, {"(see https://x.org/a?b=c).", "https://x.org/a?b=c"},
		{"mail bo.x@y.org, please", "bo.x@y.org"}, {"from 10.0.0.0/8 on", "10.0.0.0/8"}, {"open my_notes.txt", "my_notes.txt"},
		{"called \"Tea (hot)\" now", "Tea (hot)"}, {"the kids' room is 'so cold'", "so cold"}, {"the kids' room is 'so cold'", "room"},
		{"\"turn it off\"", "off"}, {"and/or 18:30-19:00 Paris-Rome", "Rome"}, {"and/or 18:30-19:00 Paris-Rome", "or"},
		{"NAME=so cold", "so"}, {"copy it to gs://a/b/", "gs://a/b/"}, {"run ~/x.sh", "~/x.sh"}, {"find TODO|FIXME", "TODO|FIXME"},
	};
	static const char *const parts[][2] = {
		{"read /etc/nginx/nginx.conf now", "nginx.conf"}, {"read /etc/nginx/nginx.conf now", "/etc"}, {"see https://x.org/a", "x.org"},
		{"mail bo.x@y.org, please", "bo"}, {"from 10.0.0.0/8 on", "0.0.0/8"}, {"open my_notes.txt", "notes"},
		{"called \"Tea (hot)\" now", "Tea"}, {"the room is 'so cold'", "cold"}, {"copy it to gs://a/b/", "gs://a/b"},
	};
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		check_span(whole[i][0], whole[i][1], whole[i][1]);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		check_span(parts[i][0], parts[i][1], NULL);
	check_span("run C:\\Tea\\x.txt", "C:\\\\Tea\\\\x.txt", "C:\\Tea\\x.txt");
	check_span("tell Maria\xe2\x80\x99s cousin", "Maria's cousin", "Maria\xe2\x80\x99s cousin");
	check_span("call it \xe2\x80\x9eso cold\xe2\x80\x9c", "so cold", "so cold");
	check_span("call it `so cold`", "so", NULL);
}

static void test_numbers(void)
{
	check_number("set volume to 35%", "35", "35");
	check_number("set volume to 35%", "0.35", "35");
	check_number("set volume to 35%", "3", NULL);
	check_number("at -11.0598, 5.20", "11.0598", "11.0598");
	check_number("at -11.0598, 5.20", "11.059", NULL);
	check_number("at -11.0598, 5.20", "5.2", "5.20");
	check_number("to -18 degrees", "-18", "-18");
	check_number("minus 18 degrees", "-18", "18");
	check_number("a .5 mm nib", "5", NULL);
	check_number("on May 3rd, 2027", "2027", "2027");
	check_number("no number", "1", NULL);
}

/* Today's date is not to be copied where the query states it for the sake of other days. */
static void check_told(const char *query, size_t from, size_t to)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ground g = {0};
	bool ok = ndl_ground_set(&g, query, strlen(query), 0, &err) == NDL_OK;
	tap_ok(ok && g.told.from == from && g.told.to == to && g.has_days == (to > 0), "today's date in: %s", query);
	ndl_ground_clear(&g);
}

static void test_told(void)
{
	check_told("tomorrow (today is 29 November 2026)", 10, 35);
	check_told("log that today is 29 November 2026", 0, 0);
	check_told("tomorrow", 0, 0);
}

static json_t *tool_list(void)
{
	ndl_error err = NDL_ERROR_INIT;
	static const char text[] =
		"[{\"name\":\"trip\",\"parameters\":{\"type\":\"object\",\"properties\":{\"from\":{\"type\":\"string\"},\"to\":{\"type\":\"string\"},"
		"\"seats\":{\"type\":\"integer\"},\"class\":{\"type\":\"string\",\"enum\":[\"first\",\"second\"]},"
		"\"stops\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"prices\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},"
		"\"rate\":{\"type\":\"number\",\"enum\":[1,2]},\"volume_ml\":{\"type\":\"integer\"},\"minute\":{\"type\":\"integer\"},"
		"\"walkMinutes\":{\"type\":\"integer\"},\"at\":{\"type\":\"string\",\"description\":\"24-hour time, HH:MM\"},"
		"\"utc\":{\"type\":\"string\",\"description\":\"HH:MM:SS\"}}}},"
		"{\"name\":\"wait\",\"parameters\":{\"type\":\"object\",\"properties\":{\"hours\":{\"type\":\"integer\"},"
		"\"rest\":{\"type\":\"integer\",\"description\":\"Minutes beside these\"},\"on\":{\"type\":\"string\"},"
		"\"day\":{\"type\":\"string\",\"description\":\"YYYY-MM-DD\"}}}},"
		"{\"name\":\"stay\",\"parameters\":{\"type\":\"object\",\"properties\":{\"check_in\":{\"type\":\"string\",\"format\":\"date\"},"
		"\"check_out\":{\"type\":\"string\",\"format\":\"date\"},\"until\":{\"type\":\"string\"},\"when\":{\"type\":\"string\"}}}},"
		"{\"name\":\"money\",\"parameters\":{\"type\":\"object\",\"properties\":{\"into\":{\"type\":\"string\",\"description\":\"Currency code\"},"
		"\"of\":{\"type\":\"string\",\"description\":\"Currency, ISO 4217\"}}}},"
		"{\"name\":\"born\",\"parameters\":{\"type\":\"object\",\"properties\":{\"day\":{\"type\":\"integer\"},\"month\":{\"type\":\"integer\"},"
		"\"year\":{\"type\":\"integer\"}}}},"
		"{\"name\":\"meet\",\"parameters\":{\"type\":\"object\",\"properties\":{\"start\":{\"type\":\"string\",\"format\":\"date-time\"},"
		"\"end\":{\"type\":\"string\",\"description\":\"YYYY-MM-DD HH:MM\"},\"alarm\":{\"type\":\"string\",\"format\":\"time\"}}}},"
		"{\"name\":\"ring\",\"parameters\":{\"type\":\"object\",\"properties\":{\"hour\":{\"type\":\"integer\"},\"minute\":{\"type\":\"integer\"},"
		"\"at\":{\"type\":\"string\"},\"minutes\":{\"type\":\"integer\"}}}},"
		"{\"name\":\"lamp\",\"parameters\":{\"type\":\"object\",\"properties\":{\"level\":{\"type\":\"integer\",\"minimum\":0,"
		"\"maximum\":20},\"share\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":0.7}}}},"
		"{\"name\":\"visit\",\"parameters\":{\"type\":\"object\",\"properties\":{\"page\":{\"type\":\"string\",\"format\":\"uri\"}}}},"
		"{\"name\":\"ring12\",\"parameters\":{\"type\":\"object\",\"properties\":{\"hour\":{\"type\":\"integer\"},"
		"\"half\":{\"type\":\"string\",\"enum\":[\"am\",\"pm\"]}}}},"
		"{\"name\":\"send\",\"parameters\":{\"type\":\"object\",\"properties\":{\"to\":{\"type\":\"string\",\"format\":\"email\"},"
		"\"link\":{\"type\":\"string\",\"format\":\"uri\"}}}}]";
	return ndl_json_parse(text, strlen(text), &err);
}

/* The value under way at the end of an answer, "-" if there is none that is copied; and how many came before it. */
static void check_copies(const ndl_tools *t, const char *answer, enum ndl_copied kind, const char *now, size_t earlier)
{
	ndl_copies c;
	size_t len = strlen(answer);
	ndl_copies_find(&c, t, answer, len);
	bool ok = c.now.kind == kind && c.n == earlier;
	if (kind != NDL_COPIED_NOT)
		ok = ok && c.now.to == len && strcmp(answer + c.now.from, now) == 0;
	if (!tap_ok(ok, "%s", answer))
		tap_note("kind %d, %zu..%zu, %zu earlier", (int)c.now.kind, c.now.from, c.now.to, c.n);
}

#define CALL " [{\"name\":\"trip\",\"arguments\":{"
#define WAIT " [{\"name\":\"wait\",\"arguments\":{"

static void test_copies(const ndl_tools *t)
{
	check_copies(t, "", NDL_COPIED_NOT, NULL, 0);
	check_copies(t, " [{\"name\":\"tri", NDL_COPIED_NOT, NULL, 0);
	check_copies(t, CALL "\"fro", NDL_COPIED_NOT, NULL, 0);
	check_copies(t, CALL "\"from\":\"", NDL_COPIED_TEXT, "", 0);
	check_copies(t, CALL "\"from\":\"New Yo", NDL_COPIED_TEXT, "New Yo", 0);
	check_copies(t, CALL "\"from\":\"New \\\"Yo", NDL_COPIED_TEXT, "New \\\"Yo", 0);
	check_copies(t, CALL "\"from\":\"Rome\"", NDL_COPIED_NOT, NULL, 1);
	check_copies(t, CALL "\"from\":\"Rome\",\"seats\":", NDL_COPIED_NUMBER, "", 1);
	check_copies(t, CALL "\"from\":\"Rome\",\"seats\":-1", NDL_COPIED_NUMBER, "-1", 1);
	check_copies(t, CALL "\"from\":\"Rome\",\"seats\":12,\"to\":\"O", NDL_COPIED_TEXT, "O", 2);
	check_copies(t, CALL "\"seats\":1,\"to:", NDL_COPIED_NOT, NULL, 1);
	check_copies(t, CALL "\"class\":\"fi", NDL_COPIED_NOT, NULL, 0);
	check_copies(t, CALL "\"class\":\"first\",\"rate\":1,\"to\":\"", NDL_COPIED_TEXT, "", 0);
	check_copies(t, CALL "\"stops\":[\"a\",\"b", NDL_COPIED_TEXT, "b", 1);
	check_copies(t, CALL "\"prices\":[", NDL_COPIED_NUMBER, "", 0);
	check_copies(t, CALL "\"prices\":[1.5,", NDL_COPIED_NUMBER, "", 1);
	check_copies(t, CALL "\"prices\":[1.5,2", NDL_COPIED_NUMBER, "2", 1);
	check_copies(t, CALL "\"prices\":[1.5,2],", NDL_COPIED_NOT, NULL, 2);
	check_copies(t, CALL "\"from\":\"a\",\"to\":\"b\"}}," "{\"name\":\"trip\",\"arguments\":{\"to\":\"", NDL_COPIED_TEXT, "", 0);
	check_copies(t, CALL "\"from\":\"a\",\"to\":\"b\"}}," "{\"name\":\"none\",\"arguments\":{\"to\":\"", NDL_COPIED_NOT, NULL, 0);
}

/* Whether a token that spells `bytes` keeps to the query after an answer, and clear of what was copied before. */
static void check_kept(const ndl_engine *e, const ndl_tools *t, const char *query, const char *answer, const char *bytes,
                       enum ndl_copied kind, bool kept, bool fresh)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ground g = {0};
	ndl_buf text = NDL_BUF_INIT, scratch = NDL_BUF_INIT;
	size_t words = ndl_vocab_trie_words(e->trie), len;
	uint64_t *mask = calloc(3 * words, sizeof *mask);
	ndl_kept k = {.bits = mask + words, .fresh_bits = mask + 2 * words};
	ndl_buf_str(&text, answer);
	int32_t id = -1;
	for (int32_t i = NDL_TOOLS + 1; i < (int32_t)ndl_tok_size(e->tok) && id < 0; i++) {
		const char *piece = ndl_tok_bytes(e->tok, i, &len);
		if (len == strlen(bytes) && memcmp(piece, bytes, len) == 0)
			id = i;
	}
	bool ok = id >= 0 && ndl_ground_set(&g, query, strlen(query), 0, &err) == NDL_OK;
	enum ndl_copied found = ok ? ndl_ground_keep(&g, e, t, &text, mask, &k, &scratch) : NDL_COPIED_NOT;
	ok = ok && found == kind;
	if (ok && kind != NDL_COPIED_NOT) {
		bool in = k.bits[id / 64] >> (id % 64) & 1;
		ok = in == kept && (!kept || (k.fresh ? (bool)(k.fresh_bits[id / 64] >> (id % 64) & 1) : true) == fresh);
	}
	tap_ok(ok, "\"%s\" after %s: %s", bytes, answer, query);
	free(mask);
	ndl_buf_clear(&text);
	ndl_buf_clear(&scratch);
	ndl_ground_clear(&g);
}

static void test_kept(const ndl_engine *e, const ndl_tools *t)
{
	const char *q = "3 seats from b to c, x5 or 12";
	check_kept(e, t, q, CALL "\"from\":\"", "b", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, CALL "\"from\":\"", "d", NDL_COPIED_TEXT, false, false);
	check_kept(e, t, q, CALL "\"from\":\"d", "e", NDL_COPIED_NOT, false, false);
	check_kept(e, t, q, CALL "\"from\":\"b\",\"to\":\"", "b", NDL_COPIED_TEXT, true, false);
	check_kept(e, t, q, CALL "\"from\":\"b\",\"to\":\"", "c", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, "from b to b", CALL "\"from\":\"b\",\"to\":\"", "b", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, CALL "\"from\":\"b\"}},{\"name\":\"trip\",\"arguments\":{\"to\":\"", "b", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, CALL "\"seats\":", "3", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"seats\":", "4", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, q, CALL "\"seats\":", "-", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"seats\":-", "3", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"seats\":1", "2", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"seats\":1", "}", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, q, CALL "\"seats\":12", "}", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"from\":\"x5\",\"seats\":", "5", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, CALL "\"prices\":[-3,", "3", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, "no number", CALL "\"seats\":", "5", NDL_COPIED_NOT, false, false);
	check_kept(e, t, "-18 or 25", CALL "\"seats\":", "1", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "-18 or 25", CALL "\"seats\":-", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "minus twelve degrees", CALL "\"seats\":", "1", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "minus twelve degrees", CALL "\"seats\":-1", "2", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "set it to minus 18", CALL "\"seats\":", "1", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "40 minus 18", CALL "\"seats\":", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "18-25", CALL "\"seats\":", "2", NDL_COPIED_NUMBER, true, true);
}

#define SEND " [{\"name\":\"send\",\"arguments\":{"

/* What has begun with a path goes on with it, in its case: no other token is fresh. URLs and addresses are copied where there are some. */
static void test_bound(const ndl_engine *e, const ndl_tools *t)
{
	const char *q = "move /xa/Ab.c, in the Aftermath";
	check_kept(e, t, q, CALL "\"from\":\"/xa/", "A", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, CALL "\"from\":\"/xa/", "a", NDL_COPIED_TEXT, true, false);
	check_kept(e, t, q, CALL "\"from\":\"/", "X", NDL_COPIED_TEXT, true, true); /* it has only begun */
	check_kept(e, t, q, CALL "\"from\":\"the ", "a", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, "call it 'so Cold'", CALL "\"from\":\"so ", "c", NDL_COPIED_TEXT, true, false);
	check_kept(e, t, "call it 'so, Cold'", CALL "\"stops\":[\"so, ", "c", NDL_COPIED_TEXT, true, true); /* a list may have parts */
	q = "'so cold' for 'so old'";
	check_kept(e, t, q, CALL "\"from\":\"so cold\",\"to\":\"so ", "c", NDL_COPIED_TEXT, true, false); /* taken */
	check_kept(e, t, q, CALL "\"from\":\"so cold\",\"to\":\"so ", "o", NDL_COPIED_TEXT, true, true);
	q = "mail bo@x.org about https://x.org";
	check_kept(e, t, q, SEND "\"to\":\"", "b", NDL_COPIED_EMAIL, true, true);
	check_kept(e, t, q, SEND "\"to\":\"", "m", NDL_COPIED_EMAIL, false, false);
	check_kept(e, t, q, SEND "\"link\":\"", "h", NDL_COPIED_LINK, true, true);
	check_kept(e, t, q, SEND "\"link\":\"", "b", NDL_COPIED_LINK, false, false);
	check_kept(e, t, "mail Bo", SEND "\"to\":\"", "B", NDL_COPIED_NOT, false, false);
}

/* A time, where the description says that it is one: fresh tokens are all that may follow. */
static void test_clock(const ndl_engine *e, const ndl_tools *t)
{
	const char *q = "wake 2 at half past 5 in the morning";
	check_kept(e, t, q, CALL "\"at\":\"", "0", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, CALL "\"at\":\"", "h", NDL_COPIED_TEXT, true, false);
	check_kept(e, t, q, CALL "\"at\":\"05:", "3", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, CALL "\"at\":\"05:30", "\"", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, CALL "\"utc\":\"", "h", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, "when it rains", CALL "\"at\":\"", "w", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, "in 20 minutes", CALL "\"at\":\"", "i", NDL_COPIED_TEXT, true, true); /* no time of the clock */
	check_kept(e, t, "at 18h30", CALL "\"at\":\"18:", "3", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, "at 18h30", CALL "\"at\":\"18:", "0", NDL_COPIED_TEXT, false, false);
}

/* The number that counts what the argument does. */
static void test_units(const ndl_engine *e, const ndl_tools *t)
{
	const char *q = "12 bags, 3 seats, half a litre, 5 hours and 20 minutes";
	check_kept(e, t, q, CALL "\"seats\":", "3", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"seats\":", "1", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, CALL "\"volume_ml\":", "5", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"volume_ml\":5", "0", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"volume_ml\":50", "}", NDL_COPIED_NUMBER, false, false); /* centilitres */
	check_kept(e, t, q, CALL "\"volume_ml\":500", "}", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"volume_ml\":", "2", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, CALL "\"walkMinutes\":", "3", NDL_COPIED_NUMBER, true, true); /* 320 */
	check_kept(e, t, q, CALL "\"walkMinutes\":", "2", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, CALL "\"walkMinutes\":", "1", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, CALL "\"minute\":", "1", NDL_COPIED_NUMBER, true, true); /* of the clock: any */
	check_kept(e, t, "3 seats, then 12", CALL "\"seats\":3,\"volume_ml\":", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "3 seats, then 12", CALL "\"seats\":3}},{\"name\":\"trip\",\"arguments\":{\"seats\":", "1",
	           NDL_COPIED_NUMBER, true, true); /* what counts them went to the call before */
	check_kept(e, t, "a 5 km walk", CALL "\"walkMinutes\":", "5", NDL_COPIED_NUMBER, false, false); /* it counts something else */
	check_kept(e, t, "a 5 km walk", CALL "\"walkMinutes\":5", "0", NDL_COPIED_NOT, false, false);
	check_kept(e, t, "a 5 km walk, 12", CALL "\"walkMinutes\":", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "a 5 km walk, 12", CALL "\"walkMinutes\":", "5", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "a walk of 20 seconds", CALL "\"walkMinutes\":", "2", NDL_COPIED_NUMBER, false, false); /* the same, but no minutes */
	check_kept(e, t, "a 5 m walk", CALL "\"volume_ml\":", "5", NDL_COPIED_NUMBER, true, true); /* metres or minutes */
	check_kept(e, t, "12 bags", CALL "\"seats\":", "1", NDL_COPIED_NUMBER, true, true); /* none counts them: any */
}

/* What has decimals is no integer. */
static void test_integers(const ndl_engine *e, const ndl_tools *t)
{
	check_kept(e, t, "at half speed", CALL "\"seats\":", "5", NDL_COPIED_NUMBER, true, true); /* 50 */
	check_kept(e, t, "at half speed", CALL "\"seats\":", "0", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "at half speed", CALL "\"prices\":[", "0", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "2.5 million", CALL "\"prices\":[", "2", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "2.5 million", CALL "\"prices\":[2", ".", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "3/4 cup", CALL "\"prices\":[", "0", NDL_COPIED_NUMBER, true, true); /* the 3 and the 4 are no numbers */
	check_kept(e, t, "3/4 cup", CALL "\"prices\":[", "3", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "3/4 cup", CALL "\"prices\":[", "7", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "1,5 litres", CALL "\"prices\":[1", ".", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "1,5 litres", CALL "\"prices\":[1", "}", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "1,5 litres", CALL "\"prices\":[1", "5", NDL_COPIED_NUMBER, true, false); /* decilitres */
	check_kept(e, t, "1,5 litres", CALL "\"from\":\"1", ",", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, "3,4 and 5", CALL "\"prices\":[3", "}", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "1.5 or 30", CALL "\"seats\":", "1", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "only 1.5", CALL "\"seats\":", "1", NDL_COPIED_NUMBER, false, false);
}

#define LAMP " [{\"name\":\"lamp\",\"arguments\":{"

/* A number that the schema does not allow is not cut to one that it does. */
static void test_bounds(const ndl_engine *e, const ndl_tools *t)
{
	check_kept(e, t, "92 or 5", LAMP "\"level\":", "9", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "92 or 5", LAMP "\"level\":", "5", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "92", LAMP "\"level\":", "9", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "20", LAMP "\"level\":", "2", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "-3", LAMP "\"level\":-", "3", NDL_COPIED_NOT, false, false);
	check_kept(e, t, "0.7", LAMP "\"share\":0.", "7", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "0.71", LAMP "\"share\":", "0", NDL_COPIED_NUMBER, false, false);
}

/* Durations whole or in parts, and days in one form or another, as the tool asks for them. */
static void test_asked(const ndl_engine *e, const ndl_tools *t)
{
	static const char q[] = "5 hours and 20 minutes, from 3 May 2027 on";
	check_kept(e, t, q, WAIT "\"hours\":", "5", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, WAIT "\"rest\":", "2", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, WAIT "\"rest\":", "3", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, "two and a half hours", WAIT "\"hours\":", "2", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "two and a half hours", WAIT "\"hours\":2,\"rest\":", "3", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "two and a half hours", WAIT "\"hours\":2,\"rest\":", "1", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, "two and a half hours", CALL "\"walkMinutes\":", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "two and a half hours", CALL "\"walkMinutes\":", "3", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "5 hours and 20 minutes, 4 of us", CALL "\"walkMinutes\":320,\"walkMinutes\":", "3", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, "ninety minutes", WAIT "\"hours\":", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "ninety minutes", WAIT "\"hours\":", "9", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, "a tea in 90 minutes", WAIT "\"hours\":1,\"rest\":", "3", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "a tea in 90 minutes", WAIT "\"hours\":1,\"rest\":", "9", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, "2 hours", WAIT "\"hours\":2,\"rest\":", "0", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "20 minutes", CALL "\"seats\":", "0", NDL_COPIED_NUMBER, false, false); /* hours are not asked for */
	check_kept(e, t, "20 minutes", WAIT "\"hours\":", "0", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, WAIT "\"day\":\"2027", "-", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, WAIT "\"day\":\"2027", "\"", NDL_COPIED_TEXT, true, false);
	check_kept(e, t, q, WAIT "\"on\":\"2027", "-", NDL_COPIED_TEXT, false, false);
	check_kept(e, t, q, WAIT "\"on\":\"2027", "\"", NDL_COPIED_TEXT, true, true);
}

#define MEET " [{\"name\":\"meet\",\"arguments\":{"

/* Times alone and on days, where the format or the description wants that. */
static void test_moments(const ndl_engine *e, const ndl_tools *t)
{
	const char *q = "at half past 5 pm and 9:15 on 3 May 2027", *start = MEET "\"start\":\"";
	check_kept(e, t, q, MEET "\"start\":\"", "2", NDL_COPIED_MOMENT, true, true);
	check_kept(e, t, q, MEET "\"start\":\"", "h", NDL_COPIED_MOMENT, false, false);
	check_kept(e, t, q, MEET "\"start\":\"2027-05-03T17:30:00", "Z", NDL_COPIED_MOMENT, true, true);
	check_kept(e, t, q, MEET "\"start\":\"2027-05-03T17:30:00", "z", NDL_COPIED_MOMENT, false, false);
	check_kept(e, t, q, MEET "\"start\":\"2027-05-03T", "1", NDL_COPIED_MOMENT, true, true);
	check_kept(e, t, q, MEET "\"start\":\"2027-05-03T17:30:00Z\",\"end\":\"2027-05-03 ", "0",
	           NDL_COPIED_MOMENT, true, true);
	check_kept(e, t, q, MEET "\"start\":\"2027-05-03T17:30:00Z\",\"end\":\"2027-05-03 ", "1",
	           NDL_COPIED_MOMENT, true, false);
	check_kept(e, t, q, MEET "\"end\":\"2027-05-03 17:30", "\"", NDL_COPIED_MOMENT, true, true);
	check_kept(e, t, q, MEET "\"alarm\":\"1", "7", NDL_COPIED_TIME, true, true);
	check_kept(e, t, q, MEET "\"alarm\":\"17:30:00", "Z", NDL_COPIED_TIME, true, true);
	check_kept(e, t, q, MEET "\"end\":\"2027-05-03", "T", NDL_COPIED_MOMENT, false, false);
	check_kept(e, t, "see you", start, "s", NDL_COPIED_NOT, false, false);
	check_kept(e, t, "see you", MEET "\"end\":\"", "s", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, CALL "\"from\":\"2027-05-03", "T", NDL_COPIED_NOT, false, false);
}

#define STAY " [{\"name\":\"stay\",\"arguments\":{"

/* The first of two is not for who asks for the last. */
static void test_ends(const ndl_engine *e, const ndl_tools *t)
{
	const char *q = "from 3 May until 9 May 2027, 10:00 to 12:00";
	check_kept(e, t, q, STAY "\"check_in\":\"2027-05-0", "3", NDL_COPIED_DATE, true, true);
	check_kept(e, t, q, STAY "\"check_in\":\"2027-05-0", "9", NDL_COPIED_DATE, false, false);
	check_kept(e, t, q, STAY "\"check_out\":\"2027-05-0", "3", NDL_COPIED_DATE, false, false);
	check_kept(e, t, q, STAY "\"check_out\":\"2027-05-0", "9", NDL_COPIED_DATE, true, true);
	check_kept(e, t, q, STAY "\"until\":\"1", "2", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, STAY "\"until\":\"1", "0", NDL_COPIED_TEXT, false, false);
	check_kept(e, t, q, STAY "\"when\":\"1", "0", NDL_COPIED_TEXT, true, true);
	q = "from 3 May until 9 May 2027, paid on 12 May 2027"; /* what is no end of the two is not asked for */
	check_kept(e, t, q, STAY "\"check_in\":\"2027-05-", "1", NDL_COPIED_DATE, true, false);
	q = "from 9:30 to 10:15 on 3 May 2027"; /* neither is in the evening */
	check_kept(e, t, q, MEET "\"start\":\"2027-05-03T", "0", NDL_COPIED_MOMENT, true, true);
	check_kept(e, t, q, MEET "\"start\":\"2027-05-03T", "2", NDL_COPIED_MOMENT, false, false);
	check_kept(e, t, q, MEET "\"start\":\"2027-05-03T09:30:00Z\",\"end\":\"2027-05-03 ", "1", NDL_COPIED_MOMENT, true, true);
	check_kept(e, t, q, MEET "\"start\":\"2027-05-03T09:30:00Z\",\"end\":\"2027-05-03 ", "2", NDL_COPIED_MOMENT, false, false);
	check_kept(e, t, "on 12 May 2027", STAY "\"check_in\":\"2027-05-", "1", NDL_COPIED_DATE, true, true);
}

/* Addresses as URIs, whole, with a scheme if they have none. */
static void test_links(const ndl_engine *e, const ndl_tools *t)
{
	const char *page = " [{\"name\":\"visit\",\"arguments\":{\"page\":\"";
	const char *https = " [{\"name\":\"visit\",\"arguments\":{\"page\":\"https://e", *end = " [{\"name\":\"visit\",\"arguments\":{\"page\":\"https://e.org";
	check_kept(e, t, "open e.org", page, "h", NDL_COPIED_LINK, true, true);
	check_kept(e, t, "open e.org", page, "e", NDL_COPIED_LINK, false, false);
	check_kept(e, t, "open e.org", https, ".", NDL_COPIED_LINK, true, true);
	check_kept(e, t, "open (e.org).", end, "\"", NDL_COPIED_LINK, true, true);
	check_kept(e, t, "open ftp://e.org/x", page, "f", NDL_COPIED_LINK, true, true);
	check_kept(e, t, "open ftp://e.org/x", page, "h", NDL_COPIED_LINK, false, false);
	check_kept(e, t, "open E.ORG/x?y", end, "/", NDL_COPIED_LINK, true, true);
	check_kept(e, t, "open 2.5 a.b@e.org x..org e. .org e.2", page, "h", NDL_COPIED_NOT, false, false);
	check_kept(e, t, "open e.org", CALL "\"from\":\"", "h", NDL_COPIED_TEXT, false, false);
	check(NDL_COPIED_LINK, "open e.org", "https://e.org", "e.org");
}

#define MONEY " [{\"name\":\"money\",\"arguments\":{"

/* Codes of currencies, for those who ask for them. */
static void test_codes(const ndl_engine *e, const ndl_tools *t)
{
	const char *q = "20 dollars in euros";
	check_kept(e, t, q, MONEY "\"into\":\"", "E", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, MONEY "\"into\":\"", "e", NDL_COPIED_TEXT, true, false);
	check_kept(e, t, q, MONEY "\"into\":\"", "d", NDL_COPIED_TEXT, true, false);
	check_kept(e, t, q, MONEY "\"into\":\"EUR\",\"of\":\"", "E", NDL_COPIED_TEXT, true, false);
	check_kept(e, t, q, MONEY "\"into\":\"EUR\",\"of\":\"", "U", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, CALL "\"from\":\"EUR", "\"", NDL_COPIED_TEXT, false, false);
	check_kept(e, t, "20 forints", MONEY "\"into\":\"", "f", NDL_COPIED_TEXT, true, true);
}

#define BORN " [{\"name\":\"born\",\"arguments\":{"
#define RING "{\"name\":\"ring\",\"arguments\":{"

/* The hour and the minute of a time of day, and what lies between two. */
static void test_clock_parts(const ndl_engine *e, const ndl_tools *t)
{
	const char *q = "at quarter to six in the evening, and once more, but not before I call you back: 7 30", *half = " [{\"name\":\"ring12\",\"arguments\":{\"hour\":";
	check_kept(e, t, q, " [" RING "\"hour\":", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, " [" RING "\"hour\":1", "7", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, " [" RING "\"hour\":", "2", NDL_COPIED_NUMBER, true, false); /* a quarter of 100 */
	check_kept(e, t, q, " [" RING "\"hour\":17,\"minute\":", "4", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, " [" RING "\"hour\":17,\"minute\":", "3", NDL_COPIED_NUMBER, true, false); /* of the other time */
	check_kept(e, t, q, " [" RING "\"hour\":7,\"minute\":", "3", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, " [" RING "\"hour\":17,\"minute\":45}}," RING "\"hour\":", "7", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, " [" RING "\"hour\":17,\"minute\":45}}," RING "\"hour\":", "1", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, "at quarter to six pm", " [" RING "\"minute\":45,\"hour\":1", "7", NDL_COPIED_NUMBER, true, true);
	q = "tonight at ten past six, then quarter to eight";
	check_kept(e, t, q, " [" RING "\"minute\":10,\"hour\":1", "8", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, " [" RING "\"minute\":10,\"hour\":1", "9", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, " [" RING "\"minute\":10,\"hour\":18,\"minute\":45,\"hour\":1", "9", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, " [" RING "\"hour\":18,\"minute\":10,\"hour\":1", "9", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "at 6 am", " [" RING "\"hour\":6,\"minute\":", "0", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "at 5 pm", " [" RING "\"hour\":", "5", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, "at 5 pm", half, "5", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "at 5 pm", half, "1", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, "in 40 minutes", " [" RING "\"hour\":", "4", NDL_COPIED_NUMBER, true, true); /* no time of day: any */
	q = "on 14 March 2027, not before 2 May"; /* and the parts of a date */
	check_kept(e, t, q, BORN "\"day\":", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, BORN "\"day\":", "3", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, BORN "\"day\":14,\"month\":", "3", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, BORN "\"day\":14,\"month\":", "5", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, BORN "\"day\":2,\"month\":", "5", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, BORN "\"month\":3,\"day\":", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, BORN "\"month\":3,\"day\":", "2", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, "the 5th, today is 30 November 2026", BORN "\"day\":", "5", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "the 5th, today is 30 November 2026", BORN "\"day\":5,\"month\":1", "2", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "the 5th, today is 30 November 2026", BORN "\"day\":5,\"month\":12,\"year\":202", "6", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "tomorrow, today is 30 November 2026", CALL "\"seats\":", "1", NDL_COPIED_NUMBER, true, true); /* 12 of the month */
	check_kept(e, t, "tomorrow, today is 30 November 2026", CALL "\"seats\":1", "}", NDL_COPIED_NUMBER, false, false);
	check_kept(e, t, q, BORN "\"year\":", "2", NDL_COPIED_NUMBER, true, true);
	q = "from 2 pm to half past three, 7 of us";
	check_kept(e, t, q, " [" RING "\"at\":\"2 pm\",\"minutes\":", "9", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, " [" RING "\"minutes\":", "9", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, " [" RING "\"minutes\":", "7", NDL_COPIED_NUMBER, true, false);
}

static void check_cover(const ndl_toolset *t, const char *query, const char *answer, double numbers)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ground g = {0};
	ndl_path p = {.text = NDL_BUF_INIT};
	ndl_decoding d = {.ground = &g, .query = query, .query_len = strlen(query), .answer = {.t = t}};
	const ndl_search x = {.d = &d};
	ndl_buf_add(&p.text, answer, strlen(answer));
	CHECK_INT(ndl_ground_set(&g, query, strlen(query), 0, &err), NDL_OK);
	double cost = ndl_cover_cost(&x, &p);
	tap_ok(cost == 4 * numbers, "%s leaves out %g numbers of: %s", answer, cost / 4, query);
	ndl_buf_clear(&p.text);
	ndl_ground_clear(&g);
}

/* Numbers that no call takes. */
static void test_cover(const ndl_toolset *t)
{
	check_cover(t, "3 seats from b to 12", CALL "\"seats\":3,\"to\":\"12\"}}", 0);
	check_cover(t, "3 seats from b to 12", CALL "\"seats\":3,\"from\":\"b\"}}", 1);
	check_cover(t, "3 seats, from 4.5 or forty to 12", CALL "\"from\":\"4.5 or forty to 12\"}}", 1);
	check_cover(t, "from 1 to 2 to 3 to 4", CALL "\"class\":\"first\"}}", 2); /* no more count */
	check_cover(t, "3 seats, and 4 chairs", CALL "\"seats\":3}}", 0);           /* another clause, maybe another call */
	check_cover(t, "3 seats, and 4 chairs", CALL "\"seats\":3}},{\"name\":\"trip\",\"arguments\":{\"from\":\"chairs\"}}", 1);
	check_cover(t, "We waited 5 days. 3 seats", CALL "\"seats\":3}}", 0);      /* beside the point */
	check_cover(t, "the one on the 2nd", CALL "\"class\":\"first\"}}", 0);
	check_cover(t, "for an hour and 15 minutes", WAIT "\"rest\":15}}", 1);
	check_cover(t, "for an hour and 15 minutes", WAIT "\"hours\":1,\"rest\":15}}", 0);
	check_cover(t, "for an hour and 15 minutes", CALL "\"walkMinutes\":75}}", 0);
	check_cover(t, "for an hour and fifteen minutes", WAIT "\"rest\":15}}", 1);
	check_cover(t, "for two hours and 15 minutes", WAIT "\"rest\":15}}", 1);
	check_cover(t, "type 4K", CALL "\"class\":\"4k\"}}", 0);
}

int main(void)
{
	ndl_error err = NDL_ERROR_INIT;
	const char *build = getenv("top_builddir"), *source = getenv("top_srcdir");
	char path[] = "/tmp/ndl-test-ground-XXXXXX", command[500];
	int fd = mkstemp(path);
	snprintf(command, sizeof command, "'%s/tests/mkmodel' %s '%s/testdata/vocab-512.model' 1 16 1 512 64", build ? build : ".", path,
	         source ? source : ".");
	json_t *list = tool_list();
	ndl_engine *e = fd >= 0 && close(fd) == 0 && system(command) == 0 ? ndl_engine_open(path, &err) : NULL;
	unlink(path);
	ndl_toolset *t = e && list ? ndl_toolset_new(e, list, 0, &err) : NULL;
	json_decref(list);
	if (!t) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	test_spans();
	test_numbers();
	test_told();
	test_copies(ndl_toolset_tools(t));
	test_units(e, ndl_toolset_tools(t));
	test_runs();
	test_kept(e, ndl_toolset_tools(t));
	test_bound(e, ndl_toolset_tools(t));
	test_clock(e, ndl_toolset_tools(t));
	test_asked(e, ndl_toolset_tools(t));
	test_moments(e, ndl_toolset_tools(t));
	test_codes(e, ndl_toolset_tools(t));
	test_links(e, ndl_toolset_tools(t));
	test_ends(e, ndl_toolset_tools(t));
	test_integers(e, ndl_toolset_tools(t));
	test_bounds(e, ndl_toolset_tools(t));
	test_clock_parts(e, ndl_toolset_tools(t));
	test_cover(t);
	ndl_toolset_free(t);
	ndl_engine_free(e);
	return tap_done();
}
