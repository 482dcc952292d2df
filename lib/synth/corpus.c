#include "synth/corpus.h"
#include "synth/card.h"
#include "synth/folder.h"

#include "base/mem.h"
#include "base/reader.h"
#include "base/rng.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory ------------------------------------------------------------------------------ */

enum { CHUNK = 1 << 18 };

typedef struct syn_chunk {
	struct syn_chunk *next;
	size_t used, size;
} syn_chunk;

void *syn_alloc(syn_corpus *c, size_t n, size_t size)
{
	size_t bytes;
	if (!ndl_mul_ok(n, size, &bytes) || bytes > SIZE_MAX - 64)
		return NULL;
	bytes = (bytes + 15) / 16 * 16;
	syn_chunk *k = c->chunks;
	if (!k || k->size - k->used < bytes) {
		size_t room = bytes > CHUNK ? bytes : CHUNK;
		k = ndl_calloc(1, 32 + room);
		if (!k)
			return NULL;
		k->size = room;
		k->next = c->chunks;
		c->chunks = k;
	}
	void *p = (char *)k + 32 + k->used;
	k->used += bytes;
	return p;
}

const char *syn_strdup(syn_corpus *c, const char *s, size_t len)
{
	char *p = syn_alloc(c, len + 1, 1);
	if (p)
		memcpy(p, s, len);
	return p;
}

void syn_corpus_clear(syn_corpus *c)
{
	for (syn_chunk *k = c->chunks, *next; k; k = next) {
		next = k->next;
		free(k);
	}
	free(c->tool);
	free(c->domain);
	free(c->list);
	free(c->field);
	free(c->verb);
	free(c->object);
	memset(c, 0, sizeof *c);
}

/* Splits and look-up ------------------------------------------------------------------ */

bool syn_held_value(const char *text, size_t len)
{
	/* Letter case, a full stop added to free text and a copied span's surroundings must not
	 * change the class. */
	char low[256];
	while (len && (text[len - 1] == '.' || text[len - 1] == '!'))
		len--;
	size_t n = len < sizeof low ? len : sizeof low;
	for (size_t i = 0; i < n; i++)
		low[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	return ndl_hash64(low, n, 1) % 10 == 0;
}

static const char *const type_names[] = {"string", "integer", "number", "boolean", "array", "object"};

const char *syn_type_name(enum syn_type type)
{
	return type_names[type];
}

int syn_type_named(const char *name)
{
	for (int i = 0; name && i < 6; i++)
		if (strcmp(type_names[i], name) == 0)
			return i;
	return -1;
}

const syn_list *syn_corpus_list(const syn_corpus *c, const char *name)
{
	for (size_t i = 0; i < c->n_lists; i++)
		if (strcmp(c->list[i]->name, name) == 0)
			return c->list[i];
	return NULL;
}

/* Names resolved ---------------------------------------------------------------------- */

static ndl_status resolve(const syn_corpus *c, syn_source *s, const char *where, ndl_error *err)
{
	if (!s->name || s->kind != SYN_NONE)
		return NDL_OK;
	s->list = syn_corpus_list(c, s->name);
	if (!s->list)
		return ndl_fail(err, NDL_EFORMAT, "%s: there is no lexicon or built-in '%s'", where, s->name);
	s->kind = SYN_LIST;
	return NDL_OK;
}

/* The placeholders in the values of `l`. */
static ndl_status resolve_list(const syn_corpus *c, const syn_list *l, const char *where, ndl_error *err)
{
	for (size_t j = 0; j < l->n; j++)
		for (size_t k = 0; k < l->v[j].n_tmpl; k++) {
			ndl_status st = resolve(c, &((syn_tpiece *)l->v[j].tmpl)[k].source, where, err);
			if (st)
				return st;
		}
	return NDL_OK;
}

static ndl_status resolve_params(const syn_corpus *c, syn_param *p, size_t n, const char *tool, ndl_error *err)
{
	for (size_t i = 0; i < n; i++) {
		char where[160];
		snprintf(where, sizeof where, "%s.%s", tool, p[i].name);
		syn_source *s = &p[i].source;
		/* A list written in its place is not among the lexicons, and its values have been checked where it stands. */
		bool in_place = s->kind == SYN_LIST;
		ndl_status st = in_place ? resolve_list(c, s->list, where, err) : resolve(c, s, where, err);
		if (st == NDL_OK && !in_place && s->kind == SYN_LIST)
			st = syn_fits_type(&p[i], s->list, err);
		if (st == NDL_OK)
			st = resolve_params(c, p[i].props, p[i].n_props, tool, err);
		if (st)
			return st;
	}
	return NDL_OK;
}

static ndl_status resolve_all(syn_corpus *c, ndl_error *err)
{
	for (size_t i = 0; i < c->n_tools; i++) {
		ndl_status st = resolve_params(c, c->tool[i].param, c->tool[i].n_params, c->tool[i].name, err);
		if (st)
			return st;
	}
	for (size_t i = 0; i < c->n_fields; i++) {
		ndl_status st = resolve_params(c, &c->field[i].param, 1, "field", err);
		if (st)
			return st;
	}
	for (size_t i = 0; i < c->n_lists; i++) {
		ndl_status st = resolve_list(c, c->list[i], c->list[i]->name, err);
		if (st)
			return st;
	}
	return NDL_OK;
}

/* Held-out domains: the two with the smallest hashes, if there are at least twenty. */
static ndl_status finish_domains(syn_corpus *c, ndl_error *err)
{
	for (int round = 0; round < 2 && c->n_domains >= 20; round++) {
		size_t best = c->n_domains;
		uint64_t least = UINT64_MAX;
		for (size_t i = 0; i < c->n_domains; i++) {
			uint64_t h = ndl_hash64(c->domain[i].name, strlen(c->domain[i].name), 7);
			if (!c->domain[i].held && h < least) {
				least = h;
				best = i;
			}
		}
		if (best < c->n_domains)
			c->domain[best].held = true;
	}
	for (size_t i = 0; i < c->n_domains; i++) {
		syn_domain *d = &c->domain[i];
		d->tool = syn_alloc(c, d->n_tools + 1, sizeof *d->tool);
		if (!d->tool)
			return ndl_fail_nomem(err, "the corpus");
		d->n_tools = 0;
	}
	for (size_t i = 0; i < c->n_tools; i++) {
		syn_tool *t = &c->tool[i];
		syn_domain *d = &c->domain[t->domain];
		d->tool[d->n_tools++] = t;
		t->held = d->held || ndl_hash64(t->name, strlen(t->name), 5) % 20 == 0;
	}
	return NDL_OK;
}

/* twins.txt --------------------------------------------------------------------------- */

static bool glob_one(const char *pattern, const char *domain, const char *tool)
{
	char full[256];
	size_t plain = strcspn(pattern, "*?[\\/"); /* most patterns spell the domain, which costs less to compare than to format */
	if (strncmp(pattern, domain, plain) != 0)
		return false;
	snprintf(full, sizeof full, "%s/%s", domain, tool);
	return fnmatch(pattern, full, 0) == 0;
}

static void mark_twins(syn_corpus *c, const char *pattern, unsigned group)
{
	for (size_t i = 0; i < c->n_tools; i++)
		if (glob_one(pattern, c->domain[c->tool[i].domain].name, c->tool[i].name))
			c->tool[i].twins |= UINT64_C(1) << group;
}

/* A line is a group: globs of "domain/tool" separated by blanks; "#" starts a comment. */
static ndl_status load_twins(syn_corpus *c, const char *path, ndl_error *err)
{
	ndl_reader *r = ndl_reader_open(path, NULL);
	const char *line;
	size_t len;
	unsigned group = 0;
	int got;
	if (!r)
		return NDL_OK; /* optional */
	while ((got = ndl_reader_line(r, &line, &len, err)) > 0) {
		char pattern[200];
		int used;
		bool any = false;
		for (const char *s = line; *s != '#' && sscanf(s, "%199s%n", pattern, &used) == 1; s += used) {
			if (pattern[0] == '#')
				break;
			if (group >= 64) {
				got = ndl_fail(err, NDL_ELIMIT, "more than 64 groups");
				ndl_error_at(err, path, ndl_reader_lineno(r));
				goto out;
			}
			mark_twins(c, pattern, group);
			any = true;
		}
		group += any;
	}
out:
	ndl_reader_close(r);
	return got < 0 ? (ndl_status)got : NDL_OK;
}

/* Words shared by two tool names, without verbs that mean little. */
static int shared_words(const char *a, const char *b)
{
	int n = 0;
	for (const char *s = a; *s;) {
		size_t w = strcspn(s, "_");
		for (const char *t = b; *t;) {
			size_t v = strcspn(t, "_");
			if (w == v && w > 1 && memcmp(s, t, w) == 0) {
				n++;
				break;
			}
			t += v + (t[v] == '_');
		}
		s += w + (s[w] == '_');
	}
	return n;
}

static bool shared_name(const syn_tool *a, const syn_tool *b)
{
	for (size_t i = 0; i < a->names.n; i++)
		for (size_t j = 0; j < b->names.n; j++)
			if (strcmp(a->names.s[i], b->names.s[j]) == 0)
				return true;
	return false;
}

static bool kept_apart(const syn_tool *a, const syn_tool *b)
{
	for (size_t i = 0; i < a->apart.n; i++)
		if (strcmp(a->apart.s[i], b->name) == 0)
			return true;
	return false;
}

bool syn_conflict(const syn_tool *a, const syn_tool *b, bool strict)
{
	if (shared_name(a, b) || kept_apart(a, b) || kept_apart(b, a))
		return true;
	if ((a->domain == SYN_INVENTED) != (b->domain == SYN_INVENTED))
		return shared_words(a->name, b->name) >= 1;
	if (a->domain != b->domain)
		return (a->twins & b->twins) || shared_words(a->name, b->name) >= 2;
	return strict && shared_words(a->name, b->name) >= 2;
}

static ndl_status check_apart(const syn_corpus *c, ndl_error *err)
{
	for (size_t i = 0; i < c->n_tools; i++)
		for (size_t k = 0; k < c->tool[i].apart.n; k++) {
			size_t j = 0;
			while (j < c->n_tools && strcmp(c->tool[j].name, c->tool[i].apart.s[k]) != 0)
				j++;
			if (j == c->n_tools)
				return ndl_fail(err, NDL_EFORMAT, "%s: \"apart\" names '%s', for which there is no card",
					c->tool[i].name, c->tool[i].apart.s[k]);
		}
	return NDL_OK;
}

/* Files ------------------------------------------------------------------------------- */

static ndl_status load_line(void *user, const syn_line *line, ndl_error *err)
{
	return syn_card_parse(user, line->file, line->text, line->len, err);
}

ndl_status syn_corpus_load(syn_corpus *c, const char *dir, ndl_error *err)
{
	memset(c, 0, sizeof *c);
	ndl_status st = syn_each_line(dir, load_line, c, err);
	if (st == NDL_OK && c->n_tools == 0)
		st = ndl_fail(err, NDL_EFORMAT, "no tool cards in %s", dir);
	if (st == NDL_OK)
		st = resolve_all(c, err);
	if (st == NDL_OK)
		st = check_apart(c, err);
	if (st == NDL_OK)
		st = finish_domains(c, err);
	char path[4096];
	snprintf(path, sizeof path, "%s/twins.txt", dir);
	return st ? st : load_twins(c, path, err);
}
