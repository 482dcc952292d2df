/* source.h - where a dataset's rows come from, and in which order: lines in memory, or a stream
 * shuffled within a buffer. Private to the room. */
#ifndef NDL_DATA_SOURCE_H
#define NDL_DATA_SOURCE_H

#include "data/dataset.h"

/* A row drawn. text is NUL-terminated; owned by whoever drew it if `owned`. */
typedef struct ndl_draw {
	char *text;
	size_t len;
	bool owned;
	uint64_t epoch, number; /* what the example depends on besides the seed */
	const char *file;       /* for messages; borrowed */
	size_t line;
	int rc;                 /* negative: the line could not be read; why */
} ndl_draw;

typedef struct ndl_source ndl_source; /* opaque, owned */
ndl_source *ndl_source_open(const ndl_dataset_options *o, ndl_error *err);
void ndl_source_close(ndl_source *s);
/* 1 and *out, 0 at the end, negative when the input is broken. */
int ndl_source_draw(ndl_source *s, ndl_draw *out, ndl_error *err);
void ndl_draw_clear(ndl_draw *d);
size_t ndl_source_rows(const ndl_source *s); /* an epoch; 0 for a stream */
void ndl_source_where(const ndl_source *s, uint64_t *epoch, uint64_t *position);
ndl_status ndl_source_seek(ndl_source *s, uint64_t epoch, uint64_t position, ndl_error *err);

#endif
