/* map.h - a whole file mapped read-only. */
#ifndef NDL_BASE_MAP_H
#define NDL_BASE_MAP_H

#include "base/error.h"

#include <stddef.h>

typedef struct ndl_map {
	const unsigned char *data; /* borrowed until ndl_map_close; page-aligned; NULL if size is 0 */
	size_t size;
} ndl_map;

/* Maps path, which must be a regular file. On failure *m is empty. */
ndl_status ndl_map_open(ndl_map *m, const char *path, ndl_error *err);
void ndl_map_close(ndl_map *m);

#endif
