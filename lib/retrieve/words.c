/* words.c - texts to the words that BM25 counts. */
#include "retrieve/retrieve_internal.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Longer words are cut: what they begin with tells them apart well enough. */
enum { WORD_MAX = 60 };

static bool is_upper(uint32_t c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(uint32_t c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }

/* Letters and digits; beyond ASCII all but the blocks of punctuation. */
static bool is_word(uint32_t c)
{
	if (c < 0x80)
		return is_upper(c) || is_lower(c) || is_digit(c);
	return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c < 0x2070) && !(c >= 0x3000 && c < 0x3030) &&
	       !(c >= 0xff00 && c < 0xff10);
}

/* Scripts without spaces: kana, ideographs. */
static bool stands_alone(uint32_t c)
{
	return (c >= 0x3040 && c < 0x3100) || (c >= 0x3400 && c < 0xa000) || (c >= 0xf900 && c < 0xfb00) ||
	       (c >= 0x20000 && c < 0x32000);
}

/* Whether a word begins at c inside a run of word characters: camelCase, HTTPServer, area51Map; not 4K. */
static bool begins(uint32_t before, uint32_t c, uint32_t after)
{
	if (stands_alone(c) || stands_alone(before))
		return true;
	return is_upper(c) && (is_lower(before) || ((is_digit(before) || is_upper(before)) && is_lower(after)));
}

static bool ends_in(const char *word, size_t len, const char *end)
{
	size_t n = strlen(end);
	return len >= n && memcmp(word + len - n, end, n) == 0;
}

/* Harman's S stemmer: the first rule whose ending fits decides. Returns the new length. */
static size_t stem(char *word, size_t len)
{
	if (len < 4 || word[len - 1] != 's')
		return len;
	if (ends_in(word, len, "ies") && !ends_in(word, len, "eies") && !ends_in(word, len, "aies")) {
		word[len - 3] = 'y';
		return len - 2;
	}
	if (ends_in(word, len, "es") && (ends_in(word, len, "aes") || ends_in(word, len, "ees") || ends_in(word, len, "oes")))
		return len;
	return ends_in(word, len, "us") || ends_in(word, len, "ss") ? len : len - 1;
}

struct wanted {
	const char *word;
	size_t len;
};

static int compare_common(const void *key, const void *entry)
{
	const struct wanted *w = key;
	const char *common = *(const char *const *)entry;
	return ndl_word_compare(w->word, w->len, common, strlen(common));
}

/* Whether a word says nothing by itself. */
static bool is_common(const char *word, size_t len)
{
	static const char *const common[] = { /* in the order of their bytes */
		"a", "all", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "d", "did",
		"do", "does", "for", "from", "had", "has", "have", "he", "her", "here", "him", "his", "how", "i", "if", "in",
		"is", "it", "its", "just", "ll", "m", "may", "me", "might", "mine", "must", "my", "no", "not", "of", "on",
		"or", "our", "please", "re", "s", "shall", "she", "should", "so", "some", "t", "than", "that", "the", "their",
		"them", "then", "there", "these", "they", "this", "those", "to", "too", "us", "ve",
		"was", "we", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your"};
	struct wanted w = {word, len};
	return bsearch(&w, common, sizeof common / sizeof *common, sizeof *common, compare_common) != NULL;
}

void ndl_words(const char *text, size_t len, ndl_word_fn *fn, void *user)
{
	char word[WORD_MAX + 4];
	size_t n = 0;
	uint32_t before = 0, after;
	for (size_t i = 0, size; i <= len; i += size) {
		uint32_t c = 0;
		size = i < len ? ndl_utf8_decode(text + i, len - i, &c) : 1;
		if (!size || i == len) { /* a broken byte, or the end: between words */
			size = 1;
			c = 0;
		}
		if (i + size >= len || !ndl_utf8_decode(text + i + size, len - i - size, &after))
			after = 0;
		if (n && (!is_word(c) || begins(before, c, after))) {
			bool common = is_common(word, n);
			fn(user, word, common ? n : stem(word, n), common);
			n = 0;
		}
		if (is_word(c) && n < WORD_MAX)
			n += ndl_utf8_encode(is_upper(c) ? c - 'A' + 'a' : c, word + n);
		before = c;
	}
}

int ndl_word_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return order ? order : (a_len > b_len) - (a_len < b_len);
}
