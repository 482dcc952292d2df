#include "data/source.h"

#include "base/mem.h"
#include "base/reader.h"
#include "data/lines_internal.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of the random streams that put rows in order; examples use (epoch << 40) ^ row. */
#define ORDER_STREAM(epoch) (UINT64_MAX - (epoch))
#define BUFFER_STREAM (UINT64_MAX / 2)
#define MIX_STREAM (UINT64_MAX / 2 - 1)

struct ndl_source {
	/* lines */
	const ndl_lines *lines;
	const size_t *subset;
	size_t rows;
	uint64_t epochs;
	size_t *order; /* of this epoch; NULL: as they come */
	unsigned char *length_class; /* of every row, 0 the shortest; NULL: no curriculum */
	uint64_t curriculum;
	/* stream */
	ndl_reader **in;
	double *share;     /* 0: it has ended (it stays open, for rows that are held borrow its name) */
	size_t n_in;
	ndl_rng mix;
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

enum { LENGTH_CLASSES = 16 };

/* Text of the row that stands at place i of the subset. */
static const char *row_at(const ndl_source *s, size_t i, size_t *len)
{
	return ndl_lines_at(s->lines, s->subset ? s->subset[i] : i, len);
}

typedef struct measured {
	size_t len, place;
} measured;

static int by_length(const void *a, const void *b)
{
	const measured *x = a, *y = b;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Sorts the rows into classes of as many rows each, by length. */
static ndl_status classify(ndl_source *s, ndl_error *err)
{
	measured *m = ndl_calloc(s->rows, sizeof *m);
	s->length_class = ndl_calloc(s->rows, 1);
	if (!m || !s->length_class) {
		free(m);
		return ndl_fail_nomem(err, "lengths of rows");
	}
	for (size_t i = 0; i < s->rows; i++) {
		m[i].place = i;
		row_at(s, i, &m[i].len);
	}
	qsort(m, s->rows, sizeof *m, by_length);
	for (size_t i = 0; i < s->rows; i++)
		s->length_class[m[i].place] = (unsigned char)(i * LENGTH_CLASSES / s->rows);
	free(m);
	return NDL_OK;
}

/* Puts a shuffled order into order of class, stably. */
static void short_first(ndl_source *s, size_t *scratch)
{
	size_t n = 0;
	for (unsigned class = 0; class < LENGTH_CLASSES; class++)
		for (size_t i = 0; i < s->rows; i++)
			if (s->length_class[s->order[i]] == class)
				scratch[n++] = s->order[i];
	memcpy(s->order, scratch, n * sizeof *scratch);
}

static void shuffle_epoch(ndl_source *s)
{
	ndl_rng rng;
	if (!s->order)
		return;
	ndl_rng_seed(&rng, s->seed, ORDER_STREAM(s->epoch));
	ndl_rng_shuffle(&rng, s->order, s->rows);
	if (s->length_class && s->epoch < s->curriculum)
		short_first(s, s->order + s->rows);
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
		s->order = ndl_calloc(s->rows * (o->curriculum ? 2 : 1), sizeof *s->order); /* and as much scratch */
		if (!s->order)
			return ndl_fail_nomem(err, "order of rows");
		s->curriculum = o->curriculum;
		if (s->curriculum && classify(s, err) != NDL_OK)
			return NDL_ENOMEM;
	}
	shuffle_epoch(s);
	return NDL_OK;
}

static ndl_status open_stream(ndl_source *s, const ndl_dataset_options *o, ndl_error *err)
{
	s->max_held = o->in_order ? 1 : o->shuffle_buffer ? o->shuffle_buffer : 4096;
	ndl_rng_seed(&s->rng, o->seed, BUFFER_STREAM);
	ndl_rng_seed(&s->mix, o->seed, MIX_STREAM);
	s->n_in = o->n_paths ? o->n_paths : 1;
	s->held = ndl_calloc(s->max_held, sizeof *s->held);
	s->in = ndl_calloc(s->n_in, sizeof(ndl_reader *));
	s->share = ndl_calloc(s->n_in, sizeof *s->share);
	if (!s->held || !s->in || !s->share)
		return ndl_fail_nomem(err, "shuffle buffer");
	for (size_t i = 0; i < s->n_in; i++) {
		s->share[i] = o->share ? o->share[i] : 1;
		s->in[i] = ndl_reader_open(o->n_paths ? o->path[i] : NULL, err);
		if (!s->in[i])
			return NDL_EIO;
		ndl_reader_interruptible(s->in[i]);
	}
	return NDL_OK;
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
	free(s->length_class);
	for (size_t i = 0; s->in && i < s->n_in; i++)
		ndl_reader_close(s->in[i]);
	free(s->in);
	free(s->share);
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
	*out = (ndl_draw){.epoch = s->epoch, .number = i}; /* of the place: a row that comes twice differs */
	if (s->subset)
		i = s->subset[i];
	out->text = (char *)(uintptr_t)ndl_lines_at(s->lines, i, &len); /* not owned, not changed */
	out->len = len;
	ndl_lines_source(s->lines, i, &out->file, &out->line);
	return 1;
}

/* Which of the streams that have not ended is next; n_in if all have. */
static size_t pick_stream(ndl_source *s)
{
	double total = 0;
	size_t last = s->n_in;
	for (size_t i = 0; i < s->n_in; i++) {
		total += s->share[i];
		if (s->share[i] > 0)
			last = i;
	}
	if (s->n_in == 1)
		return last;
	double at = (double)(ndl_rng_u64(&s->mix) >> 11) * 0x1p-53 * total;
	for (size_t i = 0; i < s->n_in; i++)
		if ((at -= s->share[i]) < 0)
			return i;
	return last;
}

/* The next line of a stream that is not blank; one that is too long comes with rc < 0 and no text. */
static int read_from(ndl_source *s, ndl_reader *in, ndl_draw *d, ndl_error *err)
{
	const char *line;
	size_t len;
	for (;;) {
		ndl_error why = NDL_ERROR_INIT;
		int got = ndl_reader_line(in, &line, &len, &why);
		if (got == 0)
			return 0;
		if (got < 0 && why.code != NDL_ELIMIT) {
			if (err)
				*err = why;
			return got;
		}
		if (got > 0 && ndl_data_blank(line, len))
			continue;
		*d = (ndl_draw){.number = s->read++, .line = ndl_reader_lineno(in), .owned = true,
		                .file = ndl_reader_name(in), .rc = got < 0 ? got : 0};
		if (got < 0)
			return 1;
		d->len = len;
		d->text = ndl_strndup(line, len);
		return d->text ? 1 : ndl_fail_nomem(err, "a row");
	}
}

/* The next row of any stream; 0 when all have ended. */
static int read_row(ndl_source *s, ndl_draw *d, ndl_error *err)
{
	size_t i;
	while ((i = pick_stream(s)) < s->n_in) {
		int got = read_from(s, s->in[i], d, err);
		if (got != 0)
			return got;
		s->share[i] = 0;
	}
	return 0;
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
			                ndl_reader_name(s->in[0]));
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
