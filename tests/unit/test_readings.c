/* What a query's words mean, as arguments spell it, and what is no reading of them. */
#include "readings/readings.h"

#include "base/day.h"
#include "synth/values.h"
#include "tests/tap.h"

#include <string.h>

/* A query, a text, and the part of the query that has it as a reading; NULL: it has not. */
typedef struct row {
	const char *query, *text, *source;
} row;

static const row times[] = {
	{"call me at half past six", "06:30", NULL},
	{"wake me up at half past six", "06:30", "half past six"},
	{"wake me up at half past six", "18:30", NULL},
	{"meet at 7", "07:00", "7"},
	{"meet at 7", "19:00", NULL},
	{"meet at 6:59", "18:59", "6:59"},
	{"dinner with Anna at 7:30", "19:30", "7:30"},
	{"set the alarm to 6:45 and 7:15", "07:15", "7:15"},
	{"set the alarm to 6:45 and 7:15", "19:15", NULL},
	{"change it to 7:30", "19:30", NULL},
	{"tonight at 11", "23:00", "11"},
	{"at 12:15, dinner", "12:15", "12:15"},
	{"at 12:15, dinner", "00:15", NULL},
	{"an alarm for 3, and a good night", "15:00", "3"}, /* neither of both */
	{"the morning was very long and full of troubles, so much for that: now the bus at 5", "17:00", "5"}, /* far away */
	{"call me at half past six", "18:30", "half past six"},
	{"call me at half past six", "6:30 pm", "half past six"},
	{"call me at half past six", "07:30", NULL},
	{"call me at half past six", "06:00", NULL},
	{"half past six in the morning", "06:00", NULL},
	{"half past six in the morning", "18:30", NULL},
	{"7:15 pm", "15:00", NULL},
	{"set off 4:14PM", "16:14", "4:14PM"},
	{"set off 4:14PM", "04:14", NULL},
	{"ten to 12 in the afternoon", "11:50", NULL},
	{"ten to 12 in the morning", "11:50", "ten to 12 in the morning"},
	{"a quarter to one", "12:45", "a quarter to one"},
	{"at noon", "12:00", "noon"},
	{"6 a.m. sharp", "06:00", "6 a.m"},
	{"at 18h30", "18:30", "18h30"},
	{"twenty-five to six in the evening", "17:35", "twenty-five to six in the evening"},
	{"twenty-five to six in the evening", "17:55", NULL},
	{"see you at half seven tonight", "19:30", "half seven tonight"},
	{"half a dozen at half past", "00:30", NULL},
	{"at six oh five", "18:05", "six oh five"},
	{"at 1600 hours", "16:00", "1600"},
	{"at 0730", "07:30", "0730"},
	{"at 0730", "19:30", NULL},
	{"at 1130pm", "23:30", "1130pm"},
	{"at 1630", "16:30", NULL},
	{"when it rains", "12:00", NULL},
	{"6 to 9 pm", "06:00", NULL},
	{"6 to 9 pm", "20:54", NULL},
	{"ten to 9 pm", "20:50", "ten to 9 pm"},
	{"6 to 9 pm", "18:00", "6"},
	{"11 to 2 pm", "11:00", "11"},
	{"11 to 2 pm", "23:00", NULL},
	{"for 7 30 am", "07:30", "7 30 am"},
	{"midnight", "12:00", NULL},
	{"in 20 minutes", "20:00", NULL},
};

static const row whole_numbers[] = { /* as texts */
	{"twenty-five thousand and sixty boxes", "25060", "twenty-five thousand and sixty"},
	{"three hundred and twelve", "312", "three hundred and twelve"},
	{"the last hundred and twenty", "120", "hundred and twenty"},
	{"sixty-eight", "8", NULL},
	{"the twenty-first", "21", "twenty-first"},
	{"the twenty-first", "20", NULL},
	{"thirty first class tickets", "30", "thirty"},
	{"the first two", "3", NULL},
	{"30,000 miles", "30000", "30,000"},
	{"1,234,567,890 of them", "1234567890", "1,234,567,890"},
	{"call 5551234567", "555123456", NULL}, /* a part of a number is another number */
};

static const row dates[] = {
	{"the 3rd of May, 2027 or may 4 2028", "2027-05-03", "3rd of May, 2027"},
	{"the 3rd of May, 2027 or may 4 2028", "2028-05-04", "may 4 2028"},
	{"on 31/12/2026", "2026-12-31", "31/12/2026"},
	{"on 3/5/2027", "2027-05-03", "3/5/2027"},
	{"on 3/5/2027", "2027-03-05", "3/5/2027"},
	{"on 25.12.2026", "2026-12-25", "25.12.2026"},
	{"on 4.3.2027", "2027-04-03", NULL},
	{"the twenty-first of May 2027", "2027-05-21", "twenty-first of May 2027"},
	{"on May the thirty-first, 2027", "2027-05-31", "May the thirty-first, 2027"},
	{"the thirteenth of May 2027", "2027-05-13", "thirteenth of May 2027"},
	{"the thirtieth of May 2027", "2027-05-30", "thirtieth of May 2027"},
	{"see you tomorrow, the party of 3 May 2026 was great", "2026-05-04", NULL},
	{"from 3 May to the 7th of May 2027", "2027-05-03", "3 May"},
	{"from 3 May to the 7th of May 2027", "2027-05-07", "7th of May 2027"},
	{"28 December until 3 January 2028", "2027-12-28", "28 December"},
	{"12 to 15 June 2027", "2027-06-12", "12"},
	{"12-15 June 2027", "2027-06-15", "15 June 2027"},
	{"June 12-15, 2027", "2027-06-12", "June 12"},
	{"June 12-15, 2027", "2027-06-15", "15"},
	{"the 1st and the 2nd of May, 2027", "2027-05-01", "1st"},
	{"from 3 May to 7 May", "2027-05-03", NULL},
	{"2 to 3 people on 7 May 2027", "2027-05-02", NULL},
	{"3/5 to 7/5/2027", "2027-05-03", NULL},
	{"out on 4 July 2027, back on the 18th", "2027-07-18", "the 18th"},
	{"out on 4 July 2027, back on the 3rd", "2027-07-03", NULL},
	{"out on 4 July 2027, back on the 18th, today is 29 November 2026", "2026-12-18", NULL},
	{"born on 4 July 1990, seen on the 18th, today is 29 November 2026", "2026-12-18", "the 18th"},
	{"12 to 15 June, today is 29 November 2026", "2027-06-12", "12"},
	{"June 12 to 15, today is 29 November 2026", "2027-06-15", "15"},
	/* by the date that the query states */
	{"today is tuesday mar 25 2025 we're gone until 8th january put the heat on away", "2026-01-08", "8th january"},
	{"today is tuesday mar 25 2025 we're gone until 8th january put the heat on away", "2025-01-08", NULL},
	{"today is tuesday mar 25 2025 we're gone until 8th january put the heat on away", "2025-03-25", "mar 25 2025"},
	{"it's 3/25/2025, what was on 8th January?", "2025-01-08", "8th January"},
	{"[Saturday, 2nd October 2027] which day is last Sunday?", "2027-09-26", "last Sunday"},
	{"tides on the 2nd of april (today: 14 may 2029)", "2030-04-02", "2nd of april"},
	{"Date: 2027-12-30. In three days, please", "2028-01-02", "In three days"},
	{"8 days ago, today being Friday 6 Oct 2028", "2028-09-28", "8 days ago"},
	{"8 days ago, today being Friday 6 Oct 2028", "2028-10-07", NULL},
	{"the day after tomorrow, it's 29 November 2026", "2026-12-01", "day after tomorrow"},
	{"the day after tomorrow, it's 29 November 2026", "2026-11-30", NULL},
	{"today is 3/4/2026, see you tomorrow", "2026-04-04", NULL}, /* the third of April? */
	{"today is Tuesday, 3/3/2026, see you tomorrow", "2026-03-04", "tomorrow"},
	{"today is Friday 3/4/2026, see you tomorrow", "2026-04-04", "tomorrow"},
	{"a week from tomorrow, today is 29 November 2026", "2026-12-07", "a week from tomorrow"},
	{"a week from tomorrow, today is 29 November 2026", "2026-11-30", NULL},
	{"the day after Friday, today is 29 November 2026", "2026-12-04", NULL},
	{"on the first Monday in May, today is 29 November 2026", "2026-11-30", NULL},
	{"the 1st Monday in May, today is 29 November 2026", "2026-12-01", NULL},
	{"the day after next Friday, today is 29 November 2026", "2026-12-04", NULL},
	{"two weeks from Friday, today is 29 November 2026", "2026-12-04", NULL},
	{"the last Monday in May, today is 29 November 2026", "2026-11-30", NULL},
	{"the twenty-first of next month, today is 29 November 2026", "2026-12-21", "the twenty-first of next month"},
	{"the Friday after next, today is 29 November 2026", "2026-12-04", NULL},
	{"[2030-05-16 (Thursday)] what was on 3 October", "2029-10-03", "3 October"},
	{"[2030-05-16 (Thursday)] what was on 3 October", "2030-10-03", NULL},
	{"[2030-05-16 (Thursday)] and tomorrow", "2030-05-23", NULL}, /* today's weekday is no day to come */
	{"today is 31 December 9999, see you tomorrow", "10000-01-01", NULL},
	{"today is 1 January 1000 and in 9999 weeks", "1191-08-21", "in 9999 weeks"},
};

static const row numbers[] = {
	{"set volume to 35%", "0.35", "35"},
	{"set volume to 35%", "3", NULL},
	{"at -11.0598, 5.20", "5.2", "5.20"},
	{"2026-07-04", "7", "07"},
	{"a .5 mm nib", "0.5", ".5 mm"},
	{"a .5 mm nib", "5", NULL},
	{"4.1 million, 8.2 km", "4100000", "4.1 million"},
	{"4.1 million, 8.2 km", "8200", "8.2 km"},
	{"1.1 hours", "3960", "1.1 hours"},
	{"1.5 hours", "18000", NULL}, /* 5 hours: a number's part is no number */
	{"1,200 minutes", "200", NULL},
	{"twenty-two point five", "22.5", "twenty-two point five"},
	{"waypoint 3, point five", "3.5", NULL},
	{"a hundred and ten euros", "110", "a hundred and ten"},
	{"a hundred and ten euros", "10", NULL},
	{"5 hundred men", "500", "5 hundred"},
	{"three thousand men", "1000", NULL},
	{"half a dozen eggs", "6", "half a dozen"},
	{"an hour a day", "60", "an hour"},
	{"an hour a day", "1440", NULL},
	{"3 times a week, 5.50 an hour", "10080", NULL},
	{"3 times a week, 5.50 an hour", "3600", NULL},
	{"the twenty-first day", "21", "twenty-first"},
	{"the twenty-first day", "504", NULL},
	{"the 3rd hour", "3", "3rd"},
	{"the 3rd hour", "180", NULL},
	{"a full hour, then hourly", "60", "a full hour"},
	{"another minute", "60", "another minute"},
	{"checked daily", "1440", "daily"},
	{"four hundred and thirty bucks", "430", "four hundred and thirty"},
	{"1,234,500 for 1.2 million", "1234500", "1,234,500"},
	{"1,234,500 for 1.2 million", "1200000", "1.2 million"},
	{"a half million", "500000", "a half million"},
	{"a half million", "50", NULL},
	{"20k steps", "20000", "20k"},
	{"4 hours and 15 minutes ahead", "255", "4 hours and 15 minutes"},
	{"4 hours and 15 minutes ahead", "15300", "4 hours and 15 minutes"},
	{"4 hours and 15 minutes ahead", "4.25", "4 hours and 15 minutes"},
	{"3h15 is enough", "195", "3h15"},
	{"half an hour", "30", "half an hour"},
	{"a quarter of an hour", "15", "a quarter of an hour"},
	{"an hour and a half", "90", "an hour and a half"},
	{"two and a half hours", "9000", "two and a half hours"},
	{"a couple of hours", "120", "a couple of hours"},
	{"three quarters of an hour", "45", "three quarters of an hour"},
	{"a week", "168", "a week"},
	{"brightness a quarter", "25", "a quarter"},
	{"turn it all the way up", "100", "all"},
	{"the third one", "3", "third"},
	{"at 10:05 PM", "22", "10:05 PM"},
	{"at 10:05 PM", "5", "10:05 PM"},
	{"on May 3rd, 2027", "5", "May 3rd, 2027"},
	{"the first of October", "10", "first of October"},
	{"expires May 2027", "5", "May 2027"},
	{"you may come", "5", NULL},
	{"no number", "1", NULL},
	{"15 minutes in", "1500", NULL},
	{"half a litre of milk", "500", "half a litre"},
	{"the gouda has 4.1 kg", "4100", "4.1 kg"},
	{"six centimetres high", "60", "six centimetres"},
	{"2 kilometers", "2000", "2 kilometers"},
	{"2 kilometers", "120", NULL},
	{"half a percent of it", "0.5", "half a percent"},
	{"1,5 litres", "1.5", "1,5 litres"},
	{"1,5 litres", "1500", "1,5 litres"},
	{"1,5 litres", "5", NULL},
	{"at \xe2\x82\xac" "12,50 apiece", "12.5", "12,50"},
	{"7,5 hours", "450", "7,5 hours"},
	{"pay Ann 12,50 today", "12.5", "12,50"},
	{"numbers 1,2,3", "1.2", NULL},
	{"numbers 1,2,3", "2.3", NULL},
	{"rooms 3,4 and 5", "3.4", NULL},
	{"1,250 litres", "1250", "1,250 litres"},
	{"3/4 cup", "0.75", "3/4"},
	{"3/4 cup", "75", NULL},
	{"3/4 litre", "750", "3/4 litre"},
	{"7 1/2 hours", "450", "7 1/2 hours"},
	{"7 1/2 hours", "2", NULL},
	{"1\xc2\xbd cups", "1.5", "1\xc2\xbd"},
	{"on 3/4/2027", "0.75", NULL},
	{"24/7 service", "3.43", NULL},
	{"a rating of 4/5", "0.8", NULL},
	{"12 500 steps", "12500", "12 500"},
	{"12 500 steps", "500", "500"}, /* room 12, 500 people */
	{"12 000 steps", "12000", "12 000"},
	{"12 000 steps", "12", NULL},
	{"1 250 000 dollars", "1250000", "1 250 000"},
	{"1 250 000 dollars", "250", NULL},
	{"12 50 dollars", "1250", NULL},
	{"2027 100 people", "2027100", NULL},
	{"half a cup", "50", NULL},
	{"2.5 million", "2500", "2.5 million"}, /* thousands */
	{"5 km", "3.11", "5 km"},
	{"100 minutes", "1.67", "100 minutes"},
	{"1 hour 30, please", "90", "1 hour 30"},
	{"an hour thirty", "90", "an hour thirty"},
	{"an hour, 30 people", "90", NULL},
	{"1 hour 30 for tea", "90", NULL},
	{"2 pm to half past three", "90", "2 pm to half past three"},
	{"on 9-10 am", "60", "9-10 am"},
	{"from 10pm until 2am", "240", "10pm until 2am"},
	{"noon till 4", "4", "noon till 4"},
	{"10 to 12 pm", "120", "10 to 12 pm"},
	{"3 to 4 pm", "16", "4 pm"},
	{"ten and eleven thirty in the morning", "1.5", NULL},
	{"between ten and eleven thirty in the morning", "1.5", "ten and eleven thirty in the morning"},
	{"quarter past nine to half past ten", "75", "quarter past nine to half past ten"},
	{"22:00-06:30", "8.5", "22:00-06:30"},
	{"9 to 5", "480", NULL}, /* a score? */
	{"6 pm to 6 pm", "0", "6 pm"},
};

static bool find(ndl_readings *r, const char *query, int64_t today)
{
	ndl_error err = NDL_ERROR_INIT;
	return ndl_readings_find(r, query, strlen(query), today, &err) == NDL_OK;
}

/* The first reading from `first` on that is one of these kinds; NULL: there is none. */
static const ndl_reading *reading_of(const ndl_readings *r, size_t first, unsigned kinds, const char *text)
{
	for (size_t i = first; i < r->n; i++)
		if ((r->reading[i].kinds & kinds) && strcmp(r->reading[i].text, text) == 0)
			return &r->reading[i];
	return NULL;
}

static bool is_said_by(const ndl_reading *x, const char *query, const char *source)
{
	return x && x->to - x->from == strlen(source) && memcmp(query + x->from, source, x->to - x->from) == 0;
}

static void test_rows(const row *rows, size_t n, unsigned kinds)
{
	ndl_readings r = {0};
	for (const row *w = rows; w < rows + n; w++) {
		bool ok = find(&r, w->query, 0);
		const ndl_reading *x = reading_of(&r, 0, kinds, w->text);
		if (!w->source)
			tap_ok(ok && !x, "%s is no reading of: %s", w->text, w->query);
		else if (!tap_ok(ok && is_said_by(x, w->query, w->source), "%s is \"%s\" in: %s", w->text, w->source, w->query) && x)
			tap_note("found %zu to %zu", x->from, x->to);
	}
	ndl_readings_clear(&r);
}
#define TEST_ROWS(rows, kinds) test_rows((rows), sizeof (rows) / sizeof *(rows), (kinds))

/* Which readings are days, and where today's date is stated. */
static void test_days(void)
{
	ndl_readings r = {0};
	const char *q = "at ten tomorrow, or on 3 May 2027";
	CHECK(find(&r, q, ndl_day_number(2026, 11, 29)) && r.told_to == 0 && r.days > 0);
	CHECK(is_said_by(reading_of(&r, r.days, NDL_READ_TEXT, "2026-11-30"), q, "tomorrow"));
	CHECK_INT(r.times - r.days, 8);
	for (const ndl_reading *x = r.reading + r.days; x + 3 < r.reading + r.times; x += 4) {
		CHECK(strlen(x->text) == 10 && x->kinds == NDL_READ_TEXT);
		CHECK(x[1].kinds == NDL_READ_NUMBER && x[1].unit == NDL_PART_DAY && strtol(x->text + 8, NULL, 10) == strtol(x[1].text, NULL, 10));
		CHECK(x[2].kinds == NDL_READ_NUMBER && x[2].unit == NDL_PART_MONTH && strtol(x->text + 5, NULL, 10) == strtol(x[2].text, NULL, 10));
		CHECK(x[3].kinds == NDL_READ_NUMBER && x[3].unit == NDL_PART_YEAR && strtol(x->text, NULL, 10) == strtol(x[3].text, NULL, 10));
	}
	CHECK(find(&r, q, 0) && r.times - r.days == 4); /* tomorrow is unknown */
	q = "call at ten (today is Sunday 29 November 2026) tomorrow";
	CHECK(find(&r, q, ndl_day_number(2020, 1, 1)) && r.told_from == 13 && r.told_to == 45);
	CHECK(is_said_by(reading_of(&r, r.days, NDL_READ_TEXT, "2026-11-30"), q, "tomorrow"));
	CHECK(find(&r, "", 0) && r.n == 0 && r.days == 0 && r.told_to == 0);
	ndl_readings_clear(&r);
}

/* Times, and times on days, as RFC 3339 has them: "-" is none of them. */
static void test_moments(void)
{
	static const struct { const char *query, *text, *source; } moments[] = {
		{"from 10 to 11:30 am on 5 December 2026", "2026-12-05T10:00:00Z", "10"},
		{"from 10 to 11:30 am on 5 December 2026", "2026-12-05 11:30:00", "11:30 am"},
		{"from 10 to 11:30 am on 5 December 2026", "2026-12-05T05:00:00Z", NULL}, /* the 5 of 5 December */
		{"from 10 to 11:30 am on 5 December 2026", "2026-12-05T00:00:00Z", NULL},
		{"for 10 on 5 December 2026", "2026-12-05T00:00:00Z", "5 December 2026"},
		{"tomorrow at nine", "2026-11-30T09:00:00Z", "nine"},
		{"tomorrow at nine, again on Friday at noon", "2026-12-04T12:00:00Z", "noon"},
		{"tomorrow at nine, again on Friday at noon", "2026-11-30T12:00:00Z", NULL}, /* of another day */
		{"at 6 pm", "2026-11-29T18:00:00Z", "6 pm"},
		{"at 6 pm", "18:00:00Z", "6 pm"},
		{"at 6 pm", "06:00:00Z", NULL},
		{"at 6 pm on 3/5/2027", "2027-05-03T18:00:00Z", "6 pm"},
		{"at 6 pm on 3/5/2027", "2027-03-05T18:00:00Z", "6 pm"},
		{"channel 4 tomorrow at 8 pm", "2026-11-30T20:00:00Z", "8 pm"},
		{"channel 4 tomorrow at 8 pm", "2026-11-30T04:00:00Z", NULL}, /* beside one that is sure */
		{"room 12 at 6", "12:00:00Z", NULL},
		{"room 12, 6", "12:00:00Z", "12"},
		{"at 3 until 5", "17:00:00Z", "5"},
		{"mail invoice_0423.pdf", "04:23:00Z", NULL},
		{"today is 2026-12-01, call at 6 pm", "2026-12-01T18:00:00Z", "6 pm"},
	};
	ndl_readings r = {0};
	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
		bool ok = find(&r, moments[i].query, ndl_day_number(2026, 11, 29));
		const ndl_reading *x = reading_of(&r, r.times, NDL_READ_TEXT, moments[i].text);
		tap_ok(ok && (moments[i].source ? is_said_by(x, moments[i].query, moments[i].source) : !x), "%s in: %s", moments[i].text,
		       moments[i].query);
	}
	CHECK(find(&r, "at 6 pm", 0) && r.moments > r.times && r.n == r.moments); /* of what day? */
	ndl_readings_clear(&r);
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
	ndl_readings found = {0};
	int wrong = 0;
	for (int i = 0; i < ROUNDS; i++) {
		const syn_place place = {.type = SYN_STRING, .tense = i % 2 ? 1 : -1};
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
		ndl_buf_cut(&m.raw, m.raw.len - 1); /* a JSON string */
		bool ok = find(&found, ndl_buf_cstr(&query), 0) && found.told_to > 0 &&
		          reading_of(&found, found.days, NDL_READ_TEXT, ndl_buf_cstr(&m.raw) + 1);
		if (!ok && wrong++ < 5)
			tap_note("%s is not found in: %s", ndl_buf_cstr(&m.raw), ndl_buf_cstr(&query));
	}
	CHECK_INT(wrong, 0);
	ndl_readings_clear(&found);
	ndl_buf_clear(&query);
	syn_made_clear(&m);
}

/* What stands beside a text: times of the clock, units, a minus. */
static void test_kinds(void)
{
	ndl_readings r = {0};
	CHECK(find(&r, "half past eight", 0) && reading_of(&r, 0, NDL_READ_CLOCK, "08:30") && !reading_of(&r, 0, NDL_READ_CLOCK, "8:30"));
	CHECK(find(&r, "half a litre in 20 minutes", 0) && reading_of(&r, 0, NDL_READ_NUMBER, "500")->unit == ndl_unit_id("ml", 2));
	CHECK(reading_of(&r, 0, NDL_READ_NUMBER, "1200")->unit == ndl_unit_id("seconds", 7));
	CHECK(!reading_of(&r, 0, NDL_READ_CLOCK, "20:00"));
	static const char *const codes[][2] = {{"50 Dollars", "USD"}, {"\xc2\xa3" "20", "GBP"}, {"$5", "USD"}, {"in eur", "EUR"}};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		tap_ok(find(&r, codes[i][0], 0) && reading_of(&r, 0, NDL_READ_CODE, codes[i][1]), "%s: %s", codes[i][0], codes[i][1]);
	CHECK(find(&r, "dolls", 0) && !reading_of(&r, 0, NDL_READ_CODE, "USD"));
	CHECK(find(&r, "from -18 to 18-25", 0) && reading_of(&r, 0, NDL_READ_NUMBER, "18")->minus);
	CHECK(!reading_of(&r, 0, NDL_READ_NUMBER, "25")->minus);
	ndl_readings_clear(&r);
}

/* A clock's form that is a duration, as what stands around it says. */
static void test_clocked(void)
{
	static const struct { const char *query, *text, *unit, *source; } rows[] = {
		{"set a timer for 2:30", "150", "second", "2:30"}, {"set a timer for 2:30", "150", "minute", "2:30"},
		{"set a timer for 2:30", "2.5", "minute", "2:30"}, {"set a timer for 2:30", "2.5", "hour", "2:30"},
		{"a 2:30 timer", "150", "second", "2:30"}, {"in 7:45 minutes", "465", "second", "7:45 minutes"},
		{"in 7:45 minutes", "465", "minute", NULL}, {"in 7:45 minutes", "45", "minute", NULL}, {"for 7:30 hours", "450", "minute", "7:30 hours"},
		{"for 7:30 hours", "450", "second", NULL}, {"in 27:30", "27.5", "minute", "27:30"}, {"in 27:30", "27.5", "hour", NULL},
		{"took 1:20:30", "4830", "second", "1:20:30"}, {"took 1:20:30", "80.5", "minute", "1:20:30"}, {"took 1:20:30", "20", "minute", "1:20:30"},
		{"at 2:30", "150", "second", NULL}, {"for 2:30 pm", "150", "second", NULL}, {"for 2:30 tomorrow", "150", "second", NULL},
		{"for 2:3", "123", "second", NULL}, {"for 2:75", "195", "second", NULL},
	};
	ndl_readings r = {0};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const ndl_reading *x = NULL;
		bool ok = find(&r, rows[i].query, 0);
		for (size_t k = 0; k < r.n && !x; k++)
			if (strcmp(r.reading[k].text, rows[i].text) == 0 && r.reading[k].unit == ndl_unit_id(rows[i].unit, strlen(rows[i].unit)))
				x = &r.reading[k];
		tap_ok(ok && (rows[i].source ? is_said_by(x, rows[i].query, rows[i].source) : !x), "%s as %s %ss", rows[i].query, rows[i].text,
		       rows[i].unit);
	}
	ndl_readings_clear(&r);
}

/* A duration for tools that have an argument for each unit: the texts of its parts. */
static void test_parts(void)
{
	static const struct { const char *query, *parts; } rows[] = {{"an hour", " 1 0 0"}, {"90 minutes", " 1 30 0"}, {"45 seconds", " 0 45"},
		{"two and a half minutes", " 2 30"}, {"half a minute", " 0 30"}, {"1.5 days", " 1 12 0 0"}, {"1 hour 5 minutes", " 0"}, {"a week", ""}};
	ndl_readings r = {0};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char parts[40] = "";
		bool ok = find(&r, rows[i].query, 0);
		for (size_t k = 0; k < r.n; k++)
			if (r.reading[k].kinds & NDL_READ_PART)
				snprintf(parts + strlen(parts), sizeof parts - strlen(parts), " %s", r.reading[k].text);
		if (!tap_ok(ok && strcmp(parts, rows[i].parts) == 0, "%s in parts", rows[i].query))
			tap_note("found%s", parts);
	}
	ndl_readings_clear(&r);
}

/* No query makes a list that is longer than it may be. */
static void test_many(void)
{
	ndl_readings r = {0};
	ndl_buf query = NDL_BUF_INIT;
	for (int i = 0; i < NDL_READINGS_MAX / 2; i++)
		ndl_buf_str(&query, "1 ");
	CHECK(find(&r, ndl_buf_cstr(&query), 0) && r.n > NDL_READINGS_MAX / 4 && r.n <= NDL_READINGS_MAX);
	ndl_buf_clear(&query);
	ndl_readings_clear(&r);
}

/* The first and the last of two times or days: by the text of the reading. */
static void test_ends(void)
{
	static const struct { const char *query, *text; char end; } ends[] = {
		{"from 9:30 to 10:15", "09:30", 'f'}, {"from 9:30 to 10:15", "10:15", 'l'}, {"3-4 pm", "16:00", 'l'}, {"3-4 pm", "15:00", 'f'},
		{"1 pm to half past two", "14:30", 'l'},
		{"from 6 to 8:30", "20:30", 'l'}, {"from 6 to 8:30", "08:30", 'x'}, {"11:30 to 1:15", "13:15", 'l'},
		{"at 9:30 and 10:15", "09:30", 0}, {"between 9 and 10 am", "10:00", 'l'}, {"3 May until 7 May 2027", "2027-05-03", 'f'},
		{"3 May until 7 May 2027", "2027-05-07", 'l'}, {"2026-10-01 - 2026-10-31", "2026-10-31", 'l'},
		{"between the 3rd of May 2027 and Friday, the 7th of May 2027", "2027-05-07", 'l'}, {"on 3 May 2027 and 7 May 2027", "2027-05-03", 0},
		{"on 3 May 2027, 7 May 2027", "2027-05-03", 0}, {"on 3 May 2027 to see 7 May 2027", "2027-05-03", 0},
		{"from 13 June 2028 at 9 am to 11 am", "2028-06-13T11:00:00Z", 'l'},
	};
	static const struct { const char *name; char end; } names[] = {{"start_date", 'f'}, {"checkIn", 'f'}, {"check_out", 'l'}, {"dateTo", 'l'},
		{"checker", 0}, {"weekend", 0}, {"", 0}, {"returnDate", 'l'}};
	ndl_readings r = {0};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		const ndl_reading *x = find(&r, ends[i].query, 0) ? reading_of(&r, 0, NDL_READ_TEXT, ends[i].text) : NULL;
		tap_ok(x && x->end == ends[i].end, "%s, its end, in: %s", ends[i].text, ends[i].query);
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		tap_ok(ndl_end_of_name(names[i].name, strlen(names[i].name)) == names[i].end, "%s: which end", names[i].name);
	ndl_readings_clear(&r);
}

/* What an argument's name counts. */
static void test_names(void)
{
	enum { CAP = 6 };
	static const struct {
		const char *name, *counts;
	} names[] = {{"min_price", "price"}, {"duration_min", "minutes"}, {"minutesAgo", "minute"}, {"volume_ml", "Millilitres"},
		{"percentage", "percent"}, {"grams", "g"}, {"width_m", "metres"}, {"numberOfRows", "row"}};
	uint16_t id[CAP], minute = ndl_unit_id("minute", 6);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		uint16_t want = ndl_unit_id(names[i].counts, strlen(names[i].counts));
		size_t n = ndl_units_of_name(names[i].name, strlen(names[i].name), id, CAP), found = 0;
		for (size_t k = 0; k < n; k++)
			found += id[k] == want;
		tap_ok(found == 1, "%s counts %s", names[i].name, names[i].counts);
	}
	for (size_t k = 0, n = ndl_units_of_name("min_price", 9, id, CAP); k < n; k++)
		CHECK(id[k] != minute);
	static const struct { const char *name; uint16_t part; } parts[] = {{"hour", NDL_PART_HOUR}, {"startHour", NDL_PART_HOUR},
		{"hour_of_day", NDL_PART_HOUR}, {"MINUTE", NDL_PART_MINUTE}, {"alarm_minute", NDL_PART_MINUTE}, {"hours", 0}, {"", 0},
		{"km_per_hour", 0}, {"hour_count", 0}, {"birth_day", NDL_PART_DAY}, {"dayOfMonth", NDL_PART_DAY}, {"birthday", 0},
		{"Month", NDL_PART_MONTH}, {"expiry_year", NDL_PART_YEAR}, {"day_of_week", NDL_PART_DAY}};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		tap_ok(ndl_part_of_name(parts[i].name, strlen(parts[i].name)) == parts[i].part, "%s as a part of a time", parts[i].name);
	CHECK(minute != ndl_unit_id("hour", 4) && ndl_unit_id("", 0) == 0 && ndl_units_of_name("", 0, id, CAP) == 0);
}

/* Whether something is to be on or off, and which names ask for that. */
static void test_switches(void)
{
	static const struct { const char *query; unsigned said; } queries[] = {{"Turn on the lights", NDL_SWITCH_ON},
		{"turn the hall light off", NDL_SWITCH_OFF}, {"lights on in the hall please", NDL_SWITCH_ON}, {"bedroom fan on", NDL_SWITCH_ON},
		{"turn it back on again", NDL_SWITCH_ON}, {"remind me on Monday", 0}, {"what's on", 0}, {"what is going on?", 0}, {"from now on, no", 0},
		{"10 percent off of it", 0}, {"put the kettle on, and switch the oven off.", NDL_SWITCH_ON | NDL_SWITCH_OFF},
		{"enable dark mode", NDL_SWITCH_ON}, {"Deactivate it", NDL_SWITCH_OFF}, {"a note on taxes", 0}, {"", 0}, {"on", 0}, {"off", NDL_SWITCH_OFF}};
	static const struct { const char *name; bool is; } names[] = {{"on", true}, {"is_active", true}, {"powerState", true}, {"turnOn", true},
		{"ENABLED", true}, {"is", false}, {"lights_on", false}, {"on_time", false}, {"shuffle", false}, {"", false}, {"_", false}};
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
		tap_ok(ndl_switches_said(queries[i].query, strlen(queries[i].query)) == queries[i].said, "switched: %s", queries[i].query);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		tap_ok(ndl_is_switch_name(names[i].name, strlen(names[i].name)) == names[i].is, "a switch by its name: %s", names[i].name);
}

int main(void)
{
	test_switches();
	TEST_ROWS(times, NDL_READ_TEXT);
	TEST_ROWS(whole_numbers, NDL_READ_TEXT);
	TEST_ROWS(dates, NDL_READ_TEXT);
	TEST_ROWS(numbers, NDL_READ_NUMBER);
	test_days();
	test_days_composed();
	test_moments();
	test_ends();
	test_kinds();
	test_clocked();
	test_parts();
	test_many();
	test_names();
	return tap_done();
}
