#include "base/gunzip.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

enum { CHUNK = 1 << 16, GZIP_ONLY = 16 /* inflateInit2: added to the window's bits */ };

struct ndl_gunzip {
	z_stream z;
	ndl_gunzip_feed *feed;
	void *user;
	enum { BETWEEN, MEMBER, PADDING } at;
	unsigned char out[CHUNK];
};

bool ndl_is_gzip(const void *head, size_t n)
{
	return n >= 2 && memcmp(head, "\x1f\x8b", 2) == 0;
}

ndl_gunzip *ndl_gunzip_new(ndl_gunzip_feed *feed, void *user, ndl_error *err)
{
	ndl_gunzip *g = calloc(1, sizeof *g);
	if (!g || inflateInit2(&g->z, MAX_WBITS + GZIP_ONLY) != Z_OK) {
		free(g);
		ndl_fail_nomem(err, "decompressor");
		return NULL;
	}
	g->feed = feed;
	g->user = user;
	g->at = MEMBER;
	return g;
}

void ndl_gunzip_free(ndl_gunzip *g)
{
	if (!g)
		return;
	inflateEnd(&g->z);
	free(g);
}

/* Goes on to the next member if one begins here; as gzip does, takes zeros for the padding of a tape. */
static ndl_status begin_member(ndl_gunzip *g, ndl_error *err)
{
	while (g->z.avail_in && *g->z.next_in == 0) {
		g->at = PADDING;
		g->z.next_in++;
		g->z.avail_in--;
	}
	if (!g->z.avail_in)
		return NDL_OK;
	if (g->at == PADDING || *g->z.next_in != 0x1f)
		return ndl_fail(err, NDL_EFORMAT, "garbage after the end of the gzip data");
	inflateReset(&g->z);
	g->at = MEMBER;
	return NDL_OK;
}

static ndl_status inflate_some(ndl_gunzip *g, ndl_error *err)
{
	switch (inflate(&g->z, Z_NO_FLUSH)) {
	case Z_STREAM_END:
		g->at = BETWEEN;
		return NDL_OK;
	case Z_OK:
	case Z_BUF_ERROR: /* wants more input */
		return NDL_OK;
	case Z_MEM_ERROR:
		return ndl_fail_nomem(err, "decompressor");
	default:
		return ndl_fail(err, NDL_EFORMAT, "%s", g->z.msg ? g->z.msg : "damaged data");
	}
}

ssize_t ndl_gunzip_next(ndl_gunzip *g, const void **data, ndl_error *err)
{
	*data = g->z.next_out = g->out;
	g->z.avail_out = sizeof g->out;
	while (g->z.next_out == g->out) {
		if (!g->z.avail_in) {
			const void *in;
			ssize_t got = g->feed(g->user, &in, err);
			if (got < 0)
				return -1;
			if (got == 0 && g->at == MEMBER)
				return ndl_fail(err, NDL_EFORMAT, "unexpected end of file"), -1;
			if (got == 0)
				return 0;
			g->z.next_in = in;
			g->z.avail_in = (uInt)got;
		}
		ndl_status s = g->at == MEMBER ? inflate_some(g, err) : begin_member(g, err);
		if (s != NDL_OK)
			return -1;
	}
	return (ssize_t)sizeof g->out - (ssize_t)g->z.avail_out;
}

ndl_status ndl_gunzip_finish(ndl_gunzip *g, ndl_error *err)
{
	const void *data;
	ssize_t got;
	do
		got = ndl_gunzip_next(g, &data, err);
	while (got > 0);
	if (got == 0)
		return NDL_OK;
	ndl_error_prefix(err, "cannot decompress");
	return NDL_EFORMAT;
}
