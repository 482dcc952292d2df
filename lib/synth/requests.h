/* requests.h - requests written by hand to whole lists of tools, with their calls (needle-corpus(5), "Requests"), as
 * records of training data.
 *
 * Held out by hashes, as in synth.h: a tenth of the lists whole, a twelfth of the requests to the others. */
#ifndef NDL_SYNTH_REQUESTS_H
#define NDL_SYNTH_REQUESTS_H

#include "base/rng.h"
#include "data/heldout.h"
#include "json/json.h"
#include "synth/synth.h"

typedef struct ndl_requests ndl_requests; /* opaque, owned */

/* Those of split in every *.jsonl of dir, in the order of the files' names, without those in heldout (may be NULL) and
 * those that call more than max_tools tools. Only what is needed to choose them is read, and so checked: the rest when
 * it is drawn, since most are not. NULL with file and line in err. */
ndl_requests *ndl_requests_open(const char *dir, enum ndl_synth_split split, size_t max_tools, const ndl_heldout *heldout,
	ndl_error *err);
void ndl_requests_free(ndl_requests *r);
size_t ndl_requests_count(const ndl_requests *r); /* 0: the split has none */

/* {"query":…,"tools":…,"answers":…} made of the i-th, the caller's alone; NULL with err, which has file and line of what
 * is no request.
 * It comes as it stands or in lower case, its tool among all or some of
 * the list, max_tools at most, now and then joined with another request to the same list, now and then without its tool,
 * which is a refusal then. */
json_t *ndl_requests_record(ndl_requests *r, size_t i, ndl_rng *rng, ndl_error *err);

#endif
