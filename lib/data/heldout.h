/* heldout.h - queries that must never be trained on, as a set of hashes. */
#ifndef NDL_DATA_HELDOUT_H
#define NDL_DATA_HELDOUT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { NDL_QUERY_HASH_LEN = 16 };

/* Hash of a query that forgives case, punctuation and spacing: the first 16 hex digits of the
 * SHA-1 of the query with A-Z in lower case, every run of other bytes than a-z0-9 as one space,
 * and no space at the ends. (All non-ASCII bytes count as "other".) hex is NUL-terminated. False if there is no
 * letter a-z and no digit: then it is the hash of nothing, which all queries of other scripts share. */
bool ndl_query_hash(const char *query, size_t len, char hex[NDL_QUERY_HASH_LEN + 1]);

typedef struct ndl_heldout ndl_heldout; /* opaque, owned, immutable: share between threads freely */

/* A text file with one hash a line (compressed or not; blank lines and lines that begin with #
 * are skipped). NDL_EFORMAT with the line of anything else. */
ndl_heldout *ndl_heldout_load(const char *path, ndl_error *err);
void ndl_heldout_free(ndl_heldout *h);
size_t ndl_heldout_count(const ndl_heldout *h);
/* Whether this query's hash is in the set. No if h is NULL, or the query has no letter a-z and no digit. */
bool ndl_heldout_contains(const ndl_heldout *h, const char *query, size_t len);

#endif
