#include "cmd/cli.h"

#include "base/clock.h"
#include "base/outfile.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Started with a standard stream closed, the next file opened would become that stream, and
 * results could land in it: fill the gaps with streams that only fail. */
static void open_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

void cli_init(cli *c)
{
	open_standard_streams();
	signal(SIGPIPE, SIG_IGN);
	const char *env = getenv("NEEDLE_MODEL");
	c->common.model = env && *env ? env : NULL;
}

/* Messages ---------------------------------------------------------------------------- */

void cli_put_clean(FILE *to, const char *text)
{
	for (size_t n, left = strlen(text); left; text += n, left -= n) {
		n = ndl_utf8_shown(text, left);
		if (n)
			fwrite(text, 1, n, to);
		else
			putc('?', to);
		n += n == 0;
	}
}

/* One line "needle-X: text". */
static void say(const cli *c, const char *fmt, va_list ap)
{
	char text[1000];
	vsnprintf(text, sizeof text, fmt, ap);
	fflush(stdout);
	cli_progress_end(c);
	fprintf(stderr, "%s: ", c->name);
	cli_put_clean(stderr, text);
	putc('\n', stderr);
}

void cli_usage_error(const cli *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say(c, fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try '%s --help'.\n", c->name);
	exit(CLI_USAGE);
}

static NDL_PRINTF(2, 3) void say_f(const cli *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say(c, fmt, ap);
	va_end(ap);
}

/* Errors of opening a file begin with its name already: it is said once. */
static const char *text_without_file(const ndl_error *err)
{
	size_t n = strlen(err->file);
	bool named = n && strncmp(err->text, err->file, n) == 0 && strncmp(err->text + n, ": ", 2) == 0;
	return named ? err->text + n + 2 : err->text;
}

void cli_report(const cli *c, const ndl_error *err)
{
	const char *text = text_without_file(err);
	if (err->file[0] && err->line)
		say_f(c, "%s:%zu: %s", err->file, err->line, text);
	else if (err->file[0])
		say_f(c, "%s: %s", err->file, text);
	else if (err->line)
		say_f(c, "line %zu: %s", err->line, text);
	else
		say_f(c, "%s", text);
}

void cli_note(const cli *c, ndl_error *err, const char *file)
{
	ndl_error_at(err, file, 0);
	if (err->text[0] && !c->common.quiet)
		cli_report(c, err);
	*err = (ndl_error)NDL_ERROR_INIT;
}

void cli_warn(const cli *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (!c->common.quiet)
		say(c, fmt, ap);
	va_end(ap);
}

void cli_verbose(const cli *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (c->common.verbose)
		say(c, fmt, ap);
	va_end(ap);
}

void cli_stdin_hint(const cli *c, const char *path)
{
	if ((!path || strcmp(path, "-") == 0) && isatty(STDIN_FILENO))
		cli_warn(c, "reading from the terminal; end with Ctrl-D, or see '%s --help'", c->name);
}

/* Files of the package ---------------------------------------------------------------- */

void cli_share_path(char *path, size_t size, const char *name)
{
#ifdef NDL_SRCDIR
	char self[PATH_MAX], build[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash = n > 0 ? (self[n] = '\0', strrchr(self, '/')) : NULL;
	if (slash && realpath(NDL_BUILDDIR, build)) {
		*slash = '\0';
		if (strcmp(self, build) == 0) {
			snprintf(path, size, "%s/share/%s", NDL_SRCDIR, name);
			return;
		}
	}
#endif
	snprintf(path, size, "%s/%s", NDL_PKGDATADIR, name);
}

const char *cli_model_path(const cli *c, ndl_error *err)
{
	static char path[PATH_MAX];
	if (c->common.model)
		return c->common.model;
	cli_share_path(path, sizeof path, "default.safetensors");
	if (access(path, R_OK) == 0)
		return path;
	ndl_fail(err, NDL_ENOTFOUND, "no default model at %s; give one with -m or $NEEDLE_MODEL", path);
	return NULL;
}

/* The end ----------------------------------------------------------------------------- */

static int stdout_errno; /* why writing failed first: a FILE remembers only that it did */

bool cli_stdout_failed(void)
{
	if (!ferror(stdout))
		return false;
	if (!stdout_errno)
		stdout_errno = errno;
	return true;
}

int cli_finish(const cli *c, int status)
{
	cli_stdout_failed(); /* if only now somebody asks, errno may still have the reason */
	bool gone = ndl_outfile_reader_gone(STDOUT_FILENO);
	errno = 0;
	bool bad = fflush(stdout) != 0 || ferror(stdout);
	int why = stdout_errno ? stdout_errno : errno;
	if (fclose(stdout) != 0 && !bad) {
		bad = true;
		why = errno;
	}
	if (!bad || gone || why == EPIPE)
		return status;
	if (why)
		say_f(c, "cannot write to standard output: %s", strerror(why));
	else
		say_f(c, "cannot write to standard output");
	return CLI_UNUSABLE;
}

/* Progress ---------------------------------------------------------------------------- */

void cli_progress(const cli *c, uint64_t done, uint64_t total, const char *text)
{
	enum { WIDTH = 30 };
	static double started, shown;
	static uint64_t first; /* a resumed run begins in the middle */
	if (c->common.quiet || !isatty(STDERR_FILENO))
		return;
	double now = ndl_seconds();
	if (started == 0) {
		started = now;
		first = done;
	}
	if (now - shown < 1.0 / 6 && !(total && done >= total))
		return;
	shown = now;
	if (total == 0) {
		fprintf(stderr, "\r\033[K%llu %s", (unsigned long long)done, text);
		return;
	}
	if (done > total)
		done = total;
	int full = (int)((double)WIDTH * (double)done / (double)total);
	double left = done > first ? (now - started) * (double)(total - done) / (double)(done - first) : 0;
	fprintf(stderr, "\r\033[K[%.*s%*s] %llu/%llu  %s  %d:%02d left", full,
	        "##############################", WIDTH - full, "", (unsigned long long)done,
	        (unsigned long long)total, text, (int)left / 60, (int)left % 60);
}

void cli_progress_end(const cli *c)
{
	if (!c->common.quiet && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}
