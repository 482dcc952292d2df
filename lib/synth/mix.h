/* mix.h - one endless, seeded stream drawn from composed examples, from files of records, and from requests written by hand.
 *
 * Rows of files come in the same form as composed examples: tools rendered canonically and in a
 * shuffled order, answers in the order of the schemas. Each file is gone through in a new order
 * again and again, so a row comes a second time only when all others of its source have come. */
#ifndef NDL_SYNTH_MIX_H
#define NDL_SYNTH_MIX_H

#include "data/lines.h"
#include "synth/requests.h"
#include "synth/synth.h"

typedef struct ndl_mix ndl_mix; /* opaque, owned */

/* composed: owned by the caller, must outlive the mix, drawn with this weight (0: never; may be
 * NULL then). */
ndl_mix *ndl_mix_new(ndl_synth *composed, double weight, uint64_t seed, ndl_error *err);
void ndl_mix_free(ndl_mix *m);

/* Adds a file of records (compressed or not), read and checked whole; weight > 0. Held-out and
 * bad rows are left out as o says. A file without a good row is an error. */
ndl_status ndl_mix_add(ndl_mix *m, const char *path, double weight, const ndl_lines_options *o,
	ndl_error *err);

/* Adds requests (owned from now on, also after a failure). */
ndl_status ndl_mix_add_requests(ndl_mix *m, ndl_requests *requests, double weight, ndl_error *err);

/* Rows of the file added as the i-th: good, bad, held out. */
void ndl_mix_rows(const ndl_mix *m, size_t i, size_t *good, size_t *bad, size_t *held_out);

/* As ndl_synth_next; "meta" of a row from a file names its "source". */
ndl_status ndl_mix_next(ndl_mix *m, ndl_buf *out, enum ndl_synth_form form, ndl_error *err);

#endif
