#include "base/utf8.h"

size_t ndl_utf8_decode(const char *str, size_t len, uint32_t *cp)
{
	const unsigned char *s = (const unsigned char *)str;
	uint32_t c;
	size_t n;
	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		if (cp)
			*cp = s[0];
		return 1;
	}
	if (s[0] >= 0xC2 && s[0] <= 0xDF) {
		n = 2;
		c = s[0] & 0x1Fu;
	} else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
		n = 3;
		c = s[0] & 0x0Fu;
	} else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
		n = 4;
		c = s[0] & 0x07u;
	} else {
		return 0;
	}
	if (len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3Fu);
	}
	if ((n == 3 && (c < 0x800 || (c >= 0xD800 && c <= 0xDFFF))) ||
	    (n == 4 && (c < 0x10000 || c > 0x10FFFF)))
		return 0;
	if (cp)
		*cp = c;
	return n;
}

size_t ndl_utf8_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

size_t ndl_utf8_check(const char *s, size_t len)
{
	size_t i = 0;
	while (i < len) {
		size_t n = ndl_utf8_decode(s + i, len - i, NULL);
		if (!n)
			break;
		i += n;
	}
	return i;
}

ndl_status ndl_utf8_require(const char *s, size_t len, ndl_error *err)
{
	size_t good = ndl_utf8_check(s, len);
	return good < len ? ndl_fail(err, NDL_EINVAL, "the text is not UTF-8 at byte %zu", good + 1) : NDL_OK;
}

size_t ndl_utf8_shown(const char *s, size_t len)
{
	uint32_t cp;
	size_t n = ndl_utf8_decode(s, len, &cp);
	return n && cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0) ? n : 0;
}

size_t ndl_utf8_count(const char *s, size_t len)
{
	size_t count = 0;
	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)s[i] & 0xC0) != 0x80;
	return count;
}

char ndl_utf8_plain_quote(const char *s, size_t len, size_t *n)
{
	uint32_t c = 0;
	*n = ndl_utf8_decode(s, len, &c);
	*n += *n == 0;
	switch (c) {
	case '`': case 0xAB: case 0xBB: case 0x201C: case 0x201D: case 0x201E: return '"';
	case 0x2018: case 0x2019: return '\'';
	default: return 0;
	}
}
