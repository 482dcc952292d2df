#ifdef HAVE_CONFIG_H
#include "config.h" /* for O_TMPFILE, which is not POSIX */
#endif
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(ndl_outfile *o)
{
	free(o->path);
	free(o->temp);
	*o = (ndl_outfile){0};
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

/* A file that has no name yet, in the folder of the one that it will have, temp, so that nothing is left however the
 * program ends; -1 where the system can't, or can't give that name. */
static int open_unnamed(const char *temp)
{
	int fd = -1;
#ifdef O_TMPFILE
	char proc[40], *copy = strdup(temp);
	if (copy && (access(temp, F_OK) == 0 || errno == ENOENT))
		fd = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	free(copy);
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
	if (fd >= 0 && access(proc, F_OK) != 0) { /* give_name will need it */
		close(fd);
		fd = -1;
	}
#else
	(void)temp;
#endif
	return fd;
}

/* Gives the file its temporary name at last. */
static int give_name(ndl_outfile *o)
{
	char proc[40], *end = o->temp + strlen(o->temp) - 6;
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", fileno(o->f));
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(end, 7, "%06x", ((unsigned)getpid() + i * 4099) & 0xffffff);
		if (linkat(AT_FDCWD, proc, AT_FDCWD, o->temp, AT_SYMLINK_FOLLOW) == 0) {
			o->unnamed = false;
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return -1;
}

mode_t ndl_outfile_mode(const char *path)
{
	struct stat old;
	mode_t mask = umask(0);
	umask(mask);
	return stat(path, &old) == 0 ? old.st_mode & 0777 : 0666 & ~mask;
}

/* Opens what is to be renamed to o->path. */
static int open_temporary(ndl_outfile *o)
{
	const mode_t mode = ndl_outfile_mode(o->path);
	int fd = open_unnamed(o->temp);
	o->unnamed = fd >= 0;
	if (fd < 0)
		fd = mkstemp(o->temp);
	if (fd >= 0) /* it has 0600 */
		fchmod(fd, mode);
	return fd;
}

static void remove_temporary(const ndl_outfile *o)
{
	if (o->temp && !o->unnamed)
		unlink(o->temp);
}

ndl_status ndl_outfile_open(ndl_outfile *o, const char *path, ndl_error *err)
{
	int fd;
	struct stat old;
	bool special = ndl_outfile_is_special(path);
	char *target = special ? NULL : realpath(path, NULL); /* a link stays one; NULL for a new file */
	*o = (ndl_outfile){.path = target ? target : strdup(path)};
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
		fd = open_temporary(o);
	}
	if (fd >= 0) {
		o->f = fdopen(fd, "wb");
		if (!o->f)
			close(fd);
	}
	if (!o->f) {
		ndl_fail_errno(err, "%s: cannot write", path);
		if (fd >= 0)
			remove_temporary(o);
		forget(o);
		return NDL_EIO;
	}
	return NDL_OK;
}

ndl_status ndl_outfile_check(const char *path, ndl_error *err)
{
	ndl_outfile o;
	struct stat st;
	if (ndl_outfile_is_special(path)) /* opening a pipe would be its reader's end */
		return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? ndl_fail(err, NDL_EIO, "%s: is a folder", path) : NDL_OK;
	ndl_status status = ndl_outfile_open(&o, path, err);
	if (status == NDL_OK)
		ndl_outfile_abort(&o);
	return status;
}

bool ndl_outfile_reader_gone(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP));
}

ndl_status ndl_outfile_commit(ndl_outfile *o, ndl_error *err)
{
	ndl_status status = NDL_OK;
	const bool failed = fflush(o->f) != 0 || ferror(o->f) || (o->temp && fsync(fileno(o->f)) != 0);
	const bool gone = failed && !o->temp && ndl_outfile_reader_gone(fileno(o->f));
	if (failed && !gone)
		status = ndl_fail_errno(err, "%s: write failed", o->path);
	if (status == NDL_OK && o->unnamed && give_name(o) != 0)
		status = ndl_fail_errno(err, "%s: cannot name the finished file", o->path);
	if (fclose(o->f) != 0 && status == NDL_OK && !gone)
		status = ndl_fail_errno(err, "%s: write failed", o->path);
	o->f = NULL;
	if (status == NDL_OK && o->temp && rename(o->temp, o->path) != 0)
		status = ndl_fail_errno(err, "%s: cannot rename the finished file", o->path);
	if (status != NDL_OK)
		remove_temporary(o);
	forget(o);
	return status;
}

void ndl_outfile_abort(ndl_outfile *o)
{
	if (o->f)
		fclose(o->f);
	remove_temporary(o);
	forget(o);
}
