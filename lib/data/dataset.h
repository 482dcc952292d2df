/* dataset.h - an endless or finite sequence of training batches, the same for any number of
 * threads, that can be left and taken up again at any batch.
 *
 * Two kinds of source:
 *   lines   rows in memory (lines.h), several epochs, each in an order of its own
 *   stream  one pass over files or pipes, which may be endless and are mixed by given shares, in an
 *           order that is shuffled within a buffer
 * The example made from a row depends on (seed, epoch, number of the row) alone. */
#ifndef NDL_DATA_DATASET_H
#define NDL_DATA_DATASET_H

#include "data/batch.h"
#include "data/lines.h"
#include "data/record.h"

typedef struct ndl_dataset ndl_dataset; /* opaque, owned; one thread calls it at a time */

/* What became of the rows, since the beginning (a seek restores them with the position). */
typedef struct ndl_dataset_counts {
	uint64_t rows;           /* drawn, over all epochs */
	uint64_t examples;       /* given out in batches */
	uint64_t bad;            /* skipped: not a valid record (streams; lines are checked on loading) */
	uint64_t held_out;       /* skipped: query in the held-out set */
	uint64_t too_long_dec;   /* dropped: answer over max_dec_len */
	uint64_t too_long_enc;   /* dropped: called tools do not fit into max_enc_len */
	uint64_t tools_left_out; /* examples whose prompt lost tools that were not called */
	uint64_t query_cut;      /* examples whose query was cut */
	uint64_t refusals;       /* examples with no call */
	uint64_t enc_tokens, dec_tokens;
} ndl_dataset_counts;

/* Everything needed to continue: plain data of fixed size, to be stored as it is. */
typedef struct ndl_dataset_state {
	uint64_t epoch;    /* 0-based; always 0 for a stream */
	uint64_t position; /* rows drawn in this epoch */
	ndl_dataset_counts counts;
} ndl_dataset_state;

/* Zero-initialise; borrowed pointers must outlive the dataset. */
typedef struct ndl_dataset_options {
	/* Source: lines (with subset: only these n_subset rows), else the streams `path`. */
	const ndl_lines *lines;
	const size_t *subset;
	size_t n_subset;            /* a row may stand in it several times: it then comes as often in an epoch */
	const char *const *path;    /* "-" is stdin */
	size_t n_paths;             /* 0: stdin alone */
	const double *share;        /* n_paths: how often rows are taken from each, in proportion; NULL: alike */

	size_t batch_size;          /* examples a batch; 0: 32 */
	uint64_t seed;
	uint64_t epochs;            /* lines: 0 is endless */
	uint64_t curriculum;        /* lines: in so many first epochs, short rows come before long ones, roughly */
	bool in_order;              /* rows as they come, not shuffled */
	bool as_given;              /* tools and parameters as they come, not shuffled nor loosened */
	double loosen;              /* share of the examples that are loosened (augment.h) */
	size_t shuffle_buffer;      /* stream: rows held; 0: 4096 */
	int max_enc_len, max_dec_len; /* 0: as config says */
	bool pairs;                 /* fill the contrastive pairs of batches */
	const ndl_heldout *heldout; /* or NULL */
	const char *tools;          /* stream: JSON list for rows without "tools", or NULL */
	bool strict;                /* a bad row of a stream is an error; else reported and skipped */
	ndl_report_fn *report;      /* may be NULL */
	void *report_user;
	int threads;                /* for tokenising; 0: OpenMP's default */
} ndl_dataset_options;

/* tok is borrowed, config copied. NULL on failure (no rows at all is a failure). */
ndl_dataset *ndl_dataset_open(const ndl_dataset_options *o, const ndl_tok *tok, const ndl_config *config,
                              ndl_error *err);
void ndl_dataset_close(ndl_dataset *d);

/* The next batch (borrowed until the next call): 1; 0 at the end; negative on failure. All batches
 * have batch_size examples but the last. Batches run on from one epoch into the next. In a batch
 * the pairs of the same tool beyond the first are left out: they would be false negatives. */
int ndl_dataset_next(ndl_dataset *d, ndl_batch *out, ndl_error *err);

/* Rows an epoch: at most so many examples. 0 for a stream. */
size_t ndl_dataset_rows(const ndl_dataset *d);
/* Where the next batch begins. */
void ndl_dataset_position(const ndl_dataset *d, ndl_dataset_state *s);
/* Goes to a position got from a dataset with the same options over the same rows: the batches that
 * follow are then the same, bit for bit. A stream must be fresh, and reads past what was drawn. */
ndl_status ndl_dataset_seek(ndl_dataset *d, const ndl_dataset_state *s, ndl_error *err);

#endif
