#include "data/source.h"

#include "base/mem.h"
#include "base/reader.h"
#include "data/lines_internal.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of the random streams that put rows in order; examples use (epoch << 40) ^ row. */
#define ORDER_STREAM(epoch) (UINT64_MAX - (epoch))
#define BUFFER_STREAM (UINT64_MAX / 2)

struct ndl_source {
	/* lines */
	const ndl_lines *lines;
	const size_t *subset;
	size_t rows;
	uint64_t epochs;
	size_t *order; /* of this epoch; NULL: as they come */
	/* stream */
	ndl_reader *in;
	ndl_draw *held;
	size_t n_held, max_held;
	uint64_t read;
	bool eof;
	ndl_rng rng;
	/* both */
	uint64_t seed, epoch, position;
};

void ndl_draw_clear(ndl_draw *d)
{
	if (d->owned)
		free(d->text);
	*d = (ndl_draw){0};
}

static void shuffle_epoch(ndl_source *s)
{
	ndl_rng rng;
	if (!s->order)
		return;
	ndl_rng_seed(&rng, s->seed, ORDER_STREAM(s->epoch));
	ndl_rng_shuffle(&rng, s->order, s->rows);
}

static ndl_status open_lines(ndl_source *s, const ndl_dataset_options *o, ndl_error *err)
{
	s->lines = o->lines;
	s->subset = o->subset;
	s->rows = o->subset ? o->n_subset : ndl_lines_count(o->lines);
	s->epochs = o->epochs;
	if (s->rows == 0)
		return ndl_fail(err, NDL_EINVAL, "no training examples");
	for (size_t i = 0; s->subset && i < s->rows; i++)
		if (s->subset[i] >= ndl_lines_count(o->lines))
			return ndl_fail(err, NDL_EINVAL, "row %zu of a subset does not exist", s->subset[i]);
	if (!o->in_order) {
		s->order = ndl_calloc(s->rows, sizeof *s->order);
		if (!s->order)
			return ndl_fail_nomem(err, "order of rows");
	}
	shuffle_epoch(s);
	return NDL_OK;
}

static ndl_status open_stream(ndl_source *s, const ndl_dataset_options *o, ndl_error *err)
{
	s->max_held = o->in_order ? 1 : o->shuffle_buffer ? o->shuffle_buffer : 4096;
	ndl_rng_seed(&s->rng, o->seed, BUFFER_STREAM);
	s->held = ndl_calloc(s->max_held, sizeof *s->held);
	if (!s->held)
		return ndl_fail_nomem(err, "shuffle buffer");
	s->in = ndl_reader_open(o->path, err);
	return s->in ? NDL_OK : NDL_EIO;
}

ndl_source *ndl_source_open(const ndl_dataset_options *o, ndl_error *err)
{
	ndl_source *s = calloc(1, sizeof *s);
	if (!s) {
		ndl_fail_nomem(err, "dataset");
		return NULL;
	}
	s->seed = o->seed;
	ndl_status rc = o->lines ? open_lines(s, o, err) : open_stream(s, o, err);
	if (rc != NDL_OK) {
		ndl_source_close(s);
		return NULL;
	}
	return s;
}

void ndl_source_close(ndl_source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_held; i++)
		ndl_draw_clear(&s->held[i]);
	free(s->held);
	free(s->order);
	ndl_reader_close(s->in);
	free(s);
}

static int draw_line(ndl_source *s, ndl_draw *out)
{
	if (s->position == s->rows) {
		if (s->epochs && s->epoch + 1 >= s->epochs)
			return 0;
		s->epoch++;
		s->position = 0;
		shuffle_epoch(s);
	}
	size_t i = (size_t)s->position++, len;
	if (s->order)
		i = s->order[i];
	if (s->subset)
		i = s->subset[i];
	*out = (ndl_draw){.epoch = s->epoch, .number = i};
	out->text = (char *)(uintptr_t)ndl_lines_at(s->lines, i, &len); /* not owned, not changed */
	out->len = len;
	ndl_lines_source(s->lines, i, &out->file, &out->line);
	return 1;
}

/* The next line that is not blank; one that is too long comes with rc < 0 and no text. */
static int read_row(ndl_source *s, ndl_draw *d, ndl_error *err)
{
	const char *line;
	size_t len;
	for (;;) {
		ndl_error why = NDL_ERROR_INIT;
		int got = ndl_reader_line(s->in, &line, &len, &why);
		if (got == 0)
			return 0;
		if (got < 0 && why.code != NDL_ELIMIT) {
			if (err)
				*err = why;
			return got;
		}
		if (got > 0 && ndl_data_blank(line, len))
			continue;
		*d = (ndl_draw){.number = s->read++, .line = ndl_reader_lineno(s->in), .owned = true,
		                .file = ndl_reader_name(s->in), .rc = got < 0 ? got : 0};
		if (got < 0)
			return 1;
		d->len = len;
		d->text = ndl_strndup(line, len);
		return d->text ? 1 : ndl_fail_nomem(err, "a row");
	}
}

static int draw_stream(ndl_source *s, ndl_draw *out, ndl_error *err)
{
	while (!s->eof && s->n_held < s->max_held) {
		int got = read_row(s, &s->held[s->n_held], err);
		if (got < 0)
			return got;
		s->eof = got == 0;
		s->n_held += got > 0;
	}
	if (s->n_held == 0)
		return 0;
	size_t i = s->max_held > 1 ? (size_t)ndl_rng_below(&s->rng, s->n_held) : 0;
	*out = s->held[i];
	s->held[i] = s->held[--s->n_held];
	s->position++;
	return 1;
}

int ndl_source_draw(ndl_source *s, ndl_draw *out, ndl_error *err)
{
	return s->lines ? draw_line(s, out) : draw_stream(s, out, err);
}

size_t ndl_source_rows(const ndl_source *s)
{
	return s->rows;
}

void ndl_source_where(const ndl_source *s, uint64_t *epoch, uint64_t *position)
{
	*epoch = s->epoch;
	*position = s->position;
}

static ndl_status skip_stream(ndl_source *s, uint64_t position, ndl_error *err)
{
	if (position < s->position)
		return ndl_fail(err, NDL_EINVAL, "a stream cannot go back");
	while (s->position < position) {
		ndl_draw d;
		int got = draw_stream(s, &d, err);
		if (got < 0)
			return (ndl_status)got;
		if (got == 0)
			return ndl_fail(err, NDL_EINVAL, "%s: ends before the row where training stopped",
			                ndl_reader_name(s->in));
		ndl_draw_clear(&d);
	}
	return NDL_OK;
}

ndl_status ndl_source_seek(ndl_source *s, uint64_t epoch, uint64_t position, ndl_error *err)
{
	if (!s->lines)
		return epoch ? ndl_fail(err, NDL_EINVAL, "a stream has one epoch") : skip_stream(s, position, err);
	if (position > s->rows || (s->epochs && epoch >= s->epochs))
		return ndl_fail(err, NDL_EINVAL, "the data has changed: %zu rows, but training stopped after row %llu "
		                "of epoch %llu", s->rows, (unsigned long long)position, (unsigned long long)epoch + 1);
	s->epoch = epoch;
	s->position = position;
	shuffle_epoch(s);
	return NDL_OK;
}
