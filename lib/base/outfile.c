#include "base/outfile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(ndl_outfile *o)
{
	free(o->path);
	free(o->temp);
	*o = (ndl_outfile){NULL, NULL, NULL};
}

static bool is_stdout(const char *path)
{
	struct stat st, out;
	return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
	                                  st.st_dev == out.st_dev && st.st_ino == out.st_ino);
}

bool ndl_outfile_is_special(const char *path)
{
	struct stat st;
	return is_stdout(path) || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

ndl_status ndl_outfile_open(ndl_outfile *o, const char *path, ndl_error *err)
{
	int fd;
	struct stat old;
	bool special = ndl_outfile_is_special(path);
	char *target = special ? NULL : realpath(path, NULL); /* a link stays one; NULL for a new file */
	*o = (ndl_outfile){NULL, target ? target : strdup(path), NULL};
	if (!o->path)
		return ndl_fail_nomem(err, "file name");
	if (!*path) { /* rename would refuse it, but only after all the work */
		forget(o);
		return ndl_fail(err, NDL_EIO, "cannot write: the file name is empty");
	}
	if (!special && !target && lstat(path, &old) == 0 && S_ISLNK(old.st_mode)) { /* rename would put a file in its place */
		forget(o);
		return ndl_fail(err, NDL_EIO, "%s: cannot write: the link leads nowhere", path);
	}
	if (special) {
		fd = is_stdout(path) ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_WRONLY | O_CLOEXEC);
	} else {
		size_t n = strlen(o->path);
		o->temp = malloc(n + sizeof ".XXXXXX");
		if (!o->temp) {
			forget(o);
			return ndl_fail_nomem(err, "file name");
		}
		memcpy(o->temp, o->path, n);
		memcpy(o->temp + n, ".XXXXXX", sizeof ".XXXXXX");
		fd = mkstemp(o->temp);
		if (fd >= 0) {
			mode_t mask = umask(0); /* mkstemp gives 0600: the old file's mode, or what the user's umask leaves */
			umask(mask);
			fchmod(fd, stat(o->path, &old) == 0 ? old.st_mode & 0777 : 0666 & ~mask);
		}
	}
	if (fd >= 0) {
		o->f = fdopen(fd, "wb");
		if (!o->f)
			close(fd);
	}
	if (!o->f) {
		ndl_fail_errno(err, "%s: cannot write", path);
		if (o->temp && fd >= 0)
			unlink(o->temp);
		forget(o);
		return NDL_EIO;
	}
	return NDL_OK;
}

ndl_status ndl_outfile_commit(ndl_outfile *o, ndl_error *err)
{
	ndl_status status = NDL_OK;
	if (fflush(o->f) != 0 || ferror(o->f) || (o->temp && fsync(fileno(o->f)) != 0))
		status = ndl_fail_errno(err, "%s: write failed", o->path);
	if (fclose(o->f) != 0 && status == NDL_OK)
		status = ndl_fail_errno(err, "%s: write failed", o->path);
	o->f = NULL;
	if (status == NDL_OK && o->temp && rename(o->temp, o->path) != 0)
		status = ndl_fail_errno(err, "%s: cannot rename the finished file", o->path);
	if (status != NDL_OK && o->temp)
		unlink(o->temp);
	forget(o);
	return status;
}

void ndl_outfile_abort(ndl_outfile *o)
{
	if (o->f)
		fclose(o->f);
	if (o->temp)
		unlink(o->temp);
	forget(o);
}
