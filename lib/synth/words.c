#include "synth/values.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool syn_one_of(const char *word, size_t len, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
			return true;
	return false;
}

void syn_end_whole(char *text)
{
	text[ndl_utf8_check(text, strlen(text))] = '\0';
}

bool syn_has_word(const char *name, const char *word)
{
	size_t n = strlen(word);
	for (const char *s = strstr(name, word); s; s = strstr(s + 1, word))
		if ((s == name || s[-1] == '_') && (s[n] == '\0' || s[n] == '_'))
			return true;
	return false;
}

static const char *const small[] = {"zero", "one", "two", "three", "four", "five", "six",
	"seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
	"sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"", "", "twenty", "thirty", "forty", "fifty", "sixty",
	"seventy", "eighty", "ninety"};

static void below_thousand(ndl_buf *out, long n)
{
	if (n >= 100) {
		ndl_buf_printf(out, "%s hundred", small[n / 100]);
		n %= 100;
		if (!n)
			return;
		ndl_buf_str(out, " and ");
	}
	if (n < 20)
		ndl_buf_str(out, small[n]);
	else if (n % 10)
		ndl_buf_printf(out, "%s-%s", tens[n / 10], small[n % 10]);
	else
		ndl_buf_str(out, tens[n / 10]);
}

void syn_number_words(ndl_buf *out, long n)
{
	static const struct {
		long unit;
		const char *name;
	} big[] = {{1000000, "million"}, {1000, "thousand"}};
	bool any = false;
	for (int i = 0; i < 2; i++) {
		if (n < big[i].unit)
			continue;
		if (any)
			ndl_buf_byte(out, ' ');
		below_thousand(out, n / big[i].unit % 1000);
		ndl_buf_printf(out, " %s", big[i].name);
		n %= big[i].unit;
		any = true;
	}
	if (any && n)
		ndl_buf_str(out, n < 100 ? " and " : " ");
	if (n || !any)
		below_thousand(out, n);
}

void syn_ordinal(ndl_buf *out, int n)
{
	int d = n % 10, teen = n % 100 / 10 == 1;
	ndl_buf_printf(out, "%d%s", n, teen ? "th" : d == 1 ? "st" : d == 2 ? "nd" : d == 3 ? "rd" : "th");
}

void syn_trim_number(ndl_buf *out, double x)
{
	ndl_buf_printf(out, x == floor(x) && fabs(x) < 1e15 ? "%.0f" : "%.10g", x + 0.0); /* -0 is 0 */
}

void syn_made_up_word(ndl_rng *r, ndl_buf *out, int syllables)
{
	static const char *const onset[] = {"b", "br", "c", "ch", "d", "dr", "f", "fl", "g",
		"gr", "h", "j", "k", "kl", "l", "m", "n", "p", "pl", "qu", "r", "s", "sh", "sk",
		"st", "t", "tr", "th", "v", "w", "y", "z", "zh", "", "", ""};
	static const char *const nucleus[] = {"a", "e", "i", "o", "u", "ai", "ea", "ee", "io",
		"oo", "ou", "y", "a", "e", "i", "o"};
	static const char *const coda[] = {"", "", "", "", "n", "r", "l", "s", "x", "m", "t",
		"ck", "nd", "rn", "sh", "v", "z", "rk", "lt"};
	for (int i = 0; i < syllables; i++) {
		ndl_buf_str(out, onset[ndl_rng_below(r, sizeof onset / sizeof *onset)]);
		ndl_buf_str(out, nucleus[ndl_rng_below(r, sizeof nucleus / sizeof *nucleus)]);
		if (i + 1 == syllables || ndl_rng_chance(r, 0.3))
			ndl_buf_str(out, coda[ndl_rng_below(r, sizeof coda / sizeof *coda)]);
	}
}
