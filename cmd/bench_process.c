/* bench_process.c - needle-infer as people run it: a process for one query, and one for many records. */
#include "cmd/bench.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The first OFFERED take some 200 tokens with the question, the answer some 30. */
static const char *const tools[] = {
	"{\"name\":\"create_calendar_event\",\"description\":\"Add an event to the calendar.\",\"parameters\":{"
	"\"title\":{\"type\":\"string\",\"required\":true},\"date\":{\"type\":\"string\",\"required\":true},"
	"\"start_time\":{\"type\":\"string\",\"required\":true}}}",
	"{\"name\":\"send_message\",\"description\":\"Send a text message to a contact.\",\"parameters\":{"
	"\"recipient\":{\"type\":\"string\",\"required\":true},\"text\":{\"type\":\"string\",\"required\":true}}}",
	"{\"name\":\"set_alarm\",\"description\":\"Set an alarm.\",\"parameters\":{"
	"\"time\":{\"type\":\"string\",\"required\":true},\"label\":{\"type\":\"string\"}}}",
	"{\"name\":\"play_music\",\"description\":\"Play a song or an artist.\",\"parameters\":{"
	"\"query\":{\"type\":\"string\",\"required\":true}}}",
	"{\"name\":\"set_volume\",\"description\":\"Set the volume of the speaker.\",\"parameters\":{"
	"\"percent\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":100,\"required\":true}}}",
};
static const char question[] = "put the dentist into my calendar for friday at 10:30";
static const char *const asked[] = {
	"send a message to %d: I will be late", "wake me up at %d:30", "turn the volume to %d percent",
	"play track %d of the new album", "put dinner with Ben into the calendar for the %dth at eight", "what is %d times nine",
};
enum { TOOLS = sizeof tools / sizeof *tools, OFFERED = 4, ASKED = sizeof asked / sizeof *asked };

typedef struct infer {
	bench *b;
	const char *model;
	char program[PATH_MAX], threads[24];
	int null;              /* /dev/null, for writing */
	FILE *tools, *records; /* without a name, inherited by the processes: /dev/fd/N */
	char tools_path[32], records_path[32];
} infer;

typedef struct usage {
	double seconds, processor_seconds, mebibytes;
} usage;

/* A process ------------------------------------------------------------------------------- */

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

/* Runs it to its end, with stdout and stderr going there. */
static ndl_status run_process(const infer *p, char **argv, int out, int errors, usage *u, ndl_error *err)
{
	posix_spawn_file_actions_t files;
	struct rusage used;
	pid_t pid, ended;
	int state = 0;
	if (posix_spawn_file_actions_init(&files))
		return ndl_fail_nomem(err, "a process");
	int rc = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
	double start = ndl_seconds();
	rc = rc ? rc : posix_spawn(&pid, p->program, &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (rc) {
		errno = rc;
		return ndl_fail_errno(err, "%s: cannot start", p->program);
	}
	while ((ended = wait4(pid, &state, 0, &used)) < 0 && errno == EINTR)
		;
	u->seconds = ndl_seconds() - start;
	if (ended < 0)
		return ndl_fail_errno(err, "%s: cannot wait", p->program);
	if (!WIFEXITED(state) || WEXITSTATUS(state) > CLI_NEGATIVE)
		return ndl_fail(err, NDL_EIO, "%s failed with status %d", p->program, WIFEXITED(state) ? WEXITSTATUS(state) : -1);
	u->processor_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
	u->mebibytes = (double)used.ru_maxrss / 1024;
	return NDL_OK;
}

static ndl_status ask_once(infer *p, const char *timings, int errors, usage *u, ndl_error *err)
{
	char *argv[] = {p->program, "-q", "-m", (char *)(uintptr_t)p->model, "-j", p->threads, "-t", p->tools_path,
		(char *)(uintptr_t)question, (char *)(uintptr_t)timings, NULL};
	return run_process(p, argv, p->null, errors, u, err);
}

/* One query ------------------------------------------------------------------------------- */

/* The model file out of the page cache; false if something keeps part of it there. */
static bool drop_cache(const char *path)
{
	enum { PAGES = 1 << 16 };
	static unsigned char in[PAGES];
	ndl_map map;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), left = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	fdatasync(fd);
	int rc = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	if (rc || ndl_map_open(&map, path, NULL) != NDL_OK)
		return false;
	size_t pages = (map.size + page - 1) / page;
	pages = pages < PAGES ? pages : PAGES;
	rc = map.size ? mincore((void *)(uintptr_t)map.data, map.size < pages * page ? map.size : pages * page, in) : -1;
	for (size_t i = 0; rc == 0 && i < pages; i++)
		left += in[i] & 1;
	ndl_map_close(&map);
	return rc == 0 && left == 0;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

enum { LEAST_CALLS = 7, MOST_CALLS = 1000 };

typedef struct calls {
	double seconds[MOST_CALLS];
	size_t n;
	double processor_seconds, mebibytes; /* least, most */
} calls;

/* false without a failure: the file cannot be dropped from memory. */
static bool measure_calls(infer *p, bool cold, calls *c, ndl_error *err)
{
	double end = ndl_seconds() + 5 * p->b->min_s;
	*c = (calls){.processor_seconds = 1e9};
	while (c->n < MOST_CALLS && (c->n < LEAST_CALLS || ndl_seconds() < end)) {
		usage u;
		if ((cold && !drop_cache(p->model)) || ask_once(p, NULL, STDERR_FILENO, &u, err) != NDL_OK)
			return false;
		c->seconds[c->n++] = u.seconds;
		c->processor_seconds = u.processor_seconds < c->processor_seconds ? u.processor_seconds : c->processor_seconds;
		c->mebibytes = u.mebibytes > c->mebibytes ? u.mebibytes : c->mebibytes;
	}
	qsort(c->seconds, c->n, sizeof *c->seconds, rising);
	return true;
}

typedef struct row {
	const char *name, *unit;
	double value;
	bool less;
} row;

static ndl_status add_rows(bench *b, const row *rows, size_t n, int threads, ndl_error *err)
{
	ndl_status status = NDL_OK;
	for (size_t i = 0; i < n && status == NDL_OK; i++)
		status = bench_add(b, rows[i].name, "-", threads, rows[i].value, rows[i].unit, rows[i].less, err);
	return status;
}

static ndl_status warm_rows(infer *p, int threads, ndl_error *err)
{
	static const char *const names[] = {"one call, median", "one call, 90th percentile", "one call, processor time",
		"one call, peak memory", NULL};
	static calls c;
	if (!bench_wants_any(p->b, names))
		return NDL_OK;
	if (!measure_calls(p, false, &c, err))
		return err->code;
	const row rows[] = {
		{names[0], "ms", 1e3 * c.seconds[c.n / 2], true},
		{names[1], "ms", 1e3 * c.seconds[c.n * 9 / 10], true},
		{names[2], "ms", 1e3 * c.processor_seconds, true},
		{names[3], "MiB", c.mebibytes, true},
	};
	return add_rows(p->b, rows, sizeof rows / sizeof *rows, threads, err);
}

static ndl_status cold_row(infer *p, int threads, ndl_error *err)
{
	static const char name[] = "one call, model not in memory";
	static calls c;
	if (!bench_wants(p->b, name))
		return NDL_OK;
	if (measure_calls(p, true, &c, err))
		return bench_add(p->b, name, "-", threads, 1e3 * c.seconds[c.n / 2], "ms", true, err);
	if (err->code == NDL_OK)
		cli_warn(&p->b->c, "%s stays in memory: no call without it was measured", p->model);
	return err->code;
}

/* What --timings says about that call. */
static ndl_status token_rows(infer *p, ndl_error *err)
{
	static const char *const names[] = {"one call, prompt", "one call, answer", NULL};
	if (!bench_wants_any(p->b, names))
		return NDL_OK;
	FILE *f = tmpfile();
	char line[512] = "";
	usage u;
	ndl_status status = f ? ask_once(p, "--timings", fileno(f), &u, err) : ndl_fail_errno(err, "a temporary file");
	if (status == NDL_OK) {
		rewind(f);
		size_t n = fread(line, 1, sizeof line - 1, f);
		json_t *t = json_loadb(line, n, JSON_DISABLE_EOF_CHECK, NULL);
		const row rows[] = {
			{names[0], "tokens", json_number_value(json_object_get(t, "prefill_tokens")), true},
			{names[1], "tokens", json_number_value(json_object_get(t, "decode_tokens")), true},
		};
		json_decref(t);
		status = add_rows(p->b, rows, 2, 1, err);
	}
	if (f)
		fclose(f);
	return status;
}

/* Many records ---------------------------------------------------------------------------- */

/* Queries with numbers in them about some of the tools, in an order of their own. */
static void write_records(FILE *f, int n)
{
	ndl_rng r;
	ndl_rng_seed(&r, 1, 0);
	for (int i = 0; i < n; i++) {
		char query[128];
		size_t first = ndl_rng_below(&r, TOOLS), some = 1 + ndl_rng_below(&r, TOOLS);
		snprintf(query, sizeof query, asked[ndl_rng_below(&r, ASKED)], (int)(1 + ndl_rng_below(&r, 28)));
		fprintf(f, "{\"query\":\"%s\",\"tools\":[", query);
		for (size_t k = 0; k < some; k++)
			fprintf(f, "%s%s", k ? "," : "", tools[(first + k) % TOOLS]);
		fprintf(f, "]}\n");
	}
	fflush(f);
}

static ndl_status record_rows(infer *p, int threads, ndl_error *err)
{
	static const char *const names[] = {"batch", "batch, share of processors", "batch, peak memory", NULL};
	char *argv[] = {p->program, "-q", "-m", (char *)(uintptr_t)p->model, "-j", p->threads, "-i", p->records_path, NULL};
	usage best = {1e9, 0, 0}, u;
	for (int i = 0; i < 3 && bench_wants_any(p->b, names); i++) {
		ndl_status status = run_process(p, argv, p->null, STDERR_FILENO, &u, err);
		if (status != NDL_OK)
			return status;
		best = u.seconds < best.seconds ? u : best;
	}
	const row rows[] = {
		{names[0], "records/s", p->b->records / best.seconds, false},
		{names[1], "%", 100 * best.processor_seconds / (best.seconds * threads), false},
		{names[2], "MiB", best.mebibytes, true},
	};
	return add_rows(p->b, rows, sizeof rows / sizeof *rows, threads, err);
}

/* All ------------------------------------------------------------------------------------- */

/* needle-infer beside this program; false if there is none. */
static bool find_program(char path[PATH_MAX])
{
	static const char name[] = "needle-infer";
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof name);
	if (n <= 0)
		return false;
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, name);
	return access(path, X_OK) == 0;
}

static ndl_status open_files(infer *p, ndl_error *err)
{
	p->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	p->tools = tmpfile();
	p->records = tmpfile();
	if (p->null < 0 || !p->tools || !p->records)
		return ndl_fail_errno(err, "a temporary file");
	fputc('[', p->tools);
	for (size_t i = 0; i < OFFERED; i++)
		fprintf(p->tools, "%s%s", i ? "," : "", tools[i]);
	fputc(']', p->tools);
	write_records(p->records, p->b->records);
	if (fflush(p->tools) || ferror(p->records))
		return ndl_fail_errno(err, "a temporary file");
	snprintf(p->tools_path, sizeof p->tools_path, "/dev/fd/%d", fileno(p->tools));
	snprintf(p->records_path, sizeof p->records_path, "/dev/fd/%d", fileno(p->records));
	return NDL_OK;
}

static ndl_status measure(infer *p, ndl_error *err)
{
	ndl_status status = open_files(p, err);
	strcpy(p->threads, "1");
	if (status == NDL_OK)
		status = token_rows(p, err);
	for (int t = 0; status == NDL_OK && t < 2 && p->b->threads[t]; t++) {
		int threads = p->b->threads[t];
		snprintf(p->threads, sizeof p->threads, "%d", threads);
		status = warm_rows(p, threads, err);
		if (status == NDL_OK)
			status = cold_row(p, threads, err);
		if (status == NDL_OK)
			status = record_rows(p, threads, err);
	}
	if (p->tools)
		fclose(p->tools);
	if (p->records)
		fclose(p->records);
	if (p->null >= 0)
		close(p->null);
	return status;
}

ndl_status bench_processes(bench *b, ndl_error *err)
{
	infer p = {.b = b, .model = b->path};
	if (find_program(p.program))
		return measure(&p, err);
	if (!b->filter)
		cli_warn(&b->c, "no needle-infer beside this program: calls and batches were not measured");
	return NDL_OK;
}
