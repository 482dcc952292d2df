/* decode.c - answers under the grammar (SPEC 7): greedy, or the best of several kept side by side.
 *
 * A round takes every path that is not at its end to its next choice, and of all their ways on
 * keeps the best `beam`; one path is greedy decoding. What the grammar leaves no choice about is
 * read by the network together with the next choice, in one step. */
#include "session/session_internal.h"

#include <math.h>
#include <string.h>

enum { FEW_CHOICES = 256 }; /* so many logits one by one, more in one product with the whole embedding */

/* A way on: a token after path `parent`, or the path as it is, at its end (id -1). */
typedef struct candidate {
	size_t parent, choices;
	int32_t id;
	double p, score;
	bool departs; /* from the query */
} candidate;

/* The answer `[]`, passed by: the path up to its last token. */
typedef struct empty_answer {
	bool known;
	double p;
	int32_t id;
	size_t choices, n, text_len;
	ndl_odds odds;
} empty_answer;

typedef struct search {
	ndl_decoding *d;
	ndl_session *s;
	ndl_path **path;  /* [beam]; the first n are in use */
	size_t n, beam, vocab, words;
	candidate found[NDL_BEAM_MAX * (NDL_BEAM_MAX + 1)];
	size_t n_found;
	empty_answer empty;
	ndl_gstate empty_from; /* its state */
} search;

/* Ids in the mask, in order, at most cap of them. */
static size_t list_mask(const uint64_t *mask, size_t words, int32_t *ids, size_t cap)
{
	size_t n = 0;
	for (size_t w = 0; w < words; w++)
		for (size_t i = 0; i < 64 && mask[w] >> i && n < cap; i++)
			if (mask[w] >> i & 1)
				ids[n++] = (int32_t)(w * 64 + i);
	return n;
}

static size_t count_mask(const uint64_t *mask, size_t words)
{
	size_t n = 0;
	for (size_t w = 0; w < words; w++)
		for (uint64_t bits = mask[w]; bits; bits &= bits - 1)
			n++;
	return n;
}

static bool has(const uint64_t *mask, size_t id)
{
	return mask[id / 64] >> (id % 64) & 1;
}

/* Reads what is new in the path and computes the logits after it, at least those in mask. */
static ndl_status compute_logits(search *x, ndl_path *p, size_t choices)
{
	const float *hidden;
	int32_t ids[FEW_CHOICES];
	float logits[FEW_CHOICES];
	ndl_status rc = ndl_path_feed(p, (size_t)ndl_model_config(x->s->engine->model)->d_model, &hidden, x->d->err);
	if (rc != NDL_OK)
		return rc;
	if (choices > FEW_CHOICES) {
		ndl_decoder_logits(p->dec, hidden, 1, x->s->logits);
		return NDL_OK;
	}
	size_t n = list_mask(x->s->mask, x->words, ids, FEW_CHOICES);
	ndl_decoder_logits_of(p->dec, hidden, ids, n, logits);
	for (size_t i = 0; i < n; i++)
		x->s->logits[ids[i]] = logits[i];
	return NDL_OK;
}

/* What a score is divided by: the length to a power. Over one for all lengths alike `[]` would win too
 * often, over the mean too seldom. */
static double length_of(size_t choices)
{
	return pow((5 + (double)choices) / 6, NDL_LENGTH_POWER);
}

/* log-probability, less what departures from the query cost. */
static double score_of(const ndl_decoding *d, const ndl_path *p)
{
	return (p->odds.sum - d->departure_cost * p->departures) / length_of(p->odds.choices);
}

/* Better first; among equals the earlier path, then the smaller id. */
static bool is_better(const candidate *a, const candidate *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	return a->parent != b->parent ? a->parent < b->parent : a->id < b->id;
}

/* Insertion among found[from..], which are kept in order and at most beam. */
static void add_candidate(search *x, size_t from, candidate c)
{
	size_t at = x->n_found;
	while (at > from && is_better(&c, &x->found[at - 1]))
		at--;
	if (at - from == x->beam)
		return;
	if (x->n_found - from < x->beam)
		x->n_found++;
	memmove(x->found + at + 1, x->found + at, (x->n_found - at - 1) * sizeof c);
	x->found[at] = c;
}

/* log of the sum of exp(logit) over the mask; not finite where the logits are not. */
static double log_sum(const float *logits, const uint64_t *mask, size_t n)
{
	double top = -INFINITY, sum = 0;
	for (size_t id = 0; id < n; id++)
		if (has(mask, id) && (double)logits[id] > top)
			top = (double)logits[id];
	for (size_t id = 0; id < n; id++)
		if (has(mask, id))
			sum += exp((double)logits[id] - top);
	return top + log(sum);
}

/* The best ways on from path i by s->logits over s->mask, whose log_sum is all; kept: tokens that keep to the query, or NULL. */
static void add_choices(search *x, size_t i, size_t choices, double all, const uint64_t *kept)
{
	const ndl_path *p = x->path[i];
	const float *logits = x->s->logits;
	double length = length_of(p->odds.choices + 1);
	double before = p->odds.sum - x->d->departure_cost * p->departures;
	size_t from = x->n_found;
	for (size_t id = 0; id < x->vocab; id++) {
		if (!has(x->s->mask, id))
			continue;
		bool departs = kept && !has(kept, id);
		if (departs && x->d->strict)
			continue;
		double log_p = (double)logits[id] - all;
		double score = (before + log_p - (departs ? x->d->departure_cost : 0)) / length;
		if (x->n_found - from < x->beam || score > x->found[x->n_found - 1].score)
			add_candidate(x, from, (candidate){i, choices, (int32_t)id, exp(fmin(log_p, 0)), score, departs});
	}
}

static ndl_status take(search *x, ndl_path *p, int32_t id, double prob, size_t choices)
{
	if (!ndl_gstate_token(&p->state, x->s->engine->trie, id))
		return ndl_fail(x->d->err, NDL_EINVAL, "the grammar refuses a token that it allowed");
	return ndl_path_add(p, x->s->engine->tok, id, prob, choices, x->d->err);
}

/* A token without alternative. Without jumping it costs what others cost, and changes nothing. */
static ndl_status take_forced(search *x, ndl_path *p, int32_t id)
{
	if (x->d->q->no_jump) {
		ndl_gstate_mask(&p->state, x->s->engine->trie, x->s->mask);
		ndl_status rc = compute_logits(x, p, count_mask(x->s->mask, x->words));
		if (rc != NDL_OK)
			return rc;
	}
	return take(x, p, id, 1, 1);
}

static bool at_end(const search *x, const ndl_path *p)
{
	return ndl_gstate_done(&p->state) || p->n > x->d->limit;
}

/* Goes on to the next choice, which is then in s->mask, or to the end: *choices 0. */
static ndl_status advance(search *x, ndl_path *p, size_t *choices)
{
	ndl_ids *run = &x->s->run;
	ndl_status rc = NDL_OK;
	*choices = 0;
	while (rc == NDL_OK && !at_end(x, p)) {
		rc = ndl_jump(x->s->engine, &p->state, run, x->d->err);
		for (size_t i = 0; i < run->len && rc == NDL_OK && !at_end(x, p); i++)
			rc = take_forced(x, p, run->id[i]);
		if (rc != NDL_OK || at_end(x, p))
			break;
		ndl_gstate_mask(&p->state, x->s->engine->trie, x->s->mask);
		*choices = count_mask(x->s->mask, x->words);
		if (*choices == 0)
			return ndl_fail(x->d->err, NDL_EUNSUPPORTED, "the vocabulary cannot spell what the tools demand");
		if (*choices > 1)
			break;
		int32_t id = 0;
		list_mask(x->s->mask, x->words, &id, 1);
		*choices = 0;
		rc = take_forced(x, p, id);
	}
	return rc;
}

/* The tokens after p that keep to the query; NULL where that is no question, or asked too much. */
static const uint64_t *kept_of(search *x, const ndl_path *p)
{
	ndl_session *s = x->s;
	if (!x->d->ground ||
	    !ndl_ground_keep(x->d->ground, s->engine, x->d->answer.t->tools, &p->text, s->mask, s->kept, &s->scratch))
		return NULL;
	for (size_t w = 0; w < x->words; w++)
		if (s->mask[w] & s->kept[w])
			return s->kept;
	return NULL;
}

/* Answering nothing ------------------------------------------------------------------- */

/* At the beginning a call of some kind may be likelier than `[]`, and the call that comes of it less likely by
 * far. A beam keeps both; here `[]`, which is a token away, is remembered, and weighed against the first call
 * when that is complete and before anybody hears of it. */
static void remember_empty(search *x, const ndl_path *p, size_t choices, double all)
{
	const char *text = ndl_buf_cstr(&p->text);
	if (memchr(text, '{', p->text.len))
		return;
	for (size_t id = NDL_TOOLS + 1; id < x->vocab; id++) {
		size_t len;
		const char *bytes = has(x->s->mask, id) ? ndl_tok_bytes(x->s->engine->tok, (int32_t)id, &len) : NULL;
		ndl_gstate next;
		if (!bytes || len == 0 || bytes[len - 1] != ']')
			continue;
		ndl_gstate_copy(&next, &p->state);
		double prob = exp(fmin((double)x->s->logits[id] - all, 0));
		if (ndl_gstate_token(&next, x->s->engine->trie, (int32_t)id) && ndl_gstate_done(&next) &&
		    (!x->empty.known || log(prob) + p->odds.sum > log(x->empty.p) + x->empty.odds.sum)) {
			x->empty = (empty_answer){true, prob, (int32_t)id, choices, p->n, p->text.len, p->odds};
			ndl_gstate_copy(&x->empty_from, &p->state);
		}
	}
}

/* Mean log-probability, with five certain choices among them: [] consists of one or two choices, which would
 * count for little beside the many easy ones of a long call. */
static double mean_of(double sum, size_t choices)
{
	return sum / (5 + (double)choices);
}

/* Makes the path the answer `[]` if it has just completed its first call and that is the less likely. */
static ndl_status weigh_empty(search *x, ndl_path *p)
{
	ndl_answer *a = &x->d->answer;
	const empty_answer *e = &x->empty;
	if (!e->known || json_array_size(a->calls) > 0 ||
	    !ndl_answer_completes(a, ndl_buf_cstr(&p->text) + a->text.len, p->text.len - a->text.len))
		return NDL_OK;
	double call = mean_of(p->odds.sum - x->d->departure_cost * p->departures, p->odds.choices);
	if (mean_of(e->odds.sum + log(e->p), e->odds.choices + 1) + x->d->q->refuse_bias <= call)
		return NDL_OK;
	p->n = e->n;
	p->text.len = e->text_len;
	p->text.data[p->text.len] = '\0';
	p->odds = e->odds;
	p->departures = 0;
	ndl_gstate_copy(&p->state, &x->empty_from);
	ndl_buf_reset(&a->text);
	a->scanned = a->depth = 0;
	a->in_string = a->escaped = false;
	return take(x, p, e->id, e->p, e->choices);
}

static ndl_status expand(search *x, size_t i)
{
	ndl_path *p = x->path[i];
	size_t choices;
	ndl_status rc = advance(x, p, &choices);
	if (rc != NDL_OK)
		return rc;
	if (choices == 0) {
		x->found[x->n_found++] = (candidate){i, 0, -1, 1, score_of(x->d, p), false};
		return NDL_OK;
	}
	rc = compute_logits(x, p, choices);
	if (rc != NDL_OK)
		return rc;
	ndl_lexical_add(&x->s->lexical, &p->state, x->s->engine->tok, x->s->mask, x->words, x->s->logits);
	double all = log_sum(x->s->logits, x->s->mask, x->vocab);
	if (!isfinite(all))
		return ndl_fail(x->d->err, NDL_EFORMAT, "the model computes values that are not numbers");
	if (x->beam == 1 && x->d->q->refuse_bias > -INFINITY)
		remember_empty(x, p, choices, all);
	add_choices(x, i, choices, all, kept_of(x, p));
	return NDL_OK;
}

/* Makes the paths what the best candidates say. The last child of a path goes on in it, the others
 * in paths that nothing goes on in. */
static ndl_status select_best(search *x)
{
	ndl_path *next[NDL_BEAM_MAX], *spare[NDL_BEAM_MAX];
	size_t children[NDL_BEAM_MAX] = {0}, n = 0, n_spare = 0;
	candidate best[NDL_BEAM_MAX];
	for (; n < x->beam && n < x->n_found; n++) {
		size_t top = n;
		for (size_t k = n + 1; k < x->n_found; k++)
			if (is_better(&x->found[k], &x->found[top]))
				top = k;
		best[n] = x->found[top];
		x->found[top] = x->found[n];
		children[best[n].parent]++;
	}
	for (size_t i = 0; i < x->beam; i++)
		if (children[i] == 0)
			spare[n_spare++] = x->path[i];
	ndl_status rc = NDL_OK;
	for (size_t k = 0; k < n && rc == NDL_OK; k++) {
		ndl_path *parent = x->path[best[k].parent];
		next[k] = --children[best[k].parent] ? spare[--n_spare] : parent;
		if (next[k] != parent)
			rc = ndl_path_branch(next[k], parent, x->d->err);
	}
	for (size_t k = 0; k < n && rc == NDL_OK; k++) {
		next[k]->departures += best[k].departs;
		if (best[k].id >= 0)
			rc = take(x, next[k], best[k].id, best[k].p, best[k].choices);
	}
	if (rc != NDL_OK)
		return rc;
	for (size_t k = 0; k < n; k++) /* in use first; the rest are all others, in any order */
		for (size_t i = k; i < x->beam; i++)
			if (x->path[i] == next[k]) {
				x->path[i] = x->path[k];
				x->path[k] = next[k];
			}
	x->n = n;
	return NDL_OK;
}

/* Calls that are complete become known at once where there is one path only. */
static ndl_status publish(search *x, const ndl_path *p)
{
	ndl_answer *a = &x->d->answer;
	ndl_buf_add(&a->text, ndl_buf_cstr(&p->text) + a->text.len, p->text.len - a->text.len);
	ndl_status rc = ndl_buf_check(&a->text, x->d->err);
	return rc == NDL_OK ? ndl_answer_scan(a, x->d->q->on_call, x->d->q->user, x->d->err) : rc;
}

static bool all_at_end(const search *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!at_end(x, x->path[i]))
			return false;
	return true;
}

ndl_status ndl_decode(ndl_decoding *d, const ndl_grammar *g)
{
	ndl_session *s = d->s;
	search x = {.d = d, .s = s, .path = s->path, .n = 1, .beam = d->q->beam ? d->q->beam : 1,
	            .vocab = ndl_tok_size(s->engine->tok), .words = ndl_vocab_trie_words(s->engine->trie)};
	ndl_path_start(s->path[0], g);
	ndl_status rc = ndl_path_add(s->path[0], s->engine->tok, NDL_TOOL_CALL, 1, 1, d->err);
	while (rc == NDL_OK && !all_at_end(&x)) {
		x.n_found = 0;
		for (size_t i = 0; i < x.n && rc == NDL_OK; i++)
			rc = expand(&x, i);
		if (rc == NDL_OK)
			rc = select_best(&x);
		if (rc == NDL_OK && x.beam == 1)
			rc = weigh_empty(&x, s->path[0]);
		if (rc == NDL_OK && x.beam == 1)
			rc = publish(&x, s->path[0]);
	}
	size_t best = 0; /* the first that is finished: they are in order */
	while (best + 1 < x.n && !ndl_gstate_done(&s->path[best]->state))
		best++;
	if (!ndl_gstate_done(&s->path[best]->state))
		best = 0;
	d->best = s->path[best];
	d->r->unfinished = !ndl_gstate_done(&d->best->state);
	return rc == NDL_OK ? publish(&x, d->best) : rc;
}
