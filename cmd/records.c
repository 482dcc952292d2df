#include "cmd/records.h"

#include "base/reader.h"
#include "base/utf8.h"

#include <string.h>

/* record["error"] = {"line":…,"message":"…"} */
static void attach_error(json_t *record, const ndl_error *err)
{
	json_t *e = json_object();
	json_object_set_new(e, "line", json_integer((json_int_t)err->line));
	size_t good = ndl_utf8_check(err->text, strlen(err->text));
	json_object_set_new(e, "message", json_stringn(err->text, good));
	json_object_set_new(record, "error", e);
}

static int write_record(ndl_buf *out, const json_t *record, ndl_error *err)
{
	ndl_buf_reset(out);
	ndl_json_write(out, record, 0);
	ndl_buf_byte(out, '\n');
	if (ndl_buf_check(out, err) != NDL_OK)
		return NDL_ENOMEM;
	fwrite(out->data, 1, out->len, stdout);
	fflush(stdout); /* pipes stream */
	cli_stdout_failed();
	return 0;
}

static json_t *parse_record(const char *line, size_t len, size_t lineno, ndl_error *err)
{
	json_t *record = ndl_json_parse(line, len, err);
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

/* Some editors begin a UTF-8 file with a byte order mark. */
static void skip_bom(const char **line, size_t *len)
{
	if (*len >= 3 && memcmp(*line, "\xef\xbb\xbf", 3) == 0) {
		*line += 3;
		*len -= 3;
	}
}

/* Of the whole length: a NUL is not the end but a fault to report. */
static bool is_blank(const char *line, size_t len)
{
	return strspn(line, " \t") == len;
}

int records_run(const cli *c, const char *path, bool strict, records_fn *handle, void *user, records_stats *stats)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_buf out = NDL_BUF_INIT;
	int status = CLI_OK, got;
	const char *line;
	size_t len;
	cli_stdin_hint(c, path);
	ndl_reader *in = ndl_reader_open(path, &err);
	if (!in) {
		cli_report(c, &err);
		return CLI_UNUSABLE;
	}
	while (!cli_stdout_failed() && (got = ndl_reader_line(in, &line, &len, &err)) != 0) {
		json_t *record = NULL;
		if (got < 0 && err.code != NDL_ELIMIT) { /* the input itself is broken */
			cli_report(c, &err);
			status = CLI_UNUSABLE;
			break;
		}
		if (got > 0 && ndl_reader_lineno(in) == 1)
			skip_bom(&line, &len);
		if (got > 0 && is_blank(line, len))
			continue;
		stats->read++;
		int rc = got;
		if (got > 0) {
			record = parse_record(line, len, ndl_reader_lineno(in), &err);
			rc = record ? handle(user, record, &err) : -1;
		}
		if (rc < 0) {
			stats->failed++;
			status = CLI_NEGATIVE;
			ndl_error_at(&err, ndl_reader_name(in), ndl_reader_lineno(in));
			err.line = ndl_reader_lineno(in);
			cli_report(c, &err);
			if (!record)
				record = json_object();
			attach_error(record, &err);
		}
		ndl_error wrote = NDL_ERROR_INIT;
		if (!(rc < 0 && strict) && write_record(&out, record, &wrote) < 0) {
			cli_report(c, &wrote);
			status = CLI_UNUSABLE;
		}
		json_decref(record);
		if (status == CLI_UNUSABLE || (rc < 0 && strict))
			break;
		err = (ndl_error)NDL_ERROR_INIT;
	}
	ndl_buf_clear(&out);
	ndl_reader_close(in);
	return status;
}
