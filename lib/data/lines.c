#include "data/lines.h"

#include "base/mem.h"
#include "base/reader.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "data/lines_internal.h"

#include <stdlib.h>
#include <string.h>

/* Lines that are read before they are checked side by side. */
enum { CHUNK = 512 };

ndl_lines *ndl_lines_new(ndl_error *err)
{
	ndl_lines *l = calloc(1, sizeof *l);
	if (!l)
		ndl_fail_nomem(err, "training rows");
	return l;
}

void ndl_lines_free(ndl_lines *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++) {
		free(l->row[i].text);
		free(l->row[i].tool);
	}
	for (size_t i = 0; i < l->n_files; i++)
		free(l->file[i]);
	free(l->row);
	free(l->file);
	free(l);
}

/* A line on its way into the store. */
typedef struct candidate {
	ndl_row row;
	int rc;
	bool held_out;
	ndl_error err;
} candidate;

ndl_status ndl_line_add_tools(char **text, size_t *len, const char *tools, ndl_error *err)
{
	ndl_error ignored = NDL_ERROR_INIT;
	json_t *row = ndl_json_parse(*text, *len, &ignored);
	if (!json_is_object(row) || ndl_json_get(row, "tools")) {
		json_decref(row);
		return NDL_OK;
	}
	ndl_buf b = NDL_BUF_INIT, other = NDL_BUF_INIT;
	if (json_object_del(row, "tools") == 0) /* null, which would stand there beside them */
		ndl_json_write(&other, row, 0);
	else
		ndl_buf_add(&other, *text, *len);
	ndl_buf_str(&b, "{\"tools\":");
	ndl_buf_str(&b, tools);
	ndl_buf_str(&b, json_object_size(row) == 0 ? "" : ",");
	const char *rest = strchr(ndl_buf_cstr(&other), '{'); /* NULL: no memory */
	ndl_buf_str(&b, rest ? rest + 1 : "");
	b.failed = b.failed || other.failed;
	ndl_buf_clear(&other);
	json_decref(row);
	ndl_status rc = ndl_buf_check(&b, err);
	if (rc != NDL_OK) {
		ndl_buf_clear(&b);
		return rc;
	}
	free(*text);
	*len = b.len;
	*text = b.data; /* moved */
	return NDL_OK;
}

/* Hash of a phrasing: as forgiving as ndl_query_hash, but letters beyond ASCII count, of which some queries
 * wholly consist. */
static uint64_t phrase_of(const char *query, size_t len)
{
	char hex[NDL_QUERY_HASH_LEN + 1];
	uint64_t letters = 0;
	uint32_t c;
	for (size_t i = 0, n; i < len && (n = ndl_utf8_decode(query + i, len - i, &c)) > 0; i += n)
		if ((c >= 0xC0 && c < 0x2000) || c >= 0x3040) /* not the signs of Latin, general and CJK punctuation */
			letters = ndl_hash64(query + i, n, letters);
	ndl_query_hash(query, len, hex);
	return ndl_hash64(hex, NDL_QUERY_HASH_LEN, letters);
}

static void check_row(candidate *c, const ndl_lines_options *o)
{
	ndl_record r;
	c->err = (ndl_error)NDL_ERROR_INIT;
	if (o->tools && (c->rc = ndl_line_add_tools(&c->row.text, &c->row.len, o->tools, &c->err)) != NDL_OK)
		return;
	c->rc = ndl_record_parse(&r, c->row.text, c->row.len, NULL, &c->err);
	if (c->rc != NDL_OK)
		return;
	if (o->check && (c->rc = o->check(&r, &c->err)) != NDL_OK) {
		ndl_record_clear(&r);
		return;
	}
	c->row.phrase = phrase_of(r.query, r.query_len);
	c->held_out = ndl_heldout_contains(o->heldout, r.query, r.query_len);
	const char *tool = json_array_size(r.answers) ? ndl_tools_name(r.tools, ndl_record_called(&r, 0)) : "";
	c->row.tool = strdup(tool);
	if (!c->row.tool)
		c->rc = ndl_fail_nomem(&c->err, "training rows");
	ndl_record_clear(&r);
}

static void drop(candidate *c)
{
	free(c->row.text);
	free(c->row.tool);
}

/* Takes over one checked line: stored, dropped, or reported. */
static ndl_status settle(ndl_lines *l, candidate *c, const ndl_lines_options *o, ndl_error *err)
{
	if (c->rc == NDL_OK && !c->held_out) {
		if (ndl_grow(&l->row, &l->cap, l->n + 1, sizeof *l->row) == 0) {
			l->row[l->n++] = c->row;
			return NDL_OK;
		}
		c->rc = ndl_fail_nomem(&c->err, "training rows");
	}
	drop(c);
	if (c->rc == NDL_OK) {
		l->heldout++;
		return NDL_OK;
	}
	ndl_error_at(&c->err, l->file[c->row.file], c->row.line);
	if (o->strict || c->rc == NDL_ENOMEM) {
		if (err)
			*err = c->err;
		return (ndl_status)c->rc;
	}
	l->bad++;
	if (o->report)
		o->report(o->report_user, &c->err);
	return NDL_OK;
}

static ndl_status settle_chunk(ndl_lines *l, candidate *c, size_t n, const ndl_lines_options *o, ndl_error *err)
{
	int threads = ndl_data_threads(o->threads);
	ndl_status rc = NDL_OK;
	(void)threads; /* unused without OpenMP */
#pragma omp parallel for schedule(dynamic, 8) num_threads(threads)
	for (size_t i = 0; i < n; i++)
		if (c[i].rc == NDL_OK)
			check_row(&c[i], o);
	for (size_t i = 0; i < n; i++) {
		if (rc == NDL_OK)
			rc = settle(l, &c[i], o, err);
		else
			drop(&c[i]);
	}
	return rc;
}

/* Reads up to CHUNK lines; *n of them, fewer only at the end of the input. */
static ndl_status read_chunk(ndl_reader *in, size_t file, candidate *c, size_t *n, ndl_error *err)
{
	const char *line;
	size_t len;
	for (*n = 0; *n < CHUNK;) {
		candidate *next = &c[*n];
		*next = (candidate){.row.file = file};
		int got = ndl_reader_line(in, &line, &len, &next->err);
		if (got == 0)
			break;
		if (got < 0 && next->err.code != NDL_ELIMIT) {
			if (err)
				*err = next->err;
			return (ndl_status)got;
		}
		if (got > 0 && ndl_data_blank(line, len))
			continue;
		next->row.line = ndl_reader_lineno(in);
		next->rc = got < 0 ? got : NDL_OK;
		++*n;
		if (got < 0)
			continue;
		next->row.len = len;
		next->row.text = ndl_strndup(line, len);
		if (!next->row.text)
			return ndl_fail_nomem(err, "training rows");
	}
	return NDL_OK;
}

static ndl_status load_all(ndl_lines *l, ndl_reader *in, const ndl_lines_options *o, ndl_error *err)
{
	candidate *c = ndl_calloc(CHUNK, sizeof *c);
	ndl_status rc = NDL_OK;
	size_t n = CHUNK;
	if (!c)
		return ndl_fail_nomem(err, "training rows");
	while (rc == NDL_OK && n == CHUNK) {
		rc = read_chunk(in, l->n_files - 1, c, &n, err);
		if (rc == NDL_OK)
			rc = settle_chunk(l, c, n, o, err);
		else
			for (size_t i = 0; i < n; i++)
				drop(&c[i]);
	}
	free(c);
	return rc;
}

ndl_status ndl_lines_load(ndl_lines *l, const char *path, const ndl_lines_options *o, ndl_error *err)
{
	static const ndl_lines_options defaults;
	ndl_reader *in = ndl_reader_open(path, err);
	if (!in)
		return NDL_EIO;
	ndl_status rc = NDL_OK;
	char *name = strdup(ndl_reader_name(in));
	if (!name || ndl_grow(&l->file, &l->file_cap, l->n_files + 1, sizeof *l->file) < 0) {
		free(name);
		rc = ndl_fail_nomem(err, "training rows");
	} else {
		l->file[l->n_files++] = name;
		rc = load_all(l, in, o ? o : &defaults, err);
	}
	ndl_reader_close(in);
	return rc;
}

size_t ndl_lines_count(const ndl_lines *l) { return l->n; }
size_t ndl_lines_bad(const ndl_lines *l) { return l->bad; }
size_t ndl_lines_heldout(const ndl_lines *l) { return l->heldout; }
const char *ndl_lines_tool(const ndl_lines *l, size_t i) { return l->row[i].tool; }

const char *ndl_lines_at(const ndl_lines *l, size_t i, size_t *len)
{
	*len = l->row[i].len;
	return l->row[i].text;
}

size_t ndl_lines_file(const ndl_lines *l, size_t i)
{
	return l->row[i].file;
}

void ndl_lines_source(const ndl_lines *l, size_t i, const char **file, size_t *line)
{
	*file = l->file[l->row[i].file];
	*line = l->row[i].line;
}
