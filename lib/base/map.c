#include "base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

ndl_status ndl_map_open(ndl_map *m, const char *path, ndl_error *err)
{
	ndl_status status = NDL_OK;
	struct stat st;
	*m = (ndl_map){NULL, 0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ndl_fail_errno(err, "%s: cannot open", path);
	if (fstat(fd, &st) < 0) {
		status = ndl_fail_errno(err, "%s: cannot stat", path);
	} else if (!S_ISREG(st.st_mode)) {
		status = ndl_fail(err, NDL_EIO, "%s: not a regular file", path);
	} else if (st.st_size < 0 || (uintmax_t)st.st_size > SIZE_MAX) {
		status = ndl_fail(err, NDL_ELIMIT, "%s: too large to map", path);
	} else if (st.st_size > 0) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			status = ndl_fail_errno(err, "%s: cannot map", path);
		else
			*m = (ndl_map){p, (size_t)st.st_size};
	}
	close(fd);
	return status;
}

void ndl_map_close(ndl_map *m)
{
	if (m->data)
		munmap((void *)(uintptr_t)m->data, m->size);
	*m = (ndl_map){NULL, 0};
}
