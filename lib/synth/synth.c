#include "synth/synth.h"
#include "synth/draw.h"

#include "base/mem.h"
#include "base/reader.h"
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

/* What may be the right tool ---------------------------------------------------------- */

static bool wanted_domain(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; p && *p;) {
		size_t k = strcspn(p, ",");
		if (k == n && memcmp(p, name, n) == 0)
			return true;
		p += k + (p[k] == ',');
	}
	return list == NULL;
}

static ndl_status check_domains(const ndl_synth *s, const char *list, ndl_error *err)
{
	for (const char *p = list; p && *p;) {
		size_t k = strcspn(p, ","), i = 0;
		while (i < s->corpus.n_domains && !(strlen(s->corpus.domain[i].name) == k
			&& memcmp(s->corpus.domain[i].name, p, k) == 0))
			i++;
		if (i == s->corpus.n_domains)
			return ndl_fail(err, NDL_EINVAL, "there is no domain '%.*s' in the corpus", (int)k, p);
		p += k + (p[k] == ',');
	}
	return NDL_OK;
}

static ndl_status choose_targets(ndl_synth *s, const char *domains, ndl_error *err)
{
	s->target = ndl_calloc(s->corpus.n_tools, sizeof *s->target);
	s->dated = ndl_calloc(s->corpus.n_tools, sizeof *s->dated);
	s->about = ndl_calloc(s->corpus.n_domains, sizeof *s->about);
	if (!s->target || !s->dated || !s->about)
		return ndl_fail_nomem(err, "the targets");
	for (size_t i = 0; i < s->corpus.n_tools; i++) {
		const syn_tool *t = &s->corpus.tool[i];
		if (wanted_domain(domains, s->corpus.domain[t->domain].name) && syn_is_target(s, t))
			s->target[s->n_targets++] = t;
	}
	for (size_t i = 0; i < s->n_targets; i++) {
		if (syn_may_be_dated(s->target[i]))
			s->dated[s->n_dated++] = s->target[i];
	}
	for (size_t i = 0; i < s->corpus.n_domains; i++) {
		const syn_domain *d = &s->corpus.domain[i];
		if (d->n_refusals && d->n_tools && wanted_domain(domains, d->name)
		    && (s->split == NDL_SYNTH_ALL || d->held == (s->split == NDL_SYNTH_DOMAIN)))
			s->about[s->n_about++] = d;
	}
	return s->n_targets ? NDL_OK : ndl_fail(err, NDL_EINVAL, "no tool of these domains is in this split");
}

/* Public ------------------------------------------------------------------------------ */

static void find_style(ndl_synth *s)
{
	const syn_corpus *c = &s->corpus;
	s->gen = (syn_gen){.corpus = c, .rng = &s->rng, .made_up = syn_corpus_list(c, "@made_up")};
	s->gen.style = (syn_style){
		.opening = syn_corpus_list(c, "style_opening"),
		.verb_opening = syn_corpus_list(c, "style_verb_opening"),
		.ending = syn_corpus_list(c, "style_ending"),
		.verb_ending = syn_corpus_list(c, "style_verb_ending"),
		.verbs = syn_corpus_list(c, "style_verbs"),
		.join = syn_corpus_list(c, "style_join"),
		.join_sentence = syn_corpus_list(c, "style_join_sentence"),
		.context = syn_corpus_list(c, "style_context"),
		.context_after = syn_corpus_list(c, "style_context_after"),
	};
	s->gen.cls = s->split == NDL_SYNTH_TRAIN ? SYN_TRAIN
	           : s->split == NDL_SYNTH_PHRASING || s->split == NDL_SYNTH_VALUE ? SYN_HELD : SYN_ANY;
}

/* The user's tools as objects; those that no valid request comes out for are only offered. */
static ndl_status load_own(ndl_synth *s, const char *path, ndl_error *err)
{
	size_t len, asked = 0;
	s->first_object = s->corpus.n_objects;
	char *text = ndl_read_all(path, &len, 16 << 20, err);
	if (!text)
		return err ? err->code : NDL_EIO;
	json_t *j = ndl_json_parse(text, len, err);
	free(text);
	s->own = j ? ndl_tools_new(j, 0, err) : NULL;
	json_decref(j);
	ndl_status st = s->own ? syn_own_add(&s->corpus, s->own, err) : NDL_EFORMAT;
	ndl_error_at(err, st ? path : NULL, 0);
	if (err && st && err->code == NDL_EINVAL) /* the file's fault, not that of the options */
		err->code = NDL_EFORMAT;
	for (size_t i = s->first_object; i < s->corpus.n_objects && st == NDL_OK; i++) {
		s->corpus.object[i].mute = s->corpus.object[i].mute || !syn_can_ask(s, &s->corpus.object[i]);
		asked += !s->corpus.object[i].mute;
	}
	if (st == NDL_OK && asked == 0)
		st = ndl_fail(err, NDL_EUNSUPPORTED, "%s: no request can be made for any of these tools", path);
	return st;
}

ndl_synth *ndl_synth_open(const ndl_synth_options *o, ndl_error *err)
{
	ndl_synth *s = ndl_calloc(1, sizeof *s);
	if (!s) {
		ndl_fail_nomem(err, "the corpus");
		return NULL;
	}
	s->seed = o->seed;
	s->split = o->split;
	s->max_tools = o->max_tools ? (size_t)o->max_tools : o->tools ? SYN_MAX_OFFERS : NDL_SYNTH_TOOLS;
	if (s->max_tools > SYN_MAX_OFFERS)
		s->max_tools = SYN_MAX_OFFERS;
	ndl_status st = syn_corpus_load(&s->corpus, o->corpus, err);
	if (st == NDL_OK)
		st = check_domains(s, o->domains, err);
	if (st == NDL_OK)
		st = choose_targets(s, o->domains, err);
	if (st == NDL_OK && o->heldout && !(s->heldout = ndl_heldout_load(o->heldout, err)))
		st = NDL_EFORMAT;
	if (st) {
		ndl_synth_close(s);
		return NULL;
	}
	s->invented.name = o->tools ? "own" : "invented";
	s->invents = s->corpus.n_objects > 4 && !o->domains
		&& (o->split == NDL_SYNTH_ALL || o->split == NDL_SYNTH_TRAIN);
	find_style(s);
	if (o->tools && load_own(s, o->tools, err) != NDL_OK) {
		ndl_synth_close(s);
		return NULL;
	}
	return s;
}

void ndl_synth_close(ndl_synth *s)
{
	if (!s)
		return;
	syn_corpus_clear(&s->corpus);
	syn_example_clear(&s->e);
	free(s->target);
	free(s->dated);
	free(s->about);
	ndl_heldout_free(s->heldout);
	ndl_tools_free(s->own);
	syn_set_clear(&s->said);
	free(s);
}

const char *ndl_synth_mute(const ndl_synth *s, size_t i)
{
	for (size_t k = s->first_object; s->own && k < s->corpus.n_objects; k++)
		if (s->corpus.object[k].mute && i-- == 0)
			return s->corpus.object[k].name;
	return NULL;
}

const char *ndl_synth_domain(const ndl_synth *s, size_t i, size_t *tools, int *held)
{
	if (i >= s->corpus.n_domains)
		return NULL;
	*tools = s->corpus.domain[i].n_tools;
	*held = s->corpus.domain[i].held;
	return s->corpus.domain[i].name;
}

static void write_meta(const ndl_synth *s, const syn_example *e, ndl_buf *out)
{
	static const char *const kinds[] = {"none", "one", "two", "three"};
	ndl_buf_str(out, ",\"meta\":{\"domains\":[");
	for (size_t i = 0; i < e->n_calls || (i == 0 && e->about); i++) {
		const syn_domain *d = e->n_calls ? syn_domain_of(s, e->call[i].tool) : e->about;
		bool seen = false;
		for (size_t k = 0; k < i; k++)
			seen = seen || syn_domain_of(s, e->call[k].tool) == d;
		if (!seen) {
			ndl_buf_str(out, i ? "," : "");
			ndl_json_write_string(out, d->name, strlen(d->name), 0);
		}
	}
	ndl_buf_printf(out, "],\"kind\":\"%s\",\"traits\":[", kinds[e->n_calls]);
	const struct { bool is; const char *name; } trait[] = {
		{e->opaque != 0, "opaque"}, {e->context, "context"}, {e->dated, "dated"}};
	bool first = true;
	for (size_t i = 0; i < sizeof trait / sizeof *trait; i++)
		if (trait[i].is) {
			ndl_buf_printf(out, first ? "\"%s\"" : ",\"%s\"", trait[i].name);
			first = false;
		}
	ndl_buf_str(out, "]}");
}

ndl_status ndl_synth_next(ndl_synth *s, ndl_buf *out, enum ndl_synth_form form, ndl_error *err)
{
	syn_example *e = &s->e;
	ndl_status st = syn_make(s, err);
	if (st)
		return st;
	if (form == NDL_SYNTH_TEXT) {
		for (size_t i = 0; i < e->query.len; i++) /* a line is a line */
			ndl_buf_byte(out, strchr("\n\r", e->query.data[i]) ? ' ' : e->query.data[i]);
		ndl_buf_byte(out, '\n');
		ndl_buf_add(out, e->tools.data, e->tools.len);
		ndl_buf_byte(out, '\n');
		ndl_buf_add(out, e->answers.data, e->answers.len);
		ndl_buf_byte(out, '\n');
	} else {
		ndl_buf_str(out, "{\"query\":");
		ndl_json_write_string(out, e->query.data, e->query.len, 0);
		ndl_buf_str(out, ",\"tools\":");
		ndl_buf_add(out, e->tools.data, e->tools.len);
		ndl_buf_str(out, ",\"answers\":");
		ndl_buf_add(out, e->answers.data, e->answers.len);
		write_meta(s, e, out);
		ndl_buf_str(out, "}\n");
	}
	return ndl_buf_check(out, err);
}
