/* vocab.c - the pieces of a vocabulary as a trie in depth-first order, and the walk over it that
 * tells which of them a state admits.
 *
 * Most of an answer is text inside free strings, where nearly every piece fits. So it is known
 * beforehand which pieces are plain string text (`plain`); only the few that hold a quote that
 * ends the string (`ending`, a trie of its own) need the walk there. */
#include "grammar/grammar_internal.h"

#include "base/mem.h"
#include "base/sort.h"

#include <stdlib.h>
#include <string.h>

struct trie {
	struct trie_node {
		uint32_t end;   /* index after the last node below this one */
		int32_t id;     /* first id whose bytes end here, or -1; the others: vocab.next */
		uint16_t depth; /* bytes so far, >= 1 */
		uint8_t byte;
	} *node;
	size_t n, cap;
};

struct ndl_vocab_trie {
	size_t n;
	int32_t eos;
	char *bytes;
	size_t *at;      /* n + 1 offsets into bytes */
	int32_t *next;   /* another id with the same bytes, or -1 */
	struct trie all, ending;
	uint64_t *plain; /* [LEVELS][words]: masks of the pieces that stay inside a string. Level k: */
	uint32_t most;   /* those in which at most k characters begin; the last: all, at most `most` */
};

/* Pieces with more characters are left to the walk where a string is about to reach maxLength. */
enum { LEVELS = 33 };
/* Pieces longer than this never follow (no vocabulary has them). */
enum { PIECE_MAX = 1024 };

struct order {
	uint64_t first; /* ndl_sort_key */
	const char *bytes;
	uint32_t len;
	int32_t id;
};

static int compare(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	int order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);
	if (order)
		return order;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Adds the nodes of sorted pieces; those with equal bytes are chained through next. */
static int build_trie(struct trie *t, int32_t *next, const struct order *o, size_t n)
{
	uint32_t open[PIECE_MAX]; /* node at each depth of the last piece */
	size_t last = 0;          /* its length */
	size_t most = 0;          /* nodes: room for all at once, as what stays unused costs no memory */
	for (size_t i = 0; i < n; i++)
		most += o[i].len;
	if (most > UINT32_MAX || ndl_grow(&t->node, &t->cap, most, sizeof *t->node) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t same = 0;
		while (same < last && same < o[i].len && o[i - 1].bytes[same] == o[i].bytes[same])
			same++;
		if (same > 0 && same == o[i].len) { /* equal to the last one, as they are sorted */
			next[o[i].id] = t->node[open[same - 1]].id;
			t->node[open[same - 1]].id = o[i].id;
			continue;
		}
		for (size_t d = same; d < last; d++)
			t->node[open[d]].end = (uint32_t)t->n;
		for (size_t d = same; d < o[i].len; d++) {
			open[d] = (uint32_t)t->n;
			t->node[t->n++] = (struct trie_node){0, -1, (uint16_t)(d + 1), (uint8_t)o[i].bytes[d]};
		}
		last = o[i].len;
		t->node[open[last - 1]].id = o[i].id;
	}
	for (size_t d = 0; d < last; d++)
		t->node[open[d]].end = (uint32_t)t->n;
	return 0;
}

enum kind { PLAIN, ENDING, NEITHER };

/* What a piece is inside a string, and how many characters begin in it. */
static enum kind classify(const char *bytes, size_t len, uint32_t *characters)
{
	uint8_t sub = S_BODY;
	uint32_t unit = 0;
	*characters = 0;
	for (size_t i = 0; i < len; i++) {
		const unsigned char b = (unsigned char)bytes[i];
		if (sub == S_BODY && b >= 0x20 && b < 0x7F && b != '"' && b != '\\') { /* the usual case */
			++*characters;
			continue;
		}
		switch (ndl_gstring_step(&sub, &unit, b)) {
		case STR_BAD: return NEITHER;
		case STR_END: return ENDING;
		case STR_CHAR: (*characters)++; break;
		case STR_IN: break;
		}
	}
	return PLAIN;
}

static ndl_status build(ndl_vocab_trie *v)
{
	struct order *o = ndl_calloc(v->n, sizeof *o), *ending = ndl_calloc(v->n, sizeof *ending);
	int32_t *unused = ndl_calloc(v->n, sizeof *unused);
	size_t n = 0, n_ending = 0, words = ndl_vocab_trie_words(v);
	ndl_status status = NDL_ENOMEM;
	if (!o || !ending || !unused)
		goto out;
	for (size_t i = 0; i < v->n; i++) {
		size_t len = v->at[i + 1] - v->at[i];
		if (len > 0 && len <= PIECE_MAX && (int32_t)i != v->eos)
			o[n++] = (struct order){ndl_sort_key(v->bytes + v->at[i], len), v->bytes + v->at[i], (uint32_t)len, (int32_t)i};
	}
	if (ndl_sort_keyed(o, n, sizeof *o, compare) < 0)
		goto out;
	for (size_t i = 0; i < n; i++) {
		uint32_t characters;
		enum kind kind = classify(o[i].bytes, o[i].len, &characters);
		if (kind == PLAIN) {
			size_t k = characters < LEVELS ? characters : LEVELS - 1;
			v->plain[k * words + (size_t)o[i].id / 64] |= UINT64_C(1) << (o[i].id % 64);
			v->most = characters > v->most ? characters : v->most;
		} else if (kind == ENDING) {
			ending[n_ending++] = o[i];
		}
	}
	for (size_t i = words; i < LEVELS * words; i++) /* what has fewer characters, too */
		v->plain[i] |= v->plain[i - words];
	/* both tries meet equal pieces in the same order, so one chain serves both */
	if (build_trie(&v->all, v->next, o, n) == 0 && build_trie(&v->ending, unused, ending, n_ending) == 0)
		status = NDL_OK;
out:
	free(o);
	free(ending);
	free(unused);
	return status;
}

ndl_vocab_trie *ndl_vocab_trie_new(const char *const *bytes, const size_t *len, size_t n, int32_t eos, ndl_error *err)
{
	size_t total = 0;
	ndl_vocab_trie *v = ndl_calloc(1, sizeof *v);
	if (!v || n >= INT32_MAX)
		goto fail;
	for (size_t i = 0; i < n; i++)
		if (!ndl_add_ok(total, len[i], &total))
			goto fail;
	v->n = n;
	v->eos = eos >= 0 && (size_t)eos < n ? eos : -1;
	v->bytes = ndl_calloc(total, 1);
	v->at = ndl_calloc(n + 1, sizeof *v->at);
	v->next = ndl_calloc(n, sizeof *v->next);
	v->plain = ndl_calloc((n + 63) / 64 * LEVELS, sizeof *v->plain);
	if (!v->bytes || !v->at || !v->next || !v->plain)
		goto fail;
	for (size_t i = 0; i < n; i++) {
		if (len[i])
			memcpy(v->bytes + v->at[i], bytes[i], len[i]);
		v->at[i + 1] = v->at[i] + len[i];
		v->next[i] = -1;
	}
	if (build(v) < 0)
		goto fail;
	return v;
fail:
	ndl_fail_nomem(err, "vocabulary");
	ndl_vocab_trie_free(v);
	return NULL;
}

void ndl_vocab_trie_free(ndl_vocab_trie *v)
{
	if (!v)
		return;
	free(v->bytes);
	free(v->at);
	free(v->next);
	free(v->plain);
	free(v->all.node);
	free(v->ending.node);
	free(v);
}

size_t ndl_vocab_trie_size(const ndl_vocab_trie *v)
{
	return v->n;
}

size_t ndl_vocab_trie_words(const ndl_vocab_trie *v)
{
	return (v->n + 63) / 64;
}

/* ---- masks ---- */

/* States of this many prefixes are kept during the walk; deeper ones are made again. */
enum { KEPT = 12 };

/* *to := the state after the first node->depth - 1 bytes of the piece with this prefix. */
static void restore(ndl_gstate *to, const ndl_gstate *kept, const uint8_t *prefix, size_t depth)
{
	size_t from = depth < KEPT ? depth : KEPT - 1;
	ndl_gstate_copy(to, &kept[from]);
	for (size_t d = from; d < depth; d++)
		ndl_gstep(to, prefix[d]);
}

static void walk(const ndl_gstate *s, const ndl_vocab_trie *v, const struct trie *t, uint64_t *bits)
{
	ndl_gstate kept[KEPT], at; /* kept[d]: after d bytes */
	uint8_t prefix[PIECE_MAX];
	ndl_gstate_copy(&kept[0], s);
	for (size_t i = 0; i < t->n;) {
		const struct trie_node *node = &t->node[i];
		size_t before = node->depth - 1u;
		ndl_gstate *to = node->depth < KEPT ? &kept[node->depth] : &at;
		restore(to, kept, prefix, before);
		if (!ndl_gstep(to, node->byte)) {
			i = node->end;
			continue;
		}
		prefix[before] = node->byte;
		for (int32_t id = node->id; id >= 0; id = v->next[id])
			bits[id / 64] |= UINT64_C(1) << (id % 64);
		i++;
	}
}

/* Between the characters of a string where any may follow but for its length. */
static bool in_free_string(const ndl_gstate *s, const ndl_gframe *f)
{
	const struct node *n = &s->g->node[f->node];
	if (f->phase != P_STRING || f->sub != S_BODY)
		return false;
	return !n->text || (f->hi == s->g->text[n->text - 1].regex->all && !(f->flags & F_UNIQUE));
}

/* Adds what the only thread of s admits. */
static void mask_thread(const ndl_gstate *s, const ndl_vocab_trie *v, uint64_t *bits)
{
	size_t words = ndl_vocab_trie_words(v);
	const ndl_gframe *f = &s->frame[s->n_frames - 1];
	if (ndl_gstate_done(s)) {
		if (v->eos >= 0)
			bits[v->eos / 64] |= UINT64_C(1) << (v->eos % 64);
		return;
	}
	uint32_t left = s->g->node[f->node].max_len - f->count; /* characters, of a string */
	if (in_free_string(s, f) && (left >= v->most || left < LEVELS - 1)) {
		const uint64_t *plain = v->plain + (left < LEVELS ? left : LEVELS - 1) * words;
		for (size_t w = 0; w < words; w++)
			bits[w] |= plain[w];
		walk(s, v, &v->ending, bits);
	} else {
		walk(s, v, &v->all, bits);
	}
}

void ndl_gstate_mask(const ndl_gstate *s, const ndl_vocab_trie *v, uint64_t *bits)
{
	memset(bits, 0, ndl_vocab_trie_words(v) * sizeof *bits);
	if (s->n_threads == 1) {
		mask_thread(s, v, bits);
		return;
	}
	ndl_gstate one;
	for (uint32_t t = 0; t < s->n_threads; t++) {
		ndl_gstate_pick(&one, s, t);
		mask_thread(&one, v, bits);
	}
}

/* The text of an id, or NULL if it has none. */
static const char *text_of(const ndl_vocab_trie *v, int32_t id, size_t *len)
{
	if (id < 0 || (size_t)id >= v->n || id == v->eos || v->at[id] == v->at[id + 1])
		return NULL;
	*len = v->at[id + 1] - v->at[id];
	return v->bytes + v->at[id];
}

bool ndl_gstate_allows(const ndl_gstate *s, const ndl_vocab_trie *v, int32_t id)
{
	ndl_gstate next;
	ndl_gstate_copy(&next, s);
	return ndl_gstate_token(&next, v, id);
}

bool ndl_gstate_token(ndl_gstate *s, const ndl_vocab_trie *v, int32_t id)
{
	size_t len;
	const char *text = text_of(v, id, &len);
	if (!text)
		return id >= 0 && id == v->eos && ndl_gstate_done(s);
	return len <= PIECE_MAX && ndl_gstate_bytes(s, text, len);
}
