/* lines.c - lines for comparing tokenizers: the same on every machine for the same seed and files.
 *
 *   lines plain|all SEED COUNT [FILE]...
 *
 * Prose and JSON are made from a list of words, source code and more prose from the lines of the
 * files; with `all` also random Unicode, random bytes, and mixtures of what tokenizers trip over.
 * No line holds a newline; carriage returns and NUL bytes do occur. */
#include "base/buf.h"
#include "base/reader.h"
#include "base/rng.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
	"the", "a", "to", "in", "play", "turn", "set", "alarm", "for", "seven", "tomorrow", "morning",
	"lights", "living", "room", "weather", "Paris", "what's", "remind", "me", "call", "Mum", "at",
	"7:30", "and", "then", "message", "Dr.", "O'Neill", "that", "I'm", "late", "20%", "$15.99",
	"brightness", "volume", "Bohemian", "Rhapsody", "caf\xC3\xA9", "na\xC3\xAFve", "Z\xC3\xBCrich",
	"\xE6\x9D\xB1\xE4\xBA\xAC", "\xD0\x9C\xD0\xBE\xD1\x81\xD0\xBA\xD0\xB2\xD0\xB0", "get_weather",
	"location", "https://example.com/x?y=1", "2026-11-20", "(optional)", "e.g.", "-3.5e+10", "ok!",
};

static const char *const traps[] = {
	" ", "  ", "\t", "\r", "<tools>", "<tool_call>", "<tool", "s>", "</s>", "<s>", "<pad>", "<unk>",
	"<0x41>", "\xE2\x96\x81", "\xE2\x96\x81\xE2\x96\x81", "\xE2\x96\x85", "\xEF\xBF\xBD", "\xC3",
	"\xE2\x96", "\xF0\x9F\x98", "\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xEF\xBB\xBF",
	"\xF0\x9F\x98\x80", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB", "e\xCC\x81", "\xE2\x81\x87",
	"\xC2\xA0", "\xE3\x80\x80", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"------------------------------------------------------------", "0123456789", "((((", "{\"", "\":[",
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *pick(ndl_rng *r, const char *const *list, size_t n)
{
	return list[ndl_rng_below(r, n)];
}

static void prose(ndl_rng *r, ndl_buf *b)
{
	for (uint64_t n = ndl_rng_below(r, 25); n > 0; n--) {
		ndl_buf_str(b, pick(r, words, COUNT(words)));
		ndl_buf_str(b, ndl_rng_chance(r, 0.1) ? ", " : " ");
	}
}

static void json(ndl_rng *r, ndl_buf *b, int depth)
{
	uint64_t n = ndl_rng_below(r, 4);
	switch (depth > 3 ? ndl_rng_below(r, 3) : ndl_rng_below(r, 5)) {
	case 0: ndl_buf_printf(b, "%lld", (long long)ndl_rng_range(r, -1000, 100000)); break;
	case 1: ndl_buf_printf(b, "\"%s\"", pick(r, words, COUNT(words))); break;
	case 2: ndl_buf_str(b, ndl_rng_chance(r, 0.5) ? "true" : "null"); break;
	case 3:
		ndl_buf_str(b, "[");
		for (uint64_t i = 0; i < n; i++) {
			json(r, b, depth + 1);
			ndl_buf_str(b, i + 1 < n ? "," : "");
		}
		ndl_buf_str(b, "]");
		break;
	default:
		ndl_buf_str(b, "{");
		for (uint64_t i = 0; i < n; i++) {
			/* one draw a statement: the order of arguments is the compiler's */
			const char *space = ndl_rng_chance(r, 0.2) ? " " : "";
			ndl_buf_printf(b, "\"%s\":%s", pick(r, words, COUNT(words)), space);
			json(r, b, depth + 1);
			ndl_buf_str(b, i + 1 < n ? "," : "");
		}
		ndl_buf_str(b, "}");
	}
}

static void unicode(ndl_rng *r, ndl_buf *b)
{
	static const uint32_t limit[] = {0x80, 0x250, 0x3000, 0x10000, 0x110000};
	uint32_t top = limit[ndl_rng_below(r, COUNT(limit))];
	for (uint64_t n = ndl_rng_below(r, 40); n > 0; n--) {
		uint32_t cp = (uint32_t)ndl_rng_below(r, top);
		char text[4];
		if (cp != '\n' && !(cp >= 0xD800 && cp < 0xE000))
			ndl_buf_add(b, text, ndl_utf8_encode(cp, text));
	}
}

static void bytes(ndl_rng *r, ndl_buf *b)
{
	for (uint64_t n = ndl_rng_below(r, 60); n > 0; n--) {
		int byte = (int)ndl_rng_below(r, 256);
		ndl_buf_byte(b, byte == '\n' ? 0 : byte);
	}
}

static void mixture(ndl_rng *r, ndl_buf *b)
{
	for (uint64_t n = ndl_rng_below(r, 15); n > 0; n--) {
		if (ndl_rng_chance(r, 0.6))
			ndl_buf_str(b, pick(r, traps, COUNT(traps)));
		else if (ndl_rng_chance(r, 0.05))
			ndl_buf_byte(b, 0);
		else
			ndl_buf_str(b, pick(r, words, COUNT(words)));
	}
}

static void one_line(ndl_rng *r, ndl_buf *b, bool plain)
{
	switch (ndl_rng_below(r, plain ? 2 : 5)) {
	case 0: prose(r, b); break;
	case 1: json(r, b, 0); break;
	case 2: unicode(r, b); break;
	case 3: bytes(r, b); break;
	default: mixture(r, b);
	}
}

static int copy_file(const char *path)
{
	ndl_error err = NDL_ERROR_INIT;
	const char *line;
	size_t len;
	int got;
	ndl_reader *in = ndl_reader_open(path, &err);
	if (!in)
		return 1;
	while ((got = ndl_reader_line(in, &line, &len, &err)) > 0) {
		fwrite(line, 1, len, stdout);
		putchar('\n');
	}
	ndl_reader_close(in);
	return got < 0;
}

int main(int argc, char **argv)
{
	ndl_rng r;
	ndl_buf b = NDL_BUF_INIT;
	int bad = 0;
	if (argc < 4) {
		fputs("usage: lines plain|all SEED COUNT [FILE]...\n", stderr);
		return 2;
	}
	bool plain = strcmp(argv[1], "plain") == 0;
	ndl_rng_seed(&r, strtoull(argv[2], NULL, 10), 0);
	puts("The first line is plain, so that no reader takes the rest for a compressed file.");
	for (unsigned long n = strtoul(argv[3], NULL, 10); n > 0; n--) {
		ndl_buf_reset(&b);
		one_line(&r, &b, plain);
		ndl_buf_byte(&b, '\n');
		fwrite(b.data, 1, b.len, stdout);
	}
	for (int i = 4; i < argc; i++)
		bad |= copy_file(argv[i]);
	ndl_buf_clear(&b);
	return bad || fflush(stdout) != 0;
}
