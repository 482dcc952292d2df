/* lexical.c - what the words of a query say about an answer, beside what the network says.
 *
 * A small network has seen few of the words that tools are described with; counting words needs to have seen none. The logarithms of
 * both are added up where something is chosen from a list (shallow fusion: Gulcehre et al., "On Using Monolingual
 * Corpora in Neural Machine Translation", 2015): for a tool its BM25; for a value of an enum, whether the query says it;
 * for an argument, whether the query says its name or one of its values; against an optional one, that it says no word of
 * them. A text is chosen by several tokens: each gets what the best text that it leaves possible has more than the best that
 * was possible before, so that the sum is the chosen text's. The answer `[]` counts as a tool that has one word of the query,
 * which no other has.
 *
 * For a call after others only what the query says behind these counts ("turn off the lights and set the heating to 18"): of 354
 * optional enums of such calls in 36,000 examples whose value is said before, and not again, 131 had it. */
#include "session/session_internal.h"

#include "base/ascii.h"
#include "base/mem.h"
#include "readings/readings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* In units of BM25, that is logarithms: of what a query says so, this much is wanted of 3,000 examples (values of enums
 * 105 of 107, flags 29 of 31, numbers 90 of 97, others 51 of 67), and as good as always chosen. */
#define VALUE_SAID 6.0f
#define VALUE_PARTLY 3.0f /* the only one of an enum of which the query says a word, where it says none wholly */
#define FLAG_SAID 4.5f   /* the name of a boolean */
#define NUMBER_SAID 3.0f /* of a number */
#define TEXT_SAID 0.5f   /* of anything else */

/* Against an optional argument of which the query says nothing: no word of its name, none of its values, no number. */
#define ENUM_UNSAID 2.5f
#define FLAG_UNSAID 1.0f
#define NUMBER_UNSAID 3.0f
#define NUMBER_DOUBTED 0.01f /* the query has numbers, for something: as good as nothing, but arguments behind it do not speak for it */

enum { JOINED_MAX = 32 }; /* bytes of a value, with its quotes, or of a name that may be said as one word */

/* Which currencies the query says, a bit each: by words, or by signs, which are no words. */
static uint32_t currencies_of(const ndl_said *said, const char *query, size_t len)
{
	uint32_t found = 0;
	for (size_t i = 0; ndl_currencies[i].code; i++) {
		const char *s = ndl_currencies[i].said;
		const size_t n = strlen(s);
		bool sign = !(s[0] >= 'a' && s[0] <= 'z'), has = !sign && ndl_said_has(said, s, n);
		for (size_t at = 0; sign && !has && at + n <= len; at++)
			has = memcmp(query + at, s, n) == 0;
		found |= (uint32_t)has << i;
	}
	return found;
}

/* Of the types of an argument, which may be null besides. */
static bool is_flag(unsigned types)
{
	return (types & ~(unsigned)NDL_TYPE_NULL) == NDL_TYPE_BOOLEAN;
}

static bool is_number(unsigned types)
{
	types &= ~(unsigned)NDL_TYPE_NULL;
	return types && !(types & ~(unsigned)(NDL_TYPE_INTEGER | NDL_TYPE_NUMBER));
}

static float lean_of_name(unsigned types)
{
	return is_flag(types) ? FLAG_SAID : is_number(types) ? NUMBER_SAID : TEXT_SAID;
}

/* What an enum has for a word of the query: the singular does for the plural. */
static const char *const shorts[][2] = {
	{"in", "inch"}, {"in", "inches"}, {"ft", "foot"}, {"ft", "feet"}, {"yd", "yards"}, {"mi", "miles"}, {"mm", "millimetres"},
	{"mm", "millimeters"}, {"cm", "centimetres"}, {"cm", "centimeters"}, {"m", "metres"}, {"m", "meters"}, {"km", "kilometres"},
	{"km", "kilometers"}, {"g", "grams"}, {"kg", "kilos"}, {"kg", "kilograms"}, {"lb", "pounds"}, {"oz", "ounces"},
	{"ml", "millilitres"}, {"ml", "milliliters"}, {"l", "litres"}, {"l", "liters"}, {"min", "minutes"}, {"s", "seconds"}, {"h", "hours"},
	{"C", "celsius"}, {"F", "fahrenheit"}, {"am", "morning"}, {"pm", "afternoon"}, {"pm", "evening"}, {"pm", "tonight"},
	{"mon", "Monday"}, {"tue", "Tuesday"}, {"wed", "Wednesday"}, {"thu", "Thursday"}, {"fri", "Friday"}, {"sat", "Saturday"},
	{"sun", "Sunday"},
	{"S", "small"}, {"M", "medium"}, {"L", "large"},
	{"en", "English"}, {"fr", "French"}, {"de", "German"}, {"es", "Spanish"}, {"it", "Italian"}, {"pt", "Portuguese"}, {"nl", "Dutch"},
	{"ru", "Russian"}, {"ja", "Japanese"}, {"zh", "Chinese"}, {"ko", "Korean"}, {"ar", "Arabic"}, {"hi", "Hindi"}, {"pl", "Polish"},
	{"sv", "Swedish"}, {"tr", "Turkish"}, {"el", "Greek"},
};

/* Whether a value, in quotes, is this text. Of one letter in its case alone: L is large. */
static bool is_quoted(const ndl_gtext *value, const char *text)
{
	const size_t n = strlen(text);
	return value->len == n + 2 && (n > 1 ? strncasecmp(value->bytes + 1, text, n) == 0 : value->bytes[1] == *text);
}

/* Whether a value is short for a word of the query, "in" for inches, "EUR" for euros or the sign. */
static bool is_short_for_said(const ndl_lexical *x, const ndl_gtext *value)
{
	for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
		if (is_quoted(value, shorts[i][0]) && ndl_said_has(&x->said, shorts[i][1], strlen(shorts[i][1])))
			return true;
	for (size_t i = 0; ndl_currencies[i].code; i++)
		if (x->currencies >> i & 1 && is_quoted(value, ndl_currencies[i].code))
			return true;
	return false;
}

/* Whether the query says a value: with "FedEx", which is two words by its capitals, as one, too. */
static bool is_said(const ndl_lexical *x, const ndl_gtext *value)
{
	char folded[JOINED_MAX];
	for (size_t i = 0; i < value->len && i < sizeof folded; i++)
		folded[i] = (char)ndl_fold((unsigned char)value->bytes[i]);
	return ndl_said_has(&x->said, value->bytes, value->len) || is_short_for_said(x, value) ||
	       (value->len <= sizeof folded && ndl_said_has(&x->said, folded, value->len));
}

/* Whether the query has the verb of a name such as "locked", "pinned", "pets_allowed": lock, unlock, pin, allow pets. Of 22 optional
 * booleans of which it does in 150,000 rows of training data 20 were given. */
static bool is_verb_said(const ndl_lexical *x, const char *name, size_t len)
{
	char text[JOINED_MAX] = "un";
	const size_t n = len + 2;
	if (len < 5 || n > sizeof text || memcmp(name + len - 2, "ed", 2) != 0)
		return false;
	memcpy(text + 2, name, len);
	for (size_t cut = name[len - 3] == name[len - 4] ? 3 : 2; cut; cut--) /* pin, lock, mute */
		if (ndl_said_has(&x->said, text + 2, len - cut) || ndl_said_has(&x->said, text, n - cut))
			return true;
	return false;
}

/* Whether the query says the name of an argument; of a number without the unit behind it, "waist" for waist_cm; of a boolean that says
 * whether its tool's thing is on, by any word for that, and of one that says what was done, by its verb. */
static bool is_name_said(const ndl_lexical *x, const ndl_gtext *key)
{
	const char *name = key->bytes + 1, *end = key->bytes + key->len - 2, *unit = end; /* `"name":` */
	const size_t len = (size_t)(end - name);
	if (is_flag(key->types) && ((x->switches && ndl_is_switch_name(name, len)) || is_verb_said(x, name, len)))
		return true;
	while (unit > key->bytes && *unit != '_')
		unit--;
	bool counts = unit > key->bytes && is_number(key->types) && ndl_unit_kind(ndl_unit_id(unit + 1, (size_t)(end - unit) - 1));
	return ndl_said_has(&x->said, key->bytes, counts ? (size_t)(unit - key->bytes) : key->len);
}

/* What is against a key, if it is not required. */
static float lean_against(const ndl_lexical *x, const ndl_gtext *key)
{
	ndl_gtext t;
	if (ndl_said_some(&x->said, key->bytes, key->len))
		return 0;
	for (size_t v = key->lo; v < key->hi; v++) {
		ndl_grammar_text(x->toolset->grammar, v, &t);
		if (ndl_said_some(&x->said, t.bytes, t.len))
			return 0;
	}
	if (key->lo < key->hi)
		return ENUM_UNSAID;
	if (is_flag(key->types))
		return FLAG_UNSAID;
	return is_number(key->types) ? x->numbers ? NUMBER_DOUBTED : NUMBER_UNSAID : 0;
}

/* Of the values of a key, none of which is said wholly, the only one that is in part. Not for the key: of eight such enums of 750
 * records that were given, all had this value, but four were not given. */
static void lean_to_part(const ndl_lexical *x, float *lean, const ndl_gtext *key)
{
	ndl_gtext t;
	size_t n = 0, which = 0;
	for (size_t v = key->lo; v < key->hi; v++) {
		ndl_grammar_text(x->toolset->grammar, v, &t);
		if (lean[v] > 0)
			return;
		if (t.bytes[0] == '"' && ndl_said_part(&x->said, t.bytes, t.len)) {
			n++;
			which = v;
		}
	}
	if (n == 1)
		lean[which] = x->weight * VALUE_PARTLY;
}

/* lean[] of values and keys, by words alone. */
static void lean_by_words(ndl_lexical *x, float *lean)
{
	const ndl_grammar *g = x->toolset->grammar;
	ndl_gtext t;
	for (size_t i = 0; i < x->n; i++) {
		ndl_grammar_text(g, i, &t);
		bool is_text = t.kind == NDL_GTEXT_VALUE && t.bytes[0] == '"';
		lean[i] = is_text && is_said(x, &t) ? x->weight * VALUE_SAID : 0;
	}
	for (size_t i = 0; i < x->n; i++) {
		ndl_grammar_text(g, i, &t);
		if (t.kind != NDL_GTEXT_KEY)
			continue;
		for (size_t v = t.lo; v < t.hi; v++)
			lean[i] = fmaxf(lean[i], lean[v]);
		if (is_name_said(x, &t))
			lean[i] = fmaxf(lean[i], x->weight * lean_of_name(t.types));
		if (lean[i] <= 0)
			lean[i] = -x->weight * lean_against(x, &t);
		lean_to_part(x, lean, &t);
	}
}

/* lean[] by the query from a byte on; *best: of the tool that has most. */
static ndl_status lean_by(ndl_lexical *x, size_t from, float *lean, float *best, ndl_error *err)
{
	const ndl_toolset *t = x->toolset;
	const char *query = x->query + from;
	const size_t count = ndl_toolset_count(t), len = x->len - from;
	float *score = x->lean + 2 * x->n;
	ndl_status rc = ndl_index_bm25(t->index, query, len, false, score, err);
	if (rc == NDL_OK)
		rc = ndl_said_set(&x->said, query, len, err);
	if (rc != NDL_OK)
		return rc;
	x->switches = ndl_switches_said(query, len);
	x->currencies = currencies_of(&x->said, query, len);
	lean_by_words(x, lean);
	*best = 0;
	for (size_t i = 0; i < count; i++) {
		if (score[i] <= 0)
			continue;
		const char *name = ndl_tools_norm_name(t->tools, i);
		size_t call = ndl_grammar_find_call(t->grammar, name, strlen(name));
		if (call < x->n)
			lean[call] = x->weight * score[i];
		*best = fmaxf(*best, x->weight * score[i]);
	}
	return NDL_OK;
}

ndl_status ndl_lexical_set(ndl_lexical *x, const ndl_toolset *t, const char *query, size_t len, double weight, bool numbers,
                           ndl_error *err)
{
	const size_t n = t->grammar ? ndl_grammar_texts(t->grammar) : 0;
	float best;
	x->n = 0;
	x->empty = 0;
	if (!t->grammar || ndl_grammar_calls(t->grammar) == 0 || weight <= 0)
		return NDL_OK;
	if (ndl_grow(&x->lean, &x->cap, 2 * n + ndl_toolset_count(t), sizeof *x->lean) < 0)
		return ndl_fail_nomem(err, "the words of a query");
	*x = (ndl_lexical){.lean = x->lean, .cap = x->cap, .said = x->said, .n = n, .now = x->lean, .toolset = t, .query = query, .len = len,
	                   .weight = (float)weight, .numbers = numbers};
	ndl_status rc = lean_by(x, 0, x->lean, &best, err);
	if (rc == NDL_OK)
		x->empty = (float)(weight * ndl_index_rare_word(t->index)) - best;
	else
		x->n = 0;
	return rc;
}

ndl_status ndl_lexical_rest(ndl_lexical *x, size_t from, ndl_error *err)
{
	if (!x->n)
		return NDL_OK;
	float *rest = x->lean + x->n, best;
	x->now = from ? rest : x->lean;
	if (!from || from == x->rest)
		return NDL_OK;
	ndl_status rc = lean_by(x, from, rest, &best, err);
	for (size_t i = 0; i < x->n && rc == NDL_OK; i++) /* "and of Rome", without a word of a tool, is as what came before */
		rest[i] = x->lean[i] < 0 || best <= 0 ? x->lean[i] : fmaxf(rest[i], 0);
	x->rest = rc == NDL_OK ? from : 0;
	return rc;
}

void ndl_lexical_clear(ndl_lexical *x)
{
	free(x->lean);
	ndl_said_clear(&x->said);
}

void ndl_lexical_add(const ndl_lexical *x, const ndl_engine *e, const ndl_gstate *s, const uint64_t *mask, float *logits)
{
	bool in_string = ndl_gstate_in_string(s);
	size_t words = x->n && ndl_gstate_leans(s, x->now) ? ndl_vocab_trie_words(e->trie) : 0;
	for (size_t w = 0; w < words; w++) {
		uint64_t bits = in_string ? mask[w] & e->pieces.quoted[w] : mask[w];
		for (size_t id = w * 64, len; bits; bits >>= 1, id++) {
			const char *bytes = bits & 1 ? ndl_tok_bytes(e->tok, (int32_t)id, &len) : NULL;
			if (bytes)
				logits[id] += ndl_gstate_lean(s, x->now, bytes, len);
		}
	}
}
