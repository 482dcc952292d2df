/* string.c - JSON strings (RFC 8259 section 7) over strict UTF-8 (RFC 3629), without raw control
 * bytes, lone surrogates and \u0000. */
#include "grammar/grammar_internal.h"

#include <string.h>

enum {
	S_ESCAPE = S_BODY + 1,     /* after a backslash */
	S_U1, S_U2, S_U3, S_U4,    /* a hex digit is due */
	S_LOW, S_LOW_U,            /* after a high surrogate: `\`, `u` are due */
	S_L1, S_L2, S_L3, S_L4,    /* then the four digits of a low one */
	S_T1, S_T2, S_T3,          /* that many continuation bytes are due */
	S_E0, S_ED, S_F0, S_F4,    /* the first of them is restricted after these lead bytes */
};

static int hex(unsigned char b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	b |= 0x20;
	return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

static enum string_result body(uint8_t *sub, uint32_t *unit, unsigned char b)
{
	if (b == '"')
		return STR_END;
	if (b == '\\')
		*sub = S_ESCAPE;
	else if (b < 0x20 || (b >= 0x80 && b < 0xC2) || b > 0xF4)
		return STR_BAD;
	else if (b < 0x80)
		*sub = S_BODY;
	else if (b < 0xE0)
		*sub = S_T1;
	else if (b < 0xF0)
		*sub = b == 0xE0 ? S_E0 : b == 0xED ? S_ED : S_T2;
	else
		*sub = b == 0xF0 ? S_F0 : b == 0xF4 ? S_F4 : S_T3;
	*unit = b < 0x80 ? b : b < 0xE0 ? b & 0x1Fu : b < 0xF0 ? b & 0x0Fu : b & 0x07u;
	return STR_CHAR;
}

/* One of the digits of \uXXXX; high surrogates must be followed by an escaped low one, whose
 * digits come below them in *unit until both are there. */
static enum string_result digit(uint8_t *sub, uint32_t *unit, unsigned char b)
{
	int h = hex(b);
	if (h < 0)
		return STR_BAD;
	uint32_t u = (*sub == S_U1 ? 0 : *unit << 4) | (uint32_t)h;
	if (*sub == S_U2 && u >= 0xDC && u <= 0xDF)
		return STR_BAD;
	if (*sub == S_U4 && u == 0)
		return STR_BAD;
	if ((*sub == S_L1 && (u & 0xF) != 0xD) || (*sub == S_L2 && (u & 0xFF) < 0xDC))
		return STR_BAD;
	if (*sub == S_U4) {
		*sub = u >> 10 == 0xD800 >> 10 ? S_LOW : S_BODY;
	} else if (*sub == S_L4) {
		u = 0x10000 + (((u >> 16) - 0xD800) << 10) + ((u & 0xFFFF) - 0xDC00);
		*sub = S_BODY;
	} else {
		(*sub)++;
	}
	*unit = u;
	return STR_IN;
}

static enum string_result tail(uint8_t *sub, uint32_t *unit, unsigned char b)
{
	unsigned char lo = *sub == S_E0 ? 0xA0 : *sub == S_F0 ? 0x90 : 0x80;
	unsigned char hi = *sub == S_ED ? 0x9F : *sub == S_F4 ? 0x8F : 0xBF;
	if (b < lo || b > hi)
		return STR_BAD;
	switch (*sub) {
	case S_T3: case S_F0: case S_F4: *sub = S_T2; break;
	case S_T2: case S_E0: case S_ED: *sub = S_T1; break;
	default: *sub = S_BODY; break;
	}
	*unit = *unit << 6 | (b & 0x3Fu);
	return STR_IN;
}

static enum string_result escape(uint8_t *sub, uint32_t *unit, unsigned char b)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *c = b ? strchr(letters, b) : NULL;
	if (b == 'u') {
		*sub = S_U1;
		return STR_IN;
	}
	if (!c)
		return STR_BAD;
	*sub = S_BODY;
	*unit = (unsigned char)meanings[c - letters];
	return STR_IN;
}

enum string_result ndl_gstring_step(uint8_t *sub, uint32_t *unit, unsigned char b)
{
	switch (*sub) {
	case S_BODY:
		return body(sub, unit, b);
	case S_ESCAPE:
		return escape(sub, unit, b);
	case S_LOW:
		*sub = S_LOW_U;
		return b == '\\' ? STR_IN : STR_BAD;
	case S_LOW_U:
		*sub = S_L1;
		return b == 'u' ? STR_IN : STR_BAD;
	case S_U1: case S_U2: case S_U3: case S_U4: case S_L1: case S_L2: case S_L3: case S_L4:
		return digit(sub, unit, b);
	default:
		return tail(sub, unit, b);
	}
}

/* All that n more hex digits after those in u make. */
static int hex_spans(uint32_t u, int n, struct span out[2])
{
	uint32_t lo = u << (4 * n), hi = lo + (UINT32_C(1) << (4 * n)) - 1;
	if (lo >= 0xD800 && hi <= 0xDBFF) { /* the first half of a pair */
		out[0] = (struct span){0x10000 + ((lo - 0xD800) << 10), 0x10000 + ((hi - 0xD800) << 10) + 0x3FF};
		return 1;
	}
	out[0] = (struct span){lo, hi};
	out[1] = (struct span){0x10000, CHAR_MAX_POINT};
	return lo <= 0xD800 && hi >= 0xDBFF ? 2 : 1;
}

/* n digits of the second half are missing. */
static int low_spans(uint32_t u, int n, struct span out[2])
{
	uint32_t high = n == 4 ? u & 0xFFFF : u >> (16 - 4 * n), low = u & ((UINT32_C(1) << (16 - 4 * n)) - 1);
	uint32_t lo = low << (4 * n), hi = lo + (UINT32_C(1) << (4 * n)) - 1, base = 0x10000 + ((high - 0xD800) << 10);
	lo = lo < 0xDC00 ? 0xDC00 : lo;
	hi = hi > 0xDFFF ? 0xDFFF : hi;
	out[0] = (struct span){base + (lo - 0xDC00), base + (hi - 0xDC00)};
	return 1;
}

int ndl_gstring_spans(uint8_t sub, uint32_t unit, struct span out[2])
{
	switch (sub) {
	case S_ESCAPE: case S_U1:
		out[0] = (struct span){1, CHAR_MAX_POINT};
		return 1;
	case S_U2: case S_U3: case S_U4: return hex_spans(unit, S_U4 - sub + 1, out);
	case S_LOW: case S_LOW_U: case S_L1: return low_spans(unit, 4, out);
	case S_L2: case S_L3: case S_L4: return low_spans(unit, S_L4 - sub + 1, out);
	case S_E0: out[0] = (struct span){0x800, 0xFFF}; return 1;
	case S_ED: out[0] = (struct span){0xD000, 0xD7FF}; return 1;
	case S_F0: out[0] = (struct span){0x10000, 0x3FFFF}; return 1;
	case S_F4: out[0] = (struct span){0x100000, CHAR_MAX_POINT}; return 1;
	default: break;
	}
	int bits = 6 * (sub - S_T1 + 1);
	out[0] = (struct span){unit << bits, (unit << bits) + (UINT32_C(1) << bits) - 1};
	return 1;
}

unsigned char ndl_gstring_close(uint8_t sub, uint32_t unit)
{
	switch (sub) {
	case S_ESCAPE: return 'n';
	case S_LOW: return '\\';
	case S_LOW_U: return 'u';
	case S_L1: return 'd';
	case S_L2: return 'c';
	case S_U4: return unit == 0 ? 'a' : '0'; /* not \u0000 */
	case S_U1: case S_U2: case S_U3: case S_L3: case S_L4: return '0';
	case S_E0: return 0xA0;
	case S_F0: return 0x90;
	default: return 0x80;
	}
}
