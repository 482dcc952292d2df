/* guess.c - what a value may be, from the name, description and type of its argument. */
#include "synth/own.h"
#include "synth/card.h"
#include "synth/compose.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { STRING = 1, NUMBER = 2 };

/* The first row with a word of the name wins, the last word of the name being asked first; then
 * the words of the description. source: a lexicon or built-in; adverbs: by "|". */
static const struct guess {
	const char *words;
	int types;
	const char *source, *adverbs[4];
} guesses[] = {
	{"email mail", STRING, "@email", {"to {}", "for {}"}},
	{"phone telephone tel msisdn fax", STRING, "@phone", {"at {}"}},
	{"url uri link website webpage href", STRING, "@url", {"at {}", "from {}"}},
	{"datetime timestamp", STRING, "@datetime", {"{}", "for {}"}},
	{"date day deadline birthday checkin checkout", STRING, "@date", {"{}", "for {}"}},
	{"time", STRING, "@time", {"at {}"}},
	{"duration length", STRING, "@duration", {"for {}"}},
	{"minutes minute mins", NUMBER, "@duration_minutes", {"for {}"}},
	{"seconds secs sec", NUMBER, "@duration_seconds", {"for {}"}},
	{"hours hour", NUMBER, "@int:1-24", {"for {} hours"}},
	{"days nights", NUMBER, "@int:1-21", {"for {} days"}},
	{"weeks", NUMBER, "@int:1-12", {"for {} weeks"}},
	{"months", NUMBER, "@int:1-24", {"for {} months"}},
	{"weekday", STRING, "@weekday", {"on {}"}},
	{"month", STRING, "@month", {"in {}"}},
	{"month", NUMBER, "@int:1-12", {NULL}},
	{"year years", STRING | NUMBER, "@year:1950-2030", {"in {}", "from {}"}},
	{"timezone tz", STRING, "@timezone", {"in {}"}},
	{"country nation", STRING, "@country", {"in {}", "for {}"}},
	{"address", STRING, "@address", {"at {}"}},
	{"street", STRING, "@street", {"on {}"}},
	{"zip postcode postal", STRING, "@zip", {"in {}", "for {}"}},
	{"airport iata", STRING, "@airport", {"from {}"}},
	{"destination dropoff", STRING, "@city", {"to {}"}},
	{"origin departure pickup source_city", STRING, "@city", {"from {}"}},
	{"city town location place where area region venue state", STRING, "@city", {"in {}", "for {}", "near {}"}},
	{"latitude lat", NUMBER, "@number:-80-80", {NULL}},
	{"longitude lon lng", NUMBER, "@number:-170-170", {NULL}},
	{"recipient contact to cc attendee invitee guest assignee", STRING, "@person", {"to {}", "for {}"}},
	{"person user customer client employee patient student author owner name who member passenger sender",
	 STRING, "@person", {"for {}"}},
	{"username handle login nickname", STRING, "@username", {"for {}"}},
	{"message text body content note comment sms reply", STRING, "@message", {"saying {}", "that says \"{}\""}},
	{"title subject label caption headline heading summary task todo", STRING, "@quote", {"called \"{}\"", "titled \"{}\""}},
	{"query search keyword keywords term question topic prompt q", STRING, "@query", {"for {}", "about {}"}},
	{"sentence phrase passage paragraph", STRING, "@sentence", {NULL}},
	{"song track", STRING, "@song", {NULL}},
	{"artist band singer musician", STRING, "@artist", {"by {}"}},
	{"album", STRING, "@album", {"from {}"}},
	{"movie film", STRING, "@movie", {NULL}},
	{"show series", STRING, "@tv_show", {NULL}},
	{"book novel", STRING, "@book", {NULL}},
	{"podcast", STRING, "@podcast", {NULL}},
	{"restaurant cafe", STRING, "@restaurant", {"at {}"}},
	{"cuisine", STRING, "@cuisine", {NULL}},
	{"ingredient ingredients", STRING, "@ingredient", {"with {}"}},
	{"food dish meal product item items", STRING, "@food", {NULL}},
	{"drug medication medicine", STRING, "@drug", {NULL}},
	{"disease condition illness diagnosis", STRING, "@disease", {NULL}},
	{"company business vendor brand merchant employer organization", STRING, "@company", {"from {}", "for {}"}},
	{"ticker symbol stock", STRING, "@stock_symbol", {"for {}", "of {}"}},
	{"crypto coin token", STRING, "@crypto", {"of {}"}},
	{"currency", STRING, "@currency", {"in {}"}},
	{"language lang locale", STRING, "@language", {"in {}"}},
	{"color colour", STRING, "@color", {"in {}"}},
	{"room zone", STRING, "@room", {"in the {}"}},
	{"device lamp light appliance", STRING, "@device", {"on {}"}},
	{"app application program", STRING, "@app", {"in {}", "on {}"}},
	{"sport", STRING, "@sport", {NULL}},
	{"team club", STRING, "@team", {"for {}"}},
	{"animal pet species", STRING, "@animal", {NULL}},
	{"plant crop", STRING, "@plant", {NULL}},
	{"element", STRING, "@element", {"of {}"}},
	{"hashtag", STRING, "@hashtag", {NULL}},
	{"emoji", STRING, "@emoji", {"with {}"}},
	{"unit units", STRING, "@unit", {"in {}"}},
	{"expression formula equation", STRING, "@math_expr", {NULL}},
	{"path folder directory", STRING, "@filepath", {"in {}"}},
	{"file filename attachment document", STRING, "@filename", {"from {}"}},
	{"ip", STRING, "@ip", {NULL}},
	{"host hostname domain server", STRING, "@domain", {"on {}"}},
	{"id identifier number code reference ref sku order key uuid", STRING, "@code_id", {"{}"}},
	{"word", STRING, "@word", {NULL}},
	{"price amount cost budget total fee salary payment balance", NUMBER, "@number:5-900", {"of {}", "for {}"}},
	{"price amount cost budget money", STRING, "@money", {"of {}", "for {}"}},
	{"percent percentage pct", NUMBER, "@int:1-100", {"to {}%", "at {}%", "to {} percent"}},
	{"celsius fahrenheit", NUMBER, "@int:5-35", {"to {} degrees", "at {} degrees", "to {}°"}},
	{"grams gram", NUMBER, "@int:20-2000", {"{} grams", "{} g"}},
	{"kilograms kilos kg", NUMBER, "@number:1-120", {"{} kilos", "{} kg"}},
	{"kilometers kilometres km", NUMBER, "@number:1-80", {"{} kilometres", "{} km"}},
	{"miles", NUMBER, "@number:1-80", {"{} miles"}},
	{"rate ratio discount volume brightness level opacity", NUMBER, "@int:1-100", {"at {}", "to {}"}},
	{"temperature degrees temp", NUMBER, "@int:10-32", {"to {}", "at {} degrees"}},
	{"temperature", STRING, "@temperature", {"at {}"}},
	{"age", NUMBER, "@int:1-90", {NULL}},
	{"count quantity qty limit max min top number n size people guests adults servings page seats copies",
	 NUMBER, "@int:1-20", {NULL}},
	{"weight mass", NUMBER, "@number:1-120", {NULL}},
	{"weight mass", STRING, "@weight", {NULL}},
	{"distance radius", NUMBER, "@number:1-80", {"within {}"}},
	{"distance radius", STRING, "@distance", {"within {}"}},
	{"id code", NUMBER, "@int:100-99999", {"{}"}},
};

static bool in_words(const char *words, const char *w, size_t n)
{
	for (const char *s = words; *s;) {
		size_t k = strcspn(s, " ");
		if (k == n && strncmp(s, w, n) == 0)
			return true;
		s += k + (s[k] == ' ');
	}
	return false;
}

static const struct guess *find(const char *w, size_t n, int type)
{
	for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++)
		if ((guesses[i].types & type) && in_words(guesses[i].words, w, n))
			return &guesses[i];
	return NULL;
}

/* By the words of a snake_case name, from its end. */
static const struct guess *by_name(const char *name, int type)
{
	size_t end = strlen(name);
	while (end) {
		size_t begin = end;
		while (begin && name[begin - 1] != '_')
			begin--;
		const struct guess *g = find(name + begin, end - begin, type);
		if (!g && end - begin > 3 && name[end - 1] == 's')
			g = find(name + begin, end - begin - 1, type);
		if (g)
			return g;
		end = begin ? begin - 1 : 0;
	}
	return NULL;
}

static const struct guess *by_description(const char *s, int type)
{
	while (*s) {
		char w[32];
		size_t n = 0;
		while (*s && !isalpha((unsigned char)*s))
			s++;
		for (; isalpha((unsigned char)*s); s++)
			if (n < sizeof w)
				w[n++] = (char)tolower((unsigned char)*s);
		const struct guess *g = n > 2 && n < sizeof w ? find(w, n, type) : NULL;
		if (g)
			return g;
	}
	return NULL;
}

static const char *by_format(const json_t *schema)
{
	static const char *const formats[][2] = {{"date", "@date_iso"}, {"date-time", "@datetime"},
		{"time", "@time24"}, {"email", "@email"}, {"uri", "@url"}, {"url", "@url"}, {"ipv4", "@ip"},
		{"hostname", "@domain"}, {"uuid", "@code_id"}};
	const char *f = json_string_value(json_object_get(schema, "format"));
	for (size_t i = 0; f && i < sizeof formats / sizeof *formats; i++)
		if (strcmp(f, formats[i][0]) == 0)
			return formats[i][1];
	return NULL;
}

/* A lexicon of the corpus; one that lacks it gets made-up words. */
static void lexicon(const syn_corpus *c, const char *name, syn_source *out)
{
	*out = (syn_source){.kind = SYN_LIST, .list = syn_corpus_list(c, name), .name = name};
	if (!out->list)
		*out = (syn_source){.kind = SYN_SYLLABLES, .lo = 2, .hi = 3, .name = name};
}

static bool bounded(const json_t *schema)
{
	return json_object_get(schema, "minimum") || json_object_get(schema, "maximum");
}

/* Within what the schema allows; without a word of its own, a common size. */
static void number_range(const json_t *schema, enum syn_type type, syn_source *out)
{
	const json_t *lo = json_object_get(schema, "minimum"), *hi = json_object_get(schema, "maximum");
	const json_t *over = json_object_get(schema, "exclusiveMinimum");
	const json_t *under = json_object_get(schema, "exclusiveMaximum");
	bool whole = type == SYN_INTEGER; /* else the ends themselves are left to the check of the call */
	double above = whole ? floor(json_number_value(over)) + 1 : json_number_value(over);
	double below = whole ? ceil(json_number_value(under)) - 1 : json_number_value(under);
	bool durations = out->kind == SYN_DURATION_MINUTES || out->kind == SYN_DURATION_SECONDS;
	if (out->kind == SYN_NONE || (durations && bounded(schema))) {
		out->kind = type == SYN_INTEGER ? SYN_INT : SYN_NUMBER_RANGE;
		out->lo = 1;
		out->hi = 100;
	}
	if (over)
		out->lo = hi || under ? above : fmax(out->lo, above);
	if (lo)
		out->lo = json_number_value(lo);
	if (under)
		out->hi = lo || over ? below : fmin(out->hi, below);
	if (hi)
		out->hi = json_number_value(hi);
	if (out->hi < out->lo) /* only one end was said */
		hi || under ? (out->lo = out->hi - 100) : (out->hi = out->lo + 100);
	out->lo = fmin(fmax(out->lo, -1e9), 1e14);
	out->hi = fmin(fmax(out->hi, -1e9), 1e14);
	if (out->kind == SYN_INT && !whole && out->hi - out->lo < 5) /* a ratio of 0 to 1 */
		out->kind = SYN_NUMBER_RANGE;
	if (out->kind == SYN_YEAR && (lo || hi))
		out->kind = SYN_INT;
}

/* "@int:1-20" or "@city" of the table. */
static void source_of(syn_corpus *c, const char *spec, syn_source *out)
{
	if (syn_source_parse(c, out, spec, strlen(spec), NULL) != NDL_OK || out->kind == SYN_NONE)
		lexicon(c, spec, out);
}

void syn_guess(syn_corpus *c, const char *name, const char *description, const json_t *schema,
	enum syn_type type, syn_source *out, const char *const **adverbs)
{
	/* within bounds, a number that does not say its unit itself */
	static const char *const none[] = {NULL}, *const minutes[] = {"for {} minutes", NULL},
		*const seconds[] = {"for {} seconds", NULL};
	int t = type == SYN_STRING ? STRING : NUMBER;
	const char *spec = t == STRING ? by_format(schema) : NULL;
	const struct guess *g = by_name(name, t);
	if (!g)
		g = by_description(description, t);
	if (!spec && g)
		spec = g->source;
	if (spec && strcmp(spec, "@date") == 0 && syn_iso_date_wanted(description))
		spec = "@date_iso";
	*adverbs = !g ? none : bounded(schema) && strcmp(g->source, "@duration_minutes") == 0 ? minutes
		: bounded(schema) && strcmp(g->source, "@duration_seconds") == 0 ? seconds : g->adverbs;
	*out = (syn_source){.kind = SYN_NONE};
	if (spec)
		source_of(c, spec, out);
	if (spec && t == STRING)
		out->converted = by_format(schema) != NULL;
	if (!spec && t == STRING)
		lexicon(c, "@thing", out);
	if (t == NUMBER)
		number_range(schema, type, out);
}
