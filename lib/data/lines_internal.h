/* lines_internal.h - the rows in memory, and small things shared inside the room. */
#ifndef NDL_DATA_LINES_INTERNAL_H
#define NDL_DATA_LINES_INTERNAL_H

#include "data/lines.h"

#ifdef _OPENMP
#include <omp.h>
#endif

typedef struct ndl_row {
	char *text; /* owned */
	size_t len;
	char *tool; /* owned; "" for no call */
	uint64_t phrase; /* hash of the query: see phrase_of in lines.c */
	size_t file, line;
} ndl_row;

struct ndl_lines {
	ndl_row *row;
	size_t n, cap;
	char **file;
	size_t n_files, file_cap;
	size_t bad, heldout;
};

static inline bool ndl_data_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] != ' ' && line[i] != '\t')
			return false;
	return true;
}

static inline int ndl_data_threads(int wanted)
{
#ifdef _OPENMP
	return wanted > 0 ? wanted : omp_get_max_threads();
#else
	(void)wanted;
	return 1;
#endif
}

#endif
