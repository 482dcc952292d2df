/* string.c - JSON strings (RFC 8259 section 7) over strict UTF-8 (RFC 3629), without raw control
 * bytes, lone surrogates and \u0000. */
#include "grammar/grammar_internal.h"

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

static enum string_result body(uint8_t *sub, unsigned char b)
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
	return STR_CHAR;
}

/* One of the digits of \uXXXX; high surrogates must be followed by an escaped low one. */
static enum string_result digit(uint8_t *sub, uint32_t *unit, unsigned char b)
{
	int h = hex(b);
	if (h < 0)
		return STR_BAD;
	uint32_t u = (*sub == S_U1 || *sub == S_L1 ? 0 : *unit << 4) | (uint32_t)h;
	if (*sub == S_U2 && u >= 0xDC && u <= 0xDF)
		return STR_BAD;
	if (*sub == S_U4 && u == 0)
		return STR_BAD;
	if ((*sub == S_L1 && u != 0xD) || (*sub == S_L2 && u < 0xDC))
		return STR_BAD;
	if (*sub == S_U4)
		*sub = u >> 10 == 0xD800 >> 10 ? S_LOW : S_BODY;
	else if (*sub == S_L4)
		*sub = S_BODY;
	else
		(*sub)++;
	*unit = u;
	return STR_IN;
}

static enum string_result tail(uint8_t *sub, unsigned char b)
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
	return STR_IN;
}

enum string_result ndl_gstring_step(uint8_t *sub, uint32_t *unit, unsigned char b)
{
	switch (*sub) {
	case S_BODY:
		return body(sub, b);
	case S_ESCAPE:
		switch (b) {
		case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
			*sub = S_BODY;
			return STR_IN;
		case 'u':
			*sub = S_U1;
			return STR_IN;
		default:
			return STR_BAD;
		}
	case S_LOW:
		*sub = S_LOW_U;
		return b == '\\' ? STR_IN : STR_BAD;
	case S_LOW_U:
		*sub = S_L1;
		return b == 'u' ? STR_IN : STR_BAD;
	case S_U1: case S_U2: case S_U3: case S_U4: case S_L1: case S_L2: case S_L3: case S_L4:
		return digit(sub, unit, b);
	default:
		return tail(sub, b);
	}
}

unsigned char ndl_gstring_close(uint8_t sub, uint32_t unit)
{
	switch (sub) {
	case S_ESCAPE: return 'n';
	case S_LOW: return '\\';
	case S_LOW_U: return 'u';
	case S_L1: return 'd';
	case S_L2: return 'c';
	case S_U4: return unit == 0 ? 'a' : '0';
	case S_U1: case S_U2: case S_U3: case S_L3: case S_L4: return '0';
	case S_E0: return 0xA0;
	case S_F0: return 0x90;
	default: return 0x80;
	}
}
