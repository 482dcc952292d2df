#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ndl_buf_clear(ndl_buf *b)
{
	free(b->data);
	*b = (ndl_buf)NDL_BUF_INIT;
}

void ndl_buf_reset(ndl_buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

void ndl_buf_cut(ndl_buf *b, size_t len)
{
	if (len < b->len)
		b->data[b->len = len] = '\0';
}

char *ndl_buf_reserve(ndl_buf *b, size_t more)
{
	size_t need;
	if (b->failed)
		return NULL;
	if (!ndl_add_ok(b->len, more, &need) || !ndl_add_ok(need, 1, &need) ||
	    ndl_grow(&b->data, &b->cap, need, 1) < 0) {
		b->failed = true;
		return NULL;
	}
	return b->data + b->len;
}

void ndl_buf_add(ndl_buf *b, const void *data, size_t len)
{
	char *to = ndl_buf_reserve(b, len);
	if (!to)
		return;
	if (len)
		memcpy(to, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void ndl_buf_byte(ndl_buf *b, int byte)
{
	char c = (char)byte;
	ndl_buf_add(b, &c, 1);
}

void ndl_buf_str(ndl_buf *b, const char *s)
{
	ndl_buf_add(b, s, strlen(s));
}

void ndl_buf_printf(ndl_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *to = n < 0 ? NULL : ndl_buf_reserve(b, (size_t)n);
	if (!to) {
		b->failed = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

const char *ndl_buf_cstr(const ndl_buf *b)
{
	return b->data ? b->data : "";
}

ndl_status ndl_buf_check(const ndl_buf *b, ndl_error *err)
{
	return b->failed ? ndl_fail_nomem(err, "growing a buffer") : NDL_OK;
}
