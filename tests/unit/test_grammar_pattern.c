/* test_grammar_pattern.c - random regular expressions: the grammar's automaton against PCRE2. A
 * prefix must be admitted exactly where PCRE2's partial matching says that it may become a match
 * of the anchored expression, and a text exactly where it matches. */
#include "tests/tap.h"

#include "base/rng.h"
#include "grammar/regex_internal.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <string.h>

static const char letters[] = "abc1 ";

static void add(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);
	snprintf(out + n, size - n, "%s", text);
}

static void expression(ndl_rng *r, char *out, size_t size, int depth)
{
	static const char *const atoms[] = {"a", "b", "c", "ab", ".", "[ab]", "[^a]", "\\d", "\\w", "\\s", "[b-c1]", "\\x61", ""};
	static const char *const repeats[] = {"", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?"};
	for (uint64_t n = 1 + ndl_rng_below(r, 3); n; n--) {
		if (depth > 0 && ndl_rng_chance(r, 0.4)) {
			add(out, size, ndl_rng_chance(r, 0.5) ? "(?:" : "(");
			expression(r, out, size, depth - 1);
			if (ndl_rng_chance(r, 0.4)) {
				add(out, size, "|");
				expression(r, out, size, depth - 1);
			}
			add(out, size, ")");
			add(out, size, repeats[ndl_rng_below(r, sizeof repeats / sizeof *repeats)]);
			continue;
		}
		const char *atom = atoms[ndl_rng_below(r, sizeof atoms / sizeof *atoms)];
		add(out, size, atom);
		if (*atom)
			add(out, size, repeats[ndl_rng_below(r, sizeof repeats / sizeof *repeats)]);
	}
}

/* A whole expression: anchored or not at either side. */
static void pattern(ndl_rng *r, char *out, size_t size)
{
	out[0] = '\0';
	add(out, size, ndl_rng_chance(r, 0.6) ? "^" : "");
	expression(r, out, size, 2);
	add(out, size, ndl_rng_chance(r, 0.6) ? "$" : "");
}

static pcre2_code *compile(const char *format, const char *text)
{
	char whole[500];
	int error;
	size_t offset;
	snprintf(whole, sizeof whole, format, text);
	return pcre2_compile((PCRE2_SPTR)whole, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_DOTALL, &error, &offset, NULL);
}

static int match(pcre2_code *code, const char *text, uint32_t options)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int n = pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, options, data, NULL);
	pcre2_match_data_free(data);
	return n;
}

/* All texts up to a length: what the automaton says of each, and of each as a prefix. */
static bool agree(const ndl_regex *r, pcre2_code *search, pcre2_code *whole, char *text, size_t len, uint32_t state)
{
	text[len] = '\0';
	bool matches = state != REGEX_DEAD && r->rest[state] == 0;
	if (matches != (match(search, text, 0) >= 0))
		return false;
	/* an empty subject is never a partial match for PCRE2 */
	if (len > 0 && (state != REGEX_DEAD) != (match(whole, text, PCRE2_PARTIAL_HARD) == PCRE2_ERROR_PARTIAL || match(whole, text, 0) >= 0))
		return false;
	for (const char *c = letters; *c && len < 4; c++) {
		text[len] = *c;
		if (!agree(r, search, whole, text, len + 1, state == REGEX_DEAD ? REGEX_DEAD : ndl_regex_step(r, state, (unsigned char)*c)))
			return false;
	}
	return true;
}

int main(void)
{
	const char *rounds = getenv("NDL_TEST_ROUNDS");
	size_t wrong = 0, compared = 0, refused = 0, n = rounds ? strtoul(rounds, NULL, 10) : 150;
	for (uint64_t seed = 1; seed <= n; seed++) {
		ndl_rng r;
		ndl_error err = NDL_ERROR_INIT;
		char text[400], buffer[8];
		ndl_rng_seed(&r, seed, 5);
		pattern(&r, text, sizeof text);
		ndl_regex *ours = ndl_regex_new(text, &err);
		pcre2_code *search = compile("%s", text);
		/* the search as one expression for whole texts, of which a prefix may be part */
		pcre2_code *whole = compile(text[0] == '^' ? "^(?:(?:%s)(?s:.*))\\z" : "^(?:.*?(?:%s)(?s:.*))\\z", text);
		if (ours && search && whole) {
			compared++;
			if (!agree(ours, search, whole, buffer, 0, 0)) {
				tap_note("seed %d: %s differs at \"%s\"", (int)seed, text, buffer);
				wrong++;
			}
		} else if (!ours && search && (err.code == NDL_EINVAL || err.code == NDL_ELIMIT)) {
			refused++; /* nothing matches, or too many states: PCRE2 does not look for that */
		} else if ((ours != NULL) != (search != NULL)) {
			tap_note("seed %d: %s: %s", (int)seed, text, ours ? "only we read it" : err.text);
			wrong++;
		}
		ndl_regex_free(ours);
		pcre2_code_free(search);
		pcre2_code_free(whole);
	}
	tap_note("%zu expressions compared, %zu refused", compared, refused);
	CHECK_INT(wrong, 0);
	CHECK(compared > n / 2);
	return tap_done();
}
