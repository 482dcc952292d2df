/* bm25.c - scores of a catalogue's tools for a query, by words and by vectors. */
#include "retrieve/retrieve_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double K = 1.2, B = 0.75, KIN_SHARE = 0.5;
enum { KIN_MIN = 4 }; /* bytes */
static const float TEMPERATURE = 0.07f;

void ndl_index_measure(ndl_index *x)
{
	double sum = 0;
	for (size_t i = 0; i < x->n; i++)
		sum += x->length[i];
	x->mean_length = sum > 0 ? sum / (double)x->n : 1;
}

/* A query under way. */
struct search {
	const ndl_index *x;
	bool kin;
	double *sum; /* [n] */
};

/* The first of the index's words that is not before this one. */
static size_t find(const ndl_index *x, const char *word, size_t len)
{
	size_t lo = 0, hi = x->n_words;
	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;
		const uint32_t *at = x->word.at + mid;
		if (ndl_word_compare(x->word.bytes + at[0], at[1] - at[0], word, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* What a word weighs that df tools have. */
static double idf_of(const ndl_index *x, double df)
{
	return log(1 + ((double)x->n - df + 0.5) / (df + 0.5));
}

double ndl_index_rare_word(const ndl_index *x)
{
	return x->n ? idf_of(x, 1) : 0;
}

static size_t common_prefix(const ndl_index *x, size_t w, const char *word, size_t len)
{
	const char *other = x->word.bytes + x->word.at[w];
	size_t n = x->word.at[w + 1] - x->word.at[w], same = 0;
	while (same < len && same < n && word[same] == other[same])
		same++;
	return same;
}

/* Word w of the index, at this share of what it counts where the query says it. */
static void add_postings(struct search *s, size_t w, double share)
{
	const ndl_index *x = s->x;
	double idf = share * idf_of(x, x->from[w + 1] - x->from[w]);
	for (size_t p = x->from[w]; p < x->from[w + 1]; p++) {
		double f = x->count[p], l = x->length[x->in[p]];
		s->sum[x->in[p]] += idf * f * (K + 1) / (f + K * (1 - B + B * l / x->mean_length));
	}
}

static void add_kin(struct search *s, const char *word, size_t len)
{
	const ndl_index *x = s->x;
	size_t same;
	for (size_t w = find(x, word, KIN_MIN); w < x->n_words && (same = common_prefix(x, w, word, len)) >= KIN_MIN; w++) {
		const size_t other = x->word.at[w + 1] - x->word.at[w], most = len > other ? len : other;
		if (same < most && 5 * same >= 3 * most)
			add_postings(s, w, KIN_SHARE);
	}
}

static void add_word(void *user, const char *word, size_t len, bool common)
{
	struct search *s = user;
	const ndl_index *x = s->x;
	if (common)
		return;
	size_t w = find(x, word, len);
	if (w < x->n_words && x->word.at[w + 1] - x->word.at[w] == len && common_prefix(x, w, word, len) == len)
		add_postings(s, w, 1);
	if (s->kin && len >= KIN_MIN)
		add_kin(s, word, len);
}

ndl_status ndl_index_bm25(const ndl_index *x, const char *query, size_t len, bool kin, float *scores, ndl_error *err)
{
	struct search s = {x, kin, ndl_calloc(x->n + 1, sizeof *s.sum)};
	if (!s.sum)
		return ndl_fail_nomem(err, "a ranking");
	ndl_words(query, len, add_word, &s);
	for (size_t i = 0; i < x->n; i++)
		scores[i] = (float)s.sum[i];
	free(s.sum);
	return NDL_OK;
}

void ndl_index_dot(const ndl_index *x, const float *vector, float *scores)
{
	for (size_t i = 0; i < x->n; i++) {
		const float *v = x->vectors + i * x->dim;
		float dot = 0;
		for (size_t j = 0; j < x->dim; j++)
			dot += vector[j] * v[j];
		scores[i] = dot;
	}
}

/* Rankings ------------------------------------------------------------------------------ */

struct scored {
	float score;
	uint32_t i;
};

static int best_first(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->i < y->i ? -1 : 1;
}

ndl_status ndl_rank_best(const float *scores, size_t n, size_t *order, size_t k, ndl_error *err)
{
	struct scored *s = ndl_calloc(n + 1, sizeof *s);
	if (!s)
		return ndl_fail_nomem(err, "a ranking");
	for (size_t i = 0; i < n; i++)
		s[i] = (struct scored){scores[i], (uint32_t)i};
	qsort(s, n, sizeof *s, best_first);
	for (size_t i = 0; i < k && i < n; i++)
		order[i] = s[i].i;
	free(s);
	return NDL_OK;
}

void ndl_rank_fuse(const float *vectors, const float *words, size_t n, float *fused)
{
	for (size_t i = 0; i < n; i++)
		fused[i] = vectors[i] + TEMPERATURE * words[i];
}
