#include "synth/mix.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/record.h"
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

typedef struct part {
	ndl_lines *lines;       /* this, */
	ndl_requests *requests; /* or this */
	char name[64]; /* of a row that does not name its source itself */
	size_t *order, at;
	uint64_t epoch;
	double weight;
} part;

struct ndl_mix {
	ndl_synth *composed;
	double weight, sum;
	uint64_t seed, drawn;
	part *part;
	size_t n, cap;
	ndl_answer answer;
};

ndl_mix *ndl_mix_new(ndl_synth *composed, double weight, uint64_t seed, ndl_error *err)
{
	ndl_mix *m = ndl_calloc(1, sizeof *m);
	if (!m) {
		ndl_fail_nomem(err, "the mix");
		return NULL;
	}
	m->composed = composed;
	m->weight = m->sum = composed ? weight : 0;
	m->seed = seed;
	return m;
}

void ndl_mix_free(ndl_mix *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		ndl_lines_free(m->part[i].lines);
		ndl_requests_free(m->part[i].requests);
		free(m->part[i].order);
	}
	free(m->part);
	ndl_answer_clear(&m->answer);
	free(m);
}

/* "data/snips.jsonl.gz" as "snips" */
static void base_name(char *out, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');
	path = slash ? slash + 1 : path;
	size_t n = strcspn(path, ".");
	snprintf(out, size, "%.*s", (int)(n ? n : strlen(path)), path);
}

static size_t row_count(const part *p)
{
	return p->requests ? ndl_requests_count(p->requests) : ndl_lines_count(p->lines);
}

/* Takes the part over, also when it fails. */
static ndl_status add_part(ndl_mix *m, part *p, ndl_error *err)
{
	size_t rows = row_count(p);
	p->order = ndl_calloc(rows, sizeof *p->order);
	p->at = rows; /* the first epoch begins with the first row */
	if (!p->order || ndl_grow(&m->part, &m->cap, m->n + 1, sizeof *m->part) != 0) {
		free(p->order);
		ndl_lines_free(p->lines);
		ndl_requests_free(p->requests);
		return ndl_fail_nomem(err, "the mix");
	}
	m->part[m->n++] = *p;
	m->sum += p->weight;
	return NDL_OK;
}

ndl_status ndl_mix_add(ndl_mix *m, const char *path, double weight, const ndl_lines_options *o,
	ndl_error *err)
{
	part p = {.lines = ndl_lines_new(err), .weight = weight};
	ndl_status st = p.lines ? ndl_lines_load(p.lines, path, o, err) : NDL_ENOMEM;
	if (st == NDL_OK && row_count(&p) == 0)
		st = ndl_fail(err, NDL_EFORMAT, "%s: no records to mix in", path);
	if (st) {
		ndl_lines_free(p.lines);
		return st;
	}
	base_name(p.name, sizeof p.name, path);
	return add_part(m, &p, err);
}

ndl_status ndl_mix_add_requests(ndl_mix *m, ndl_requests *requests, double weight, ndl_error *err)
{
	part p = {.requests = requests, .weight = weight, .name = "requests"};
	if (row_count(&p) > 0)
		return add_part(m, &p, err);
	ndl_requests_free(requests);
	return ndl_fail(err, NDL_EINVAL, "the corpus has no requests in this split");
}

void ndl_mix_rows(const ndl_mix *m, size_t i, size_t *good, size_t *bad, size_t *held_out)
{
	const ndl_lines *l = m->part[i].lines;
	*good = ndl_lines_count(l);
	*bad = ndl_lines_bad(l);
	*held_out = ndl_lines_heldout(l);
}

/* The next row of p, in an order that depends on seed, file and epoch. */
static size_t next_row(const ndl_mix *m, part *p)
{
	size_t rows = row_count(p);
	if (p->at == rows) {
		ndl_rng r;
		ndl_rng_seed(&r, m->seed ^ ndl_hash64(p->name, strlen(p->name), 21), p->epoch++);
		for (size_t i = 0; i < rows; i++)
			p->order[i] = i;
		ndl_rng_shuffle(&r, p->order, rows);
		p->at = 0;
	}
	return p->order[p->at++];
}

static void write_row(ndl_mix *m, const part *p, const ndl_record *r, ndl_buf *out, enum ndl_synth_form form)
{
	static const char *const kinds[] = {"none", "one", "two", "three", "more"};
	bool json = form == NDL_SYNTH_JSONL;
	const char *source = json_string_value(json_object_get(r->root, "source"));
	size_t calls = json_array_size(r->answers);
	if (json) {
		ndl_buf_str(out, "{\"query\":");
		ndl_json_write_string(out, r->query, r->query_len, 0);
	} else {
		for (size_t i = 0; i < r->query_len; i++) /* a line is a line */
			ndl_buf_byte(out, r->query[i] == '\n' || r->query[i] == '\r' ? ' ' : r->query[i]);
	}
	ndl_buf_str(out, json ? ",\"tools\":" : "\n");
	ndl_tools_render(r->tools, out, NULL, 0, 0);
	ndl_buf_str(out, json ? ",\"answers\":" : "\n");
	ndl_buf_add(out, m->answer.text.data, m->answer.text.len);
	if (json) {
		ndl_buf_str(out, ",\"meta\":{\"source\":");
		source = source ? source : p->name;
		ndl_json_write_string(out, source, strlen(source), 0);
		ndl_buf_printf(out, ",\"kind\":\"%s\"}}", kinds[calls < 4 ? calls : 4]);
	}
	ndl_buf_byte(out, '\n');
}

static ndl_status take_row(const part *p, size_t row, ndl_rng *rng, ndl_record *r, ndl_error *err)
{
	size_t len;
	const char *line = p->lines ? ndl_lines_at(p->lines, row, &len) : NULL;
	if (line)
		return ndl_record_parse(r, line, len, rng, err);
	*r = (ndl_record){0};
	json_t *record = ndl_requests_record(p->requests, row, rng, err);
	return record ? ndl_record_take(r, record, rng, err) : NDL_EFORMAT;
}

static ndl_status from_part(ndl_mix *m, part *p, ndl_rng *rng, ndl_buf *out, enum ndl_synth_form form,
	ndl_error *err)
{
	ndl_record r;
	ndl_status st = take_row(p, next_row(m, p), rng, &r, err);
	if (st == NDL_OK)
		st = ndl_answer_render(&m->answer, &r, err);
	if (st == NDL_OK)
		write_row(m, p, &r, out, form);
	ndl_record_clear(&r);
	return st ? st : ndl_buf_check(out, err);
}

ndl_status ndl_mix_next(ndl_mix *m, ndl_buf *out, enum ndl_synth_form form, ndl_error *err)
{
	ndl_rng rng;
	ndl_rng_seed(&rng, m->seed ^ UINT64_C(0x6d6978), m->drawn++);
	double u = ndl_rng_unit(&rng) * m->sum - m->weight;
	if (u < 0 || m->n == 0)
		return ndl_synth_next(m->composed, out, form, err);
	size_t i = 0;
	while (i + 1 < m->n && u >= m->part[i].weight)
		u -= m->part[i++].weight;
	return from_part(m, &m->part[i], &rng, out, form, err);
}
