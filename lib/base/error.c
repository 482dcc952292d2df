#include "base/error.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Messages go to a terminal and into JSON: a hostile file name or key must not carry escape codes there, and what
 * a "%.80s" cut inside a character is no text. */
static void make_printable(char *s)
{
	for (size_t n, left = strlen(s); left; s += n, left -= n) {
		n = ndl_utf8_shown(s, left);
		if (n == 0) {
			*s = '?';
			n = 1;
		}
	}
}

/* vsnprintf may cut inside a UTF-8 sequence: drop the incomplete tail. */
static void drop_cut_utf8(char *s, size_t cap)
{
	size_t n = strlen(s);
	if (n + 1 < cap)
		return;
	while (n > 0 && ((unsigned char)s[n - 1] & 0xC0) == 0x80)
		n--;
	if (n > 0 && (unsigned char)s[n - 1] >= 0xC0)
		n--;
	s[n] = '\0';
}

ndl_status ndl_fail(ndl_error *err, ndl_status code, const char *fmt, ...)
{
	if (!err)
		return code;
	char text[sizeof err->text]; /* the arguments may point into err */
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	memset(err, 0, sizeof *err);
	err->code = code;
	memcpy(err->text, text, sizeof text);
	drop_cut_utf8(err->text, sizeof err->text);
	make_printable(err->text);
	return code;
}

ndl_status ndl_fail_errno(ndl_error *err, const char *fmt, ...)
{
	int saved = errno;
	char text[300];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return ndl_fail(err, saved == ENOMEM ? NDL_ENOMEM : NDL_EIO, "%s: %s", text, strerror(saved));
}

ndl_status ndl_fail_nomem(ndl_error *err, const char *what)
{
	return ndl_fail(err, NDL_ENOMEM, "out of memory: %s", what);
}

void ndl_error_prefix(ndl_error *err, const char *fmt, ...)
{
	if (!err)
		return;
	char context[200], joined[sizeof err->text + sizeof context + 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(context, sizeof context, fmt, ap);
	va_end(ap);
	snprintf(joined, sizeof joined, "%s: %s", context, err->text);
	size_t n = strlen(joined);
	if (n >= sizeof err->text)
		n = sizeof err->text - 1;
	memcpy(err->text, joined, n);
	err->text[n] = '\0';
	drop_cut_utf8(err->text, sizeof err->text);
	make_printable(err->text);
}

void ndl_error_at(ndl_error *err, const char *file, size_t line)
{
	if (!err)
		return;
	if (file && !err->file[0]) {
		snprintf(err->file, sizeof err->file, "%s", file);
		make_printable(err->file);
	}
	if (!err->line)
		err->line = line;
}
