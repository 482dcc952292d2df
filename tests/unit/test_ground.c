/* What may be copied from a query, and which values of an answer are copies. */
#include "session/session.h"

#include "session/search_internal.h"
#include "synth/values.h"
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
	check_span(q, "06:30", "half past six");
	check_span(q, "18:30", "half past six");
	check_span(q, "6:30 PM", "half past six");
	check_span(q, "ousin", NULL);
	check_span(q, "cous", NULL);
	check_span(q, "Tell Maria cousin", NULL);
	check_span(q, "", NULL);
	check_span(q, "07:30", NULL);
	check_span("", "x", NULL);
	check_span(q, "06:00", NULL);
	check_span("half past six in the morning", "06:00", NULL);
	check_span("7:15 pm", "15:00", NULL);
	check_span("the 3rd of May, 2027 or may 4 2028", "2027-05-03", "3rd of May, 2027");
	check_span("the 3rd of May, 2027 or may 4 2028", "2028-05-04", "may 4 2028");
	check_span("on 31/12/2026", "2026-12-31", "31/12/2026");
	check_span("set off 4:14PM", "16:14", "4:14PM");
	check_span("set off 4:14PM", "04:14", NULL);
	check_span("ten to 12 in the afternoon", "11:50", NULL);
	check_span("ten to 12 in the morning", "11:50", "ten to 12 in the morning");
	check_span("a quarter to one", "12:45", "a quarter to one");
	check_span("at noon", "12:00", "noon");
	check_span("twenty-five thousand and sixty boxes", "25060", "twenty-five thousand and sixty");
	check_span("three hundred and twelve", "312", "three hundred and twelve");
	check_span("30,000 miles", "30000", "30,000");
	check_span("1,234,567,890 of them", "1234567890", "1,234,567,890");
	check_span("call 5551234567", "555123456", NULL); /* a part of a number is another number */
	check_span("the twenty-first of May 2027", "2027-05-21", "twenty-first of May 2027");
	check_span("on May the thirty-first, 2027", "2027-05-31", "May the thirty-first, 2027");
	check_span("the thirteenth of May 2027", "2027-05-13", "thirteenth of May 2027");
	check_span("6 a.m. sharp", "06:00", "6 a.m");
	check_span("a\x01" "b\\c", "a", "a");
	check_span("a\x01" "b\\c", "b\\\\c", "b\\c");
}

static void test_days(void)
{
	const char *q = "today is tuesday mar 25 2025 we're gone until 8th january put the heat on away";
	check_span(q, "2026-01-08", "8th january");
	check_span(q, "2025-01-08", NULL);
	check_span(q, "2025-03-25", "mar 25 2025");
	check_span("it's 3/25/2025, what was on 8th January?", "2025-01-08", "8th January");
	check_span("[Saturday, 2nd October 2027] which day is last Sunday?", "2027-09-26", "last Sunday");
	check_span("tides on the 2nd of april (today: 14 may 2029)", "2030-04-02", "2nd of april");
	check_span("Date: 2027-12-30. In three days, please", "2028-01-02", "In three days");
	check_span("8 days ago, today being Friday 6 Oct 2028", "2028-09-28", "8 days ago");
	check_span("8 days ago, today being Friday 6 Oct 2028", "2028-10-07", NULL);
	check_span("the day after tomorrow, it's 29 November 2026", "2026-12-01", "day after tomorrow");
	check_span("the day after tomorrow, it's 29 November 2026", "2026-11-30", NULL);
	check_span("today is 3/4/2026, see you tomorrow", "2026-04-04", NULL); /* the third of April? */
	check_span("today is Tuesday, 3/3/2026, see you tomorrow", "2026-03-04", "tomorrow");
	check_span("today is Friday 3/4/2026, see you tomorrow", "2026-04-04", "tomorrow");
	check_span("a week from tomorrow, today is 29 November 2026", "2026-12-07", "a week from tomorrow");
	check_span("a week from tomorrow, today is 29 November 2026", "2026-11-30", NULL);
	check_span("the day after Friday, today is 29 November 2026", "2026-12-04", NULL);
	check_span("on the first Monday in May, today is 29 November 2026", "2026-11-30", NULL);
	check_span("the 1st Monday in May, today is 29 November 2026", "2026-12-01", NULL);
	check_span("the day after next Friday, today is 29 November 2026", "2026-12-04", NULL);
	check_span("two weeks from Friday, today is 29 November 2026", "2026-12-04", NULL);
	check_span("the last Monday in May, today is 29 November 2026", "2026-11-30", NULL);
	check_span("the twenty-first of next month, today is 29 November 2026", "2026-12-21", "the twenty-first of next month");
	check_span("the thirtieth of May 2027", "2027-05-30", "thirtieth of May 2027");
	check_span("the Friday after next, today is 29 November 2026", "2026-12-04", NULL);
	check_span("see you tomorrow, the party of 3 May 2026 was great", "2026-05-04", NULL);
	check_span("today is 31 December 9999, see you tomorrow", "10000-01-01", NULL);
	check_span("[2030-05-16 (Thursday)] what was on 3 October", "2029-10-03", "3 October");
	check_span("[2030-05-16 (Thursday)] what was on 3 October", "2030-10-03", NULL);
	check_span("[2030-05-16 (Thursday)] and tomorrow", "2030-05-23", NULL); /* today's weekday is no day to come */
	check_span("on 25.12.2026", "2026-12-25", "25.12.2026");
	check_span("on 4.3.2027", "2027-04-03", NULL);
	check_span("today is 1 January 1000 and in 9999 weeks", "1191-08-21", "in 9999 weeks");
}

/* What the composer says by today's date is read as what it means. */
static void test_days_composed(void)
{
	enum { ROUNDS = 3000 };
	ndl_rng r;
	ndl_rng_seed(&r, 5, 0);
	syn_gen gen = {.rng = &r};
	syn_made m = {0};
	ndl_buf query = NDL_BUF_INIT;
	ndl_error err = NDL_ERROR_INIT;
	int wrong = 0;
	for (int i = 0; i < ROUNDS; i++) {
		const syn_place place = {.type = SYN_STRING, .tense = i % 2 ? 1 : -1};
		ndl_ground g = {0};
		size_t from, to;
		ndl_buf_reset(&query);
		ndl_buf_reset(&m.surface);
		ndl_buf_reset(&m.raw);
		syn_pick_today(&r, &gen.today);
		syn_date_iso(&gen, &place, &m);
		if (i % 3)
			syn_tell_today(&r, &query, &gen.today, true);
		ndl_buf_printf(&query, "what %s on %s", place.tense > 0 ? "will be" : "was", ndl_buf_cstr(&m.surface));
		if (i % 3 == 0)
			syn_tell_today(&r, &query, &gen.today, false);
		bool ok = ndl_ground_set(&g, query.data, query.len, 0, &err) == NDL_OK &&
		          ndl_ground_span(&g, NDL_COPIED_TEXT, m.raw.data + 1, m.raw.len - 2, &from, &to) && g.told.to > 0;
		if (!ok && wrong++ < 5)
			tap_note("%s is not found in: %s", ndl_buf_cstr(&m.raw), ndl_buf_cstr(&query));
		ndl_ground_clear(&g);
	}
	CHECK_INT(wrong, 0);
	ndl_buf_clear(&query);
	syn_made_clear(&m);
}

static void test_numbers(void)
{
	check_number("set volume to 35%", "35", "35");
	check_number("set volume to 35%", "0.35", "35");
	check_number("set volume to 35%", "3", NULL);
	check_number("at -11.0598, 5.20", "11.0598", "11.0598");
	check_number("at -11.0598, 5.20", "11.059", NULL);
	check_number("at -11.0598, 5.20", "5.2", "5.20");
	check_number("2026-07-04", "7", "07");
	check_number("to -18 degrees", "-18", "-18");
	check_number("a .5 mm nib", "0.5", ".5 mm");
	check_number("minus 18 degrees", "-18", "18");
	check_number("a .5 mm nib", "5", NULL);
	check_number("4.1 million, 8.2 km", "4100000", "4.1 million");
	check_number("4.1 million, 8.2 km", "8200", "8.2 km");
	check_number("1.1 hours", "3960", "1.1 hours");
	check_number("a full hour, then hourly", "60", "a full hour");
	check_number("another minute", "60", "another minute");
	check_number("checked daily", "1440", "daily");
	check_number("four hundred and thirty bucks", "430", "four hundred and thirty");
	check_number("1,234,500 for 1.2 million", "1234500", "1,234,500");
	check_number("1,234,500 for 1.2 million", "1200000", "1.2 million");
	check_number("20k steps", "20000", "20k");
	check_number("4 hours and 15 minutes ahead", "255", "4 hours and 15 minutes");
	check_number("4 hours and 15 minutes ahead", "15300", "4 hours and 15 minutes");
	check_number("4 hours and 15 minutes ahead", "4.25", "4 hours and 15 minutes");
	check_number("3h15 is enough", "195", "3h15");
	check_number("half an hour", "30", "half an hour");
	check_number("a quarter of an hour", "15", "a quarter of an hour");
	check_number("an hour and a half", "90", "an hour and a half");
	check_number("two and a half hours", "9000", "two and a half hours");
	check_number("a couple of hours", "120", "a couple of hours");
	check_number("three quarters of an hour", "45", "three quarters of an hour");
	check_number("a week", "168", "a week");
	check_number("brightness a quarter", "25", "a quarter");
	check_number("turn it all the way up", "100", "all");
	check_number("the third one", "3", "third");
	check_number("at 10:05 PM", "22", "10:05 PM");
	check_number("at 10:05 PM", "5", "10:05 PM");
	check_number("on May 3rd, 2027", "2027", "2027");
	check_number("on May 3rd, 2027", "5", "May 3rd, 2027");
	check_number("no number", "1", NULL);
	check_number("15 minutes in", "1500", NULL);
	check_number("half a litre of milk", "500", "half a litre");
	check_number("the gouda has 4.1 kg", "4100", "4.1 kg");
	check_number("six centimetres high", "60", "six centimetres");
	check_number("2 kilometers", "2000", "2 kilometers");
	check_number("2 kilometers", "120", NULL);
	check_number("half a percent of it", "0.5", "half a percent");
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
		"\"day\":{\"type\":\"string\",\"description\":\"YYYY-MM-DD\"}}}}]";
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
	check_kept(e, t, "18-25", CALL "\"seats\":", "2", NDL_COPIED_NUMBER, true, true);
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
	check_kept(e, t, q, CALL "\"volume_ml\":50", "}", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, CALL "\"volume_ml\":500", "}", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, CALL "\"volume_ml\":", "2", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, CALL "\"walkMinutes\":", "3", NDL_COPIED_NUMBER, true, true); /* 320 */
	check_kept(e, t, q, CALL "\"walkMinutes\":", "2", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, CALL "\"walkMinutes\":", "1", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, CALL "\"minute\":", "1", NDL_COPIED_NUMBER, true, true); /* of the clock: any */
	check_kept(e, t, "3 seats, then 12", CALL "\"seats\":3,\"volume_ml\":", "1", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, "3 seats, then 12", CALL "\"seats\":3}},{\"name\":\"trip\",\"arguments\":{\"seats\":", "1",
	           NDL_COPIED_NUMBER, true, true); /* what counts them went to the call before */
	check_kept(e, t, "12 bags", CALL "\"seats\":", "1", NDL_COPIED_NUMBER, true, true); /* none counts them: any */
	static const struct {
		const char *name, *counts;
	} names[] = {{"min_price", "price"}, {"duration_min", "minutes"}, {"minutesAgo", "minute"}, {"volume_ml", "Millilitres"},
		{"percentage", "percent"}, {"grams", "g"}, {"numberOfRows", "row"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		uint16_t id[NDL_COPY_UNITS], want = ndl_unit_id(names[i].counts, strlen(names[i].counts));
		size_t n = ndl_units_of_name(names[i].name, strlen(names[i].name), id, NDL_COPY_UNITS), found = 0;
		for (size_t k = 0; k < n; k++)
			found += id[k] == want;
		tap_ok(found == 1, "%s counts %s", names[i].name, names[i].counts);
	}
	uint16_t id[NDL_COPY_UNITS], minute = ndl_unit_id("minute", 6);
	for (size_t k = 0, n = ndl_units_of_name("min_price", 9, id, NDL_COPY_UNITS); k < n; k++)
		CHECK(id[k] != minute);
	CHECK(minute != ndl_unit_id("hour", 4) && ndl_unit_id("", 0) == 0 && ndl_units_of_name("", 0, id, NDL_COPY_UNITS) == 0);
}

/* Durations whole or in parts, and days in one form or another, as the tool asks for them. */
static void test_asked(const ndl_engine *e, const ndl_tools *t)
{
	static const char q[] = "5 hours and 20 minutes, from 3 May 2027 on";
	check_kept(e, t, q, WAIT "\"hours\":", "5", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, WAIT "\"rest\":", "2", NDL_COPIED_NUMBER, true, true);
	check_kept(e, t, q, WAIT "\"rest\":", "3", NDL_COPIED_NUMBER, true, false);
	check_kept(e, t, q, WAIT "\"day\":\"2027", "-", NDL_COPIED_TEXT, true, true);
	check_kept(e, t, q, WAIT "\"day\":\"2027", "\"", NDL_COPIED_TEXT, true, false);
	check_kept(e, t, q, WAIT "\"on\":\"2027", "-", NDL_COPIED_TEXT, false, false);
	check_kept(e, t, q, WAIT "\"on\":\"2027", "\"", NDL_COPIED_TEXT, true, true);
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
	test_days();
	test_days_composed();
	test_numbers();
	test_copies(ndl_toolset_tools(t));
	test_units(e, ndl_toolset_tools(t));
	test_kept(e, ndl_toolset_tools(t));
	test_clock(e, ndl_toolset_tools(t));
	test_asked(e, ndl_toolset_tools(t));
	test_cover(t);
	ndl_toolset_free(t);
	ndl_engine_free(e);
	return tap_done();
}
