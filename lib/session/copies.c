/* copies.c - which values of an answer under way are to be copied from the query.
 *
 * That is for the schema to say: strings that it gives an enum, const, pattern or format other than date, time, date-time, uri and
 * email are of another making, and are left alone; so are numbers with an enum or const. */
#include "session/ground_internal.h"

#include "readings/readings.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum {
	DEPTH_MAX = 64,
	LOOK = 1024, /* bytes of a description in which an example can stand */
};

typedef struct level {
	const json_t *schema; /* of the container; NULL: unknown */
	bool object, key;     /* key: one is due */
} level;

/* The text s[0..n), read up to `at`. */
typedef struct scan {
	const ndl_tools *tools;
	const char *s;
	size_t n, at;
	level stack[DEPTH_MAX];
	size_t depth;
	const json_t *value, *tool; /* schemas of the value that is due, of the tool called */
	const char *key;            /* of the value that is due, as far as it has one: what is between the quotes */
	size_t key_len;
	bool name;                  /* the tool's name is due */
	bool in_string;             /* the text ends in one */
	ndl_copies *out;
} scan;

static bool is_any_of(const json_t *schema, const char *const *keywords, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (json_object_get(schema, keywords[i]))
			return true;
	return false;
}

/* The types that it names. */
static unsigned types_of(const json_t *schema)
{
	return json_object_get(schema, "type") ? ndl_tools_types(schema) : 0;
}

static bool is_number(const json_t *schema)
{
	static const char *const made[] = {"enum", "const"};
	unsigned types = types_of(schema);
	return (types & (NDL_TYPE_INTEGER | NDL_TYPE_NUMBER)) && !(types & NDL_TYPE_STRING) && !is_any_of(schema, made, 2);
}

/* Its strings are free text, and no other keyword says what they are. */
static bool is_text(const json_t *schema)
{
	static const char *const made[] = {"enum", "const", "format", "pattern"};
	static const char *const ways[] = {"anyOf", "oneOf"};
	if (is_any_of(schema, made, sizeof made / sizeof *made))
		return false;
	bool copied = types_of(schema) & NDL_TYPE_STRING;
	for (size_t w = 0; w < 2; w++) {
		const json_t *list = json_object_get(schema, ways[w]);
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *way = json_array_get(list, i);
			const char *of = json_string_value(json_object_get(way, "type"));
			if (is_text(way))
				copied = true;
			else if (!of || strcmp(of, "string") == 0)
				return false;
		}
	}
	return copied;
}

/* Whether a text begins with a time on a day, or with how one is written: "2026-12-01T06:30", "YYYY-MM-DD HH:MM". */
static bool shows_moment(const char *text)
{
	for (const char *form = "0000-00-00T00:00"; *form; form++, text++) {
		bool digit = (*text >= '0' && *text <= '9') || (*text && strchr("YMDHhm", *text));
		if (*form == '0' ? !digit : *form == 'T' ? *text != 'T' && *text != ' ' : *text != *form)
			return false;
	}
	return true;
}

static bool has_part_named(const char *key, size_t len, const char *name)
{
	const size_t n = strlen(name);
	for (size_t i = 0; i + n <= len; i++)
		if (strncasecmp(key + i, name, n) == 0)
			return true;
	return false;
}

/* Whether an argument's description, or that and its name, say that it is one; then what it has between day and time, T or a blank,
 * else 0. */
static char moment_separator(const json_t *schema, const char *key, size_t key_len)
{
	static const char *const names[] = {"datetime", "date-time", "date_time", "date and time", "timestamp"};
	const char *text = json_string_value(json_object_get(schema, "description"));
	if (!text || !is_text(schema))
		return 0;
	for (const char *c = text; *c && c < text + LOOK; c++)
		if (shows_moment(c))
			return c[10];
	for (size_t i = 0; i < sizeof names / sizeof *names && strstr(text, "ISO "); i++)
		if (strstr(text, names[i]) || has_part_named(key, key_len, names[i]))
			return 'T';
	return 0;
}

/* separator: as moment_separator. */
static enum ndl_copied kind_of_string(const json_t *schema, char separator)
{
	static const char *const made[] = {"enum", "const", "pattern"};
	static const struct { const char *format; enum ndl_copied kind; } formats[] = {
		{"date", NDL_COPIED_DATE}, {"time", NDL_COPIED_TIME}, {"date-time", NDL_COPIED_MOMENT}, {"uri", NDL_COPIED_LINK},
		{"email", NDL_COPIED_EMAIL}};
	const char *format = json_string_value(json_object_get(schema, "format"));
	if (is_text(schema))
		return separator ? NDL_COPIED_MOMENT : NDL_COPIED_TEXT;
	bool bare = format && types_of(schema) == NDL_TYPE_STRING && !is_any_of(schema, made, 3);
	for (size_t i = 0; bare && i < sizeof formats / sizeof *formats; i++)
		if (strcmp(format, formats[i].format) == 0)
			return formats[i].kind;
	return NDL_COPIED_NOT;
}

/* Its description says that it is a time of the clock, "24-hour time, HH:MM". */
static bool is_clock(const json_t *schema)
{
	const char *text = json_string_value(json_object_get(schema, "description")), *form = text ? strstr(text, "HH:MM") : NULL;
	return form && form[5] != ':' && is_text(schema);
}

/* A text that is described as an ISO date. */
static bool is_iso(const json_t *schema)
{
	const char *text = json_string_value(json_object_get(schema, "description"));
	return text && is_text(schema) && (strstr(text, "YYYY-MM-DD") || strstr(text, "ISO "));
}

/* A text that is described as the code of a currency. */
static bool is_code(const json_t *schema, const char *key, size_t key_len)
{
	static const char *const codes[] = {"code", "ISO", "-letter"};
	const char *text = json_string_value(json_object_get(schema, "description"));
	bool code = false;
	for (size_t i = 0; i < sizeof codes / sizeof *codes && text; i++)
		code = code || strstr(text, codes[i]);
	return code && (strstr(text, "urrency") || strstr(text, "4217") || has_part_named(key, key_len, "currency")) && is_text(schema);
}

static const json_t *member(const json_t *schema, const char *key, size_t len)
{
	const json_t *child = json_object_getn(json_object_get(schema, "properties"), key, len);
	return child ? child : json_object_get(schema, "additionalProperties");
}

static const json_t *tool_named(const ndl_tools *t, const char *name, size_t len)
{
	long at = ndl_tools_find_norm(t, name, len);
	return at < 0 ? NULL : ndl_tools_schema(t, (size_t)at);
}

size_t ndl_string_end(const char *s, size_t at, size_t n)
{
	for (; at < n && s[at] != '"'; at++)
		at += s[at] == '\\';
	return at < n ? at : n;
}

static bool is_numeric(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '.' || c == 'e' || c == 'E' || c == '+';
}

/* A value that is there, or at the end of the text under way. */
static void note(scan *x, enum ndl_copied kind, size_t from, size_t to, uint16_t unit)
{
	ndl_copies *c = x->out;
	if (to == x->n)
		c->now = (ndl_copy){kind, from, to, unit};
	else if (kind != NDL_COPIED_NOT && c->n < NDL_COPIES)
		c->earlier[c->n++] = (ndl_copy){kind, from, to, unit};
}

static void take_string(scan *x, level *l)
{
	size_t begin = x->at + 1, end = ndl_string_end(x->s, begin, x->n);
	bool key = l && l->object && l->key;
	if (key) {
		x->key = x->s + begin;
		x->key_len = end - begin;
	}
	if (key && end < x->n && x->depth == 2) {
		x->name = end - begin == 4 && memcmp(x->s + begin, "name", 4) == 0;
		x->value = x->name ? NULL : x->tool;
	} else if (key && end < x->n) {
		x->value = member(l->schema, x->s + begin, end - begin);
	} else if (!key && x->name && x->depth == 2) {
		x->tool = tool_named(x->tools, x->s + begin, end - begin);
	} else if (!key) {
		const char separator = l ? moment_separator(x->value, x->key, x->key_len) : 0;
		note(x, l ? kind_of_string(x->value, separator) : NDL_COPIED_NOT, begin, end, 0);
		x->out->clock = l && end == x->n && is_clock(x->value);
		x->out->iso = l && end == x->n && is_iso(x->value);
		x->out->code = l && end == x->n && is_code(x->value, x->key, x->key_len);
		x->out->iso = x->out->iso && !x->out->code;
		x->out->separator = end == x->n ? separator : 0;
	}
	x->at = end;
	x->in_string = end == x->n;
	if (l)
		l->key = false;
}

static void take_bounds(const json_t *schema, ndl_copies *out)
{
	const json_t *least[] = {json_object_get(schema, "minimum"), json_object_get(schema, "exclusiveMinimum")};
	const json_t *most[] = {json_object_get(schema, "maximum"), json_object_get(schema, "exclusiveMaximum")};
	out->least = -INFINITY;
	out->most = INFINITY;
	for (int i = 0; i < 2; i++) {
		out->least = json_is_number(least[i]) ? fmax(out->least, json_number_value(least[i])) : out->least;
		out->most = json_is_number(most[i]) ? fmin(out->most, json_number_value(most[i])) : out->most;
	}
}

/* What the argument whose number is due counts. */
static size_t units_of(const scan *x, uint16_t unit[NDL_COPY_UNITS])
{
	const char *text = json_string_value(json_object_get(x->value, "description"));
	size_t n = ndl_units_of_name(x->key, x->key_len, unit, NDL_COPY_UNITS);
	return text ? n + ndl_units_of_name(text, strlen(text), unit + n, NDL_COPY_UNITS - n) : n;
}

/* Whether hours are counted to twelve: one of these arguments is "am" or "pm", or the description of this one says so. */
static bool is_twelve(const json_t *properties, const json_t *schema)
{
	const char *key, *text = json_string_value(json_object_get(schema, "description"));
	json_t *property;
	json_object_foreach((json_t *)properties, key, property) {
		const json_t *list = json_object_get(property, "enum");
		for (size_t i = 0; i < json_array_size(list); i++) {
			const char *value = json_string_value(json_array_get(list, i));
			if (value && (strcmp(value, "am") == 0 || strcmp(value, "AM") == 0))
				return true;
		}
	}
	return text && (strstr(text, "12-hour") || strstr(text, "1-12") || strstr(text, "1 to 12"));
}

static bool has_part(const json_t *properties, uint16_t part)
{
	const char *key;
	json_t *property;
	json_object_foreach((json_t *)properties, key, property)
		if (ndl_part_of_name(key, strlen(key)) == part)
			return true;
	return false;
}

/* What part of a time of day or a date the number that is due is, by its argument's name and those beside it; 0: none. A minute goes
 * with an hour, a day with a month, a month with one of the others. */
static uint16_t part_of(const scan *x)
{
	const json_t *beside = x->depth ? json_object_get(x->stack[x->depth - 1].schema, "properties") : NULL;
	uint16_t part = ndl_part_of_name(x->key, x->key_len);
	switch (part) {
	case NDL_PART_HOUR: return is_twelve(beside, x->value) ? NDL_PART_HOUR12 : NDL_PART_HOUR24;
	case NDL_PART_MINUTE: return has_part(beside, NDL_PART_HOUR) ? part : 0;
	case NDL_PART_MONTH: return has_part(beside, NDL_PART_DAY) || has_part(beside, NDL_PART_YEAR) ? part : 0;
	default: return part && has_part(beside, NDL_PART_MONTH) ? part : 0;
	}
}

/* What is counted by a number that is there, as far as one word says it. */
static uint16_t unit_of(const scan *x)
{
	uint16_t unit[NDL_COPY_UNITS];
	const size_t n = units_of(x, unit);
	for (size_t i = 0; i < n; i++)
		if (ndl_unit_kind(unit[i]))
			return unit[i];
	return n ? unit[0] : 0;
}

/* Counts the parts of times of day and dates that may be told before their hour or day. */
static void note_part(scan *x, uint16_t part)
{
	switch (part) {
	case NDL_PART_MINUTE: x->out->minutes++; break;
	case NDL_PART_HOUR12:
	case NDL_PART_HOUR24: x->out->minutes--; break;
	case NDL_PART_MONTH: x->out->months++; break;
	case NDL_PART_DAY: x->out->months--; break;
	default: break;
	}
}

static void take_number(scan *x)
{
	size_t from = x->at;
	while (x->at < x->n && is_numeric(x->s[x->at]))
		x->at++;
	const bool number = is_number(x->value), there = x->at < x->n;
	const uint16_t part = number && there ? part_of(x) : 0;
	note(x, number ? NDL_COPIED_NUMBER : NDL_COPIED_NOT, from, x->at, part || !number || !there ? part : unit_of(x));
	note_part(x, part);
	x->at--;
}

static void begin_call(ndl_copies *c)
{
	for (size_t i = 0; i < c->n && c->n_before < NDL_COPIES; i++)
		c->before[c->n_before++] = c->earlier[i];
	c->n = 0;
	c->minutes = c->months = 0;
}

static bool open_container(scan *x)
{
	bool object = x->s[x->at] == '{';
	if (x->depth == DEPTH_MAX)
		return false;
	if (x->depth == 1)
		begin_call(x->out);
	x->stack[x->depth++] = (level){x->value, object, object};
	if (!object)
		x->value = json_object_get(x->value, "items");
	return true;
}

/* A number may be about to begin, of which there is nothing yet. */
static bool is_due(const scan *x)
{
	const level *l = x->depth > 2 ? &x->stack[x->depth - 1] : NULL;
	char last = x->n ? x->s[x->n - 1] : ' ';
	return l && !x->in_string && is_number(x->value) && (l->object ? last == ':' : last == '[' || last == ',');
}

/* What the argument counts, if that is time; else 0. */
static uint16_t time_unit(const char *key, const json_t *schema)
{
	const scan of = {.value = schema, .key = key, .key_len = strlen(key)};
	uint16_t unit[NDL_COPY_UNITS];
	size_t n = is_number(schema) ? units_of(&of, unit) : 0;
	for (size_t i = 0; i < n; i++)
		if (ndl_unit_kind(unit[i]) == 't')
			return unit[i];
	return 0;
}

/* Whether arguments of the tool count time in different units. */
static bool in_parts(const json_t *tool)
{
	const char *key;
	json_t *property;
	uint16_t first = 0;
	json_object_foreach((json_t *)json_object_get(tool, "properties"), key, property) {
		uint16_t unit = time_unit(key, property);
		if (unit && first && unit != first)
			return true;
		first = first ? first : unit;
	}
	return false;
}

void ndl_copies_find(ndl_copies *out, const ndl_tools *t, const char *s, size_t n)
{
	scan x = {.tools = t, .s = s, .n = n, .out = out};
	out->n = out->n_before = 0;
	out->clock = out->iso = out->code = false;
	out->separator = 0;
	out->minutes = out->months = 0;
	out->now = (ndl_copy){NDL_COPIED_NOT, n, n, 0};
	for (; x.at < n; x.at++) {
		level *l = x.depth ? &x.stack[x.depth - 1] : NULL;
		char c = s[x.at];
		if (c == '{' || c == '[') {
			if (!open_container(&x))
				return;
		} else if (c == '}' || c == ']') {
			x.depth -= x.depth > 0;
		} else if (c == ',' && l && l->object) {
			l->key = true;
		} else if (c == ',' && l) {
			x.value = json_object_get(l->schema, "items");
		} else if (c == '"') {
			take_string(&x, l);
		} else if (is_numeric(c) && l && c != 'e') {
			take_number(&x);
		}
	}
	if (is_due(&x))
		out->now = (ndl_copy){NDL_COPIED_NUMBER, n, n, 0};
	out->n_units = out->now.kind == NDL_COPIED_NUMBER ? units_of(&x, out->unit) : 0;
	out->only_end = false;
	out->item = x.depth && !x.stack[x.depth - 1].object;
	out->end = out->now.kind != NDL_COPIED_NOT ? ndl_end_of_name(x.key, x.key_len) : 0;
	out->part = out->now.kind == NDL_COPIED_NUMBER ? part_of(&x) : 0;
	out->integer = out->now.kind == NDL_COPIED_NUMBER && !(types_of(x.value) & NDL_TYPE_NUMBER);
	take_bounds(x.value, out);
	out->of = 0;
	for (size_t i = 0; i < out->n_units && !out->of; i++)
		out->of = ndl_unit_kind(out->unit[i]);
	out->parts = out->n_units && in_parts(x.tool);
}
