/* runs.c - what of a query is of one piece: paths, URLs, addresses, versions, and what stands in quotes. Who types such a thing means
 * all of it: a value does not begin or end inside, and one that has begun with it goes on with it. Names with a dot or an underscore
 * have no edges there, but may be told otherwise: snake_case. */
#include "session/places_internal.h"

#include <string.h>

static bool is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

/* Between words. */
static bool joins(const char *s, size_t i)
{
	return i && is_word((unsigned char)s[i - 1]) && is_word((unsigned char)s[i + 1]);
}

static void join(ndl_ground *g, size_t from, size_t to, uint16_t flags)
{
	for (size_t i = from + 1; i < to; i++)
		g->at[i].flags |= flags;
}

/* Whether s[a, b), without blanks, is a path, URL, address, version or regular expression. */
static bool is_technical(const char *s, size_t a, size_t b)
{
	size_t dots = 0, decimals = 0, slashes = 0, others = 0;
	bool rooted = s[a] == '/' ? is_word((unsigned char)s[a + 1]) : s[a] == '~' || s[a] == '.' ? memchr(s + a, '/', b - a) != NULL : false;
	for (size_t i = a; i < b; i++) {
		slashes += s[i] == '/';
		dots += (s[i] == '.' || s[i] == '_') && joins(s, i);
		decimals += s[i] == '.' && joins(s, i) && ndl_digit_at(s, i - 1) && ndl_digit_at(s, i + 1);
		others += (s[i] == '@' && joins(s, i)) || s[i] == '\\' || strncmp(s + i, "://", 3) == 0 || strncmp(s + i, "::", 2) == 0;
	}
	return rooted || others || (slashes && dots) || decimals > 1;
}

static bool is_between(char c)
{
	return c == ' ' || c == '\0' || c == ',' || c == ';' || c == '"';
}

/* Runs without blanks, commas and quotes, less the marks of a sentence around them. */
static void mark_technical(ndl_ground *g, size_t n)
{
	const char *s = ndl_buf_cstr(&g->text);
	for (size_t i = 0, a, b; i < n; i++) {
		if (is_between(s[i]))
			continue;
		for (a = i; i < n && !is_between(s[i]);)
			i++;
		b = i - (i > a && i < n && s[i] == '"' && s[i - 1] == '\\'); /* a quote is written \" */
		while (a < b && strchr("([{<'", s[a]))
			a++;
		while (a < b && strchr(")]}>'.!?:", s[b - 1]))
			b--;
		if (a < b && is_technical(s, a, b))
			join(g, a, b, NDL_AT_INSIDE | NDL_AT_BOUND);
		for (; a < b; a++)
			if ((s[a] == '.' || s[a] == '_' || s[a] == '|') && joins(s, a))
				join(g, a - 1, a + 2, NDL_AT_INSIDE);
	}
}

static bool is_quote(const char *s, size_t i, const char *quote)
{
	return strncmp(s + i, quote, strlen(quote)) == 0;
}

/* Between two such quotes, but not all of the query. Where one is not closed, no other after it is. */
static void mark_quoted(ndl_ground *g, size_t n, const char *quote)
{
	const char *s = ndl_buf_cstr(&g->text);
	const size_t mark = strlen(quote);
	for (size_t i = 0, to; i + mark < n; i++) {
		if (!is_quote(s, i, quote) || s[i + mark] == ' ' || (i && !strchr(" ([:=", s[i - 1])))
			continue;
		for (to = i + mark + 1; to + mark <= n; to++)
			if (is_quote(s, to, quote) && s[to - 1] != ' ' && s[to - 1] != '\\' && !is_word((unsigned char)s[to + mark]))
				break;
		if (to + mark > n)
			return;
		if (i || to + mark < n)
			join(g, i + mark, to, NDL_AT_INSIDE | NDL_AT_BOUND);
		i = to + mark - 1;
	}
}

void ndl_mark_runs(ndl_ground *g, size_t n)
{
	mark_technical(g, n);
	mark_quoted(g, n, "\\\"");
	mark_quoted(g, n, "'");
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)g->text.data[i] & 0xC0) == 0x80) /* in the middle of a character */
			g->at[i].flags |= NDL_AT_BOUND;
}
