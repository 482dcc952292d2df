/* rest.c - what of a query remains for the calls after the first ones. English. */
#include "session/search_internal.h"

#include "base/ascii.h"

#include <string.h>

static bool is_blank_at(const char *s, size_t len, size_t i)
{
	return i >= len || s[i] == ' ' || s[i] == '\n' || s[i] == '\t';
}

bool ndl_ends_sentence(const char *s, size_t len, size_t i)
{
	return strchr(".;?!", s[i]) && s[i] && is_blank_at(s, len, i + 1);
}

static bool joins(const char *s, size_t len, size_t i, const char *word)
{
	size_t n = strlen(word);
	return len - i > n && strncmp(s + i, word, n) == 0;
}

static bool ends_clause(const char *s, size_t len, size_t i)
{
	bool comma = s[i] == ',' && is_blank_at(s, len, i + 1);
	return comma || ndl_ends_sentence(s, len, i) || joins(s, len, i, " and ") || joins(s, len, i, " then ");
}

size_t ndl_clause_end(const char *s, size_t len, size_t i)
{
	while (i < len && !ends_clause(s, len, i))
		i++;
	return i;
}

static bool is_word(char c)
{
	return c != ' ' && ndl_is_wordlike((unsigned char)c);
}

/* Behind the first place where the query has the value v[0..n), an enum's "sat_nav" as "Sat nav"; 0: nowhere. */
static size_t behind(const char *s, size_t len, const char *v, size_t n)
{
	for (size_t at = 0, i; n && at + n <= len; at++) {
		if ((at && is_word(s[at - 1])) || (at + n < len && is_word(s[at + n])))
			continue;
		for (i = 0; i < n; i++)
			if (ndl_fold((unsigned char)s[at + i]) != ndl_fold((unsigned char)v[i]) && !(s[at + i] == ' ' && v[i] == '_'))
				break;
		if (i == n)
			return at + n;
	}
	return 0;
}

/* Behind the string, number, true, false or null that begins at a[i]; the text ends with a NUL. */
static size_t value_end(const char *a, size_t n, size_t i)
{
	if (a[i] != '"')
		return i + strcspn(a + i, ",:]}[{\"");
	i = ndl_string_end(a, i + 1, n);
	return i < n ? i + 1 : n;
}

size_t ndl_query_rest(const char *query, size_t len, const char *a, size_t n)
{
	size_t end = 0, taken = 0, depth = 0;
	for (size_t i = 0; i < n;) {
		if (strchr("[{]},:", a[i])) {
			depth += a[i] == '[' || a[i] == '{';
			depth -= depth && (a[i] == ']' || a[i] == '}');
			if (depth == 1 && a[i] == '}') /* of a call: what it took counts */
				taken = end;
			i++;
			continue;
		}
		const size_t to = value_end(a, n, i), quote = a[i] == '"';
		if (depth > 2 && to - i > 2 * quote && !(to < n && a[to] == ':')) {
			const size_t e = behind(query, len, a + i + quote, to - i - 2 * quote);
			end = e > end ? e : end;
		}
		i = to;
	}
	const size_t clause = taken ? ndl_clause_end(query, len, taken) : 0;
	return clause < len ? clause : taken;
}
