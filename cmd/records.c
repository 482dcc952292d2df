#include "cmd/records.h"

#include "base/mem.h"
#include "base/reader.h"
#include "base/utf8.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* record["error"] = {"line":…,"message":"…"} */
static void attach_error(json_t *record, const ndl_error *err)
{
	json_t *e = json_object();
	json_object_set_new(e, "line", json_integer((json_int_t)err->line));
	size_t good = ndl_utf8_check(err->text, strlen(err->text));
	json_object_set_new(e, "message", json_stringn(err->text, good));
	json_object_set_new(record, "error", e);
}

static json_t *parse_record(const char *line, size_t len, size_t lineno, int flags, ndl_error *err)
{
	json_t *record = ndl_json_parse(line, len, err);
	if (!record && flags & RECORDS_OR_LINES && line[strspn(line, " \t")] != '{')
		ndl_fail(err, NDL_EFORMAT, "expected an object, found text: queries as they stand need --lines");
	if (record && !json_is_object(record)) {
		ndl_fail(err, NDL_EFORMAT, "expected an object, found %s", ndl_json_type_name(record));
		json_decref(record);
		record = NULL;
	}
	if (!record) { /* jansson counts lines within its text, which is one line of ours */
		err->line = lineno;
	}
	return record;
}

bool records_blank(const char **line, size_t *len, size_t lineno)
{
	if (lineno == 1 && *len >= 3 && memcmp(*line, "\xef\xbb\xbf", 3) == 0) { /* some editors begin a UTF-8 file with it */
		*line += 3;
		*len -= 3;
	}
	return strspn(*line, " \t") == *len; /* of the whole length: a NUL is not the end but a fault to report */
}

/* The loop ------------------------------------------------------------------------------ */

/* What became of a line. */
typedef struct outcome {
	bool ready, broken; /* broken: the input itself */
	int rc;
	ndl_error err;
	ndl_buf text;       /* owned: the line to write */
} outcome;

/* How far workers may be ahead of the record that is to be written next: one long answer does not keep the others waiting. */
enum { AHEAD = 64 };

/* Workers take turns to read a line, handle it alone, and leave the outcome; whoever has the next in order writes it and
 * all that follow it and are there. */
typedef struct shared {
	const cli *c;
	ndl_reader *in;
	int flags;
	records_fn *handle;
	records_stats *stats;
	pthread_mutex_t reading, writing;
	pthread_cond_t turn;
	size_t n_read;    /* under reading */
	size_t n_written; /* under writing, as are status, stats and outcomes */
	outcome outcomes[AHEAD]; /* of record i in [i % AHEAD] */
	int status;
	atomic_bool stop;
	int wake[2];      /* a pipe in which something comes when stop is set: another may be waiting for a line; or -1 */
} shared;

typedef struct worker {
	shared *s;
	void *user;
	pthread_t thread;
	ndl_buf line;
	size_t number, lineno; /* of the line in hand */
	int got;               /* 1: a line, negative: an error */
	ndl_error err;
} worker;

/* Copies the next line that is not blank; 0 at the end. */
static int next_line(worker *w)
{
	shared *s = w->s;
	const char *line;
	size_t len;
	while ((w->got = ndl_reader_line(s->in, &line, &len, &w->err)) != 0) {
		w->lineno = ndl_reader_lineno(s->in);
		if (w->got < 0)
			return 1;
		if (records_blank(&line, &len, w->lineno))
			continue;
		ndl_buf_reset(&w->line);
		ndl_buf_add(&w->line, line, len);
		if (ndl_buf_check(&w->line, &w->err) != NDL_OK)
			w->got = NDL_ENOMEM;
		return 1;
	}
	return 0;
}

static int take(worker *w)
{
	shared *s = w->s;
	w->err = (ndl_error)NDL_ERROR_INIT;
	pthread_mutex_lock(&s->reading);
	int more = atomic_load(&s->stop) ? 0 : next_line(w);
	w->number = s->n_read;
	s->n_read += more != 0;
	pthread_mutex_unlock(&s->reading);
	return more;
}

/* {"query":line} */
static json_t *text_record(const char *line, size_t len, ndl_error *err)
{
	json_t *record = json_object();
	if (memchr(line, 0, len) || ndl_utf8_check(line, len) < len)
		ndl_fail(err, NDL_EFORMAT, "the line is not UTF-8 text");
	else if (json_object_set_new(record, "query", json_stringn(line, len)) == 0)
		return record;
	json_decref(record);
	return NULL;
}

/* The record in hand with its result; *rc tells how it went. */
static json_t *handle_line(worker *w, int *rc)
{
	const char *text = ndl_buf_cstr(&w->line);
	json_t *record = NULL;
	*rc = w->got;
	if (w->got > 0) {
		record = w->s->flags & RECORDS_LINES ? text_record(text, w->line.len, &w->err)
		                                     : parse_record(text, w->line.len, w->lineno, w->s->flags, &w->err);
		*rc = record ? w->s->handle(w->user, record, &w->err) : -1;
	}
	return record ? record : json_object();
}

/* The outcome of the line in hand. */
static outcome finish_line(worker *w)
{
	outcome o = {.ready = true, .text = NDL_BUF_INIT};
	json_t *record = handle_line(w, &o.rc);
	ndl_error_at(&w->err, ndl_reader_name(w->s->in), w->lineno);
	w->err.line = w->lineno;
	o.err = w->err;
	o.broken = w->got < 0 && w->err.code != NDL_ELIMIT;
	if (o.rc < 0)
		attach_error(record, &w->err);
	ndl_json_write(&o.text, record, 0);
	ndl_buf_byte(&o.text, '\n');
	json_decref(record);
	return o;
}

static void stop(shared *s)
{
	atomic_store(&s->stop, true);
	while (s->wake[1] >= 0 && write(s->wake[1], "", 1) < 0 && errno == EINTR)
		;
}

static void give_up(shared *s)
{
	s->status = CLI_UNUSABLE;
	stop(s);
}

static void write_text(shared *s, ndl_buf *text)
{
	ndl_error err = NDL_ERROR_INIT;
	if (ndl_buf_check(text, &err) != NDL_OK) {
		cli_report(s->c, &err);
		give_up(s);
		return;
	}
	fwrite(text->data, 1, text->len, stdout);
	fflush(stdout); /* pipes stream */
	if (cli_stdout_failed())
		stop(s);
}

/* In order, one worker at a time. */
static void put(shared *s, outcome *o)
{
	bool strict = s->flags & RECORDS_STRICT;
	if (o->broken) {
		cli_report(s->c, &o->err);
		give_up(s);
		return;
	}
	s->stats->read++;
	if (o->rc < 0) {
		s->stats->failed++;
		s->status = CLI_NEGATIVE;
		if (strict)
			stop(s);
	}
	if (o->rc < 0 || (o->err.text[0] && !s->c->common.quiet))
		cli_report(s->c, &o->err);
	if (!(o->rc < 0 && strict))
		write_text(s, &o->text);
}

static void leave(worker *w, const outcome *mine)
{
	shared *s = w->s;
	pthread_mutex_lock(&s->writing);
	while (w->number - s->n_written >= AHEAD)
		pthread_cond_wait(&s->turn, &s->writing);
	s->outcomes[w->number % AHEAD] = *mine;
	for (outcome *o; (o = &s->outcomes[s->n_written % AHEAD])->ready; s->n_written++) {
		if (!atomic_load(&s->stop))
			put(s, o);
		ndl_buf_clear(&o->text);
		o->ready = false;
	}
	pthread_cond_broadcast(&s->turn);
	pthread_mutex_unlock(&s->writing);
}

static void *work(void *arg)
{
	worker *w = arg;
	while (take(w)) {
		outcome o = finish_line(w);
		leave(w, &o);
	}
	ndl_buf_clear(&w->line);
	return NULL;
}

static void run_workers(shared *s, void *const *users, size_t n)
{
	worker first = {.s = s, .user = users[0]}, *others = n > 1 ? ndl_calloc(n - 1, sizeof *others) : NULL;
	size_t started = 0;
	for (; others && started < n - 1; started++) {
		others[started] = (worker){.s = s, .user = users[started + 1]};
		if (pthread_create(&others[started].thread, NULL, work, &others[started]) != 0)
			break; /* fewer threads do it too */
	}
	work(&first);
	for (size_t i = 0; i < started; i++)
		pthread_join(others[i].thread, NULL);
	free(others);
}

int records_run_many(const cli *c, const char *path, int flags, records_fn *handle, void *const *users, size_t n,
                     records_stats *stats)
{
	ndl_error err = NDL_ERROR_INIT;
	cli_stdin_hint(c, path);
	shared s = {.c = c, .in = ndl_reader_open(path, &err), .flags = flags, .handle = handle, .stats = stats,
		.reading = PTHREAD_MUTEX_INITIALIZER, .writing = PTHREAD_MUTEX_INITIALIZER,
		.turn = PTHREAD_COND_INITIALIZER, .status = CLI_OK, .wake = {-1, -1}};
	if (!s.in) {
		cli_report(c, &err);
		return CLI_UNUSABLE;
	}
	if (n > 1 && pipe(s.wake) == 0)
		ndl_reader_end_when(s.in, s.wake[0]);
	json_object_seed(0); /* before threads: jansson sets it up on first use */
	run_workers(&s, users, n);
	ndl_reader_close(s.in);
	for (int i = 0; i < 2 && s.wake[i] >= 0; i++)
		close(s.wake[i]);
	return s.status;
}

int records_run(const cli *c, const char *path, bool strict, records_fn *handle, void *user, records_stats *stats)
{
	return records_run_many(c, path, strict ? RECORDS_STRICT : 0, handle, &user, 1, stats);
}
