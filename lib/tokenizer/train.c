/* train.c - counts the words of a text, chooses the alphabet, has bpe.c merge, writes the model.
 *
 * A word here is a stretch that no piece may leave: it begins at a space and ends at the next,
 * at a change of script, at a tab or at a user-defined symbol. Cutting there before counting keeps
 * the number of different words small even for JSON without spaces, and such pieces would be refused
 * anyway (but for one that begins with a combining mark whose letter is of another script). */
#include "tokenizer/train.h"

#include "tokenizer/bpe.h"
#include "tokenizer/proto.h"
#include "tokenizer/script.h"
#include "tokenizer/tok_internal.h"
#include "tokenizer/write.h"

#include "base/mem.h"
#include "base/reader.h"
#include "base/rng.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_CODES = 0x110000, UNK_CHAR = 0x2585, ANY_SCRIPT = -1 };

typedef struct word {
	uint64_t hash, count;
	size_t text; /* offset in trainer.text */
	size_t len;  /* 0: empty slot */
} word;

struct ndl_tok_trainer {
	ndl_tok_train_options o;
	ndl_tok *base;       /* the fixed pieces alone: normalises and finds user-defined symbols */
	ndl_buf normal;      /* the line at hand */
	ndl_buf text;        /* all words */
	word *word;          /* open addressing */
	size_t word_mask, n_words;
	uint64_t n_cuts;     /* tabs and user-defined symbols met */
	uint32_t *symbol;    /* [N_CODES] number of each alphabet character, SYM_NONE: not in it */
	uint32_t *alphabet;  /* code points by falling frequency */
	size_t n_alphabet;
};

/* The fixed pieces ---------------------------------------------------------------------- */

static ndl_tok *make_base(const ndl_tok_train_options *o, ndl_error *err)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_tok *t = NULL;
	tok_put_fixed_pieces(&b);
	tok_put_settings(&b, o);
	if (ndl_buf_check(&b, err) == NDL_OK)
		t = ndl_tok_new(b.data, b.len, err);
	ndl_buf_clear(&b);
	return t;
}

/* The trainer ------------------------------------------------------------------------- */

static ndl_status set_options(ndl_tok_trainer *tr, const ndl_tok_train_options *o, ndl_error *err)
{
	if (o)
		tr->o = *o;
	if (!tr->o.vocab_size)
		tr->o.vocab_size = 8192;
	if (tr->o.coverage == 0)
		tr->o.coverage = 0.9995;
	if (!tr->o.max_piece_chars)
		tr->o.max_piece_chars = 16;
	if (tr->o.vocab_size <= TOK_FIXED || tr->o.vocab_size > TOK_PIECES_MAX)
		return ndl_fail(err, NDL_EINVAL, "a vocabulary has %d to %d pieces, not %zu", TOK_FIXED + 1,
		                TOK_PIECES_MAX, tr->o.vocab_size);
	if (!(tr->o.coverage > 0 && tr->o.coverage <= 1))
		return ndl_fail(err, NDL_EINVAL, "character coverage is above 0 and at most 1, not %g", tr->o.coverage);
	if (tr->o.max_piece_chars < 1 || tr->o.max_piece_chars > 64)
		return ndl_fail(err, NDL_EINVAL, "pieces have 1 to 64 characters, not %d", tr->o.max_piece_chars);
	return NDL_OK;
}

ndl_tok_trainer *ndl_tok_trainer_new(const ndl_tok_train_options *options, ndl_error *err)
{
	ndl_tok_trainer *tr = ndl_calloc(1, sizeof *tr);
	if (!tr) {
		ndl_fail_nomem(err, "vocabulary trainer");
		return NULL;
	}
	if (set_options(tr, options, err) != NDL_OK || !(tr->base = make_base(&tr->o, err))) {
		ndl_tok_trainer_free(tr);
		return NULL;
	}
	return tr;
}

void ndl_tok_trainer_free(ndl_tok_trainer *tr)
{
	if (!tr)
		return;
	ndl_tok_free(tr->base);
	ndl_buf_clear(&tr->normal);
	ndl_buf_clear(&tr->text);
	free(tr->word);
	free(tr->symbol);
	free(tr->alphabet);
	free(tr);
}

/* Counting words ---------------------------------------------------------------------- */

static ndl_status grow_words(ndl_tok_trainer *tr, ndl_error *err)
{
	size_t n = tr->word ? 2 * (tr->word_mask + 1) : (size_t)1 << 14;
	word *grown = ndl_calloc(n, sizeof *grown);
	if (!grown)
		return ndl_fail_nomem(err, "vocabulary trainer");
	for (size_t i = 0; tr->word && i <= tr->word_mask; i++) {
		size_t k = tr->word[i].hash & (n - 1);
		if (!tr->word[i].len)
			continue;
		while (grown[k].len)
			k = (k + 1) & (n - 1);
		grown[k] = tr->word[i];
	}
	free(tr->word);
	tr->word = grown;
	tr->word_mask = n - 1;
	return NDL_OK;
}

static ndl_status count_word(ndl_tok_trainer *tr, const char *text, size_t len, ndl_error *err)
{
	if (len == 0)
		return NDL_OK;
	if ((!tr->word || 2 * tr->n_words > tr->word_mask) && grow_words(tr, err) != NDL_OK)
		return NDL_ENOMEM;
	uint64_t hash = ndl_hash64(text, len, 0);
	size_t k = hash & tr->word_mask;
	for (; tr->word[k].len; k = (k + 1) & tr->word_mask) {
		word *w = &tr->word[k];
		if (w->hash == hash && w->len == len && memcmp(tr->text.data + w->text, text, len) == 0) {
			w->count++;
			return NDL_OK;
		}
	}
	tr->word[k] = (word){hash, 1, tr->text.len, len};
	tr->n_words++;
	ndl_buf_add(&tr->text, text, len);
	return ndl_buf_check(&tr->text, err);
}

/* Characters that are in no piece and end a word. */
static bool is_boundary(uint32_t cp)
{
	return cp == 0 || cp == '\t' || cp == ' ' || cp == UNK_CHAR;
}

/* Whether cp may follow in a word whose script so far is *script; updates it. */
static bool continues(const ndl_tok_trainer *tr, uint32_t cp, int *script, bool *lone)
{
	bool digit = (cp >= '0' && cp <= '9') || (cp >= 0xFF10 && cp <= 0xFF19); /* the wide ones too */
	bool alone = (tr->o.split_digits && digit) || (tr->o.split_spaces && cp == SPACE_CP);
	int own = cp == SPACE_CP ? ANY_SCRIPT : script_of(cp), was = *script;
	bool was_lone = *lone;
	if (own == SCRIPT_INHERITED)
		own = was; /* a combining mark is of its letter's script */
	*lone = alone;
	*script = own;
	return cp != SPACE_CP && !alone && !was_lone && (was == own || was == ANY_SCRIPT || own == ANY_SCRIPT);
}

static ndl_status count_line(ndl_tok_trainer *tr, const char *s, size_t len, ndl_error *err)
{
	size_t begin = 0, n;
	int script = ANY_SCRIPT;
	bool lone = false;
	ndl_status status = NDL_OK;
	for (size_t i = 0; i < len && status == NDL_OK; i += n) {
		uint32_t cp = 0;
		bool user = tr->base->user_starts[(unsigned char)s[i]] && tok_match_user(tr->base, s + i, len - i, &n) >= 0;
		if (!user)
			n = ndl_utf8_decode(s + i, len - i, &cp);
		if (user || is_boundary(cp)) {
			tr->n_cuts += user || cp == '\t';
			status = count_word(tr, s + begin, i - begin, err);
			begin = i + n;
			script = ANY_SCRIPT;
			lone = false;
		} else if (!continues(tr, cp, &script, &lone)) {
			status = count_word(tr, s + begin, i - begin, err);
			begin = i;
		}
	}
	return status == NDL_OK ? count_word(tr, s + begin, len - begin, err) : status;
}

ndl_status ndl_tok_trainer_add(ndl_tok_trainer *tr, const char *line, size_t len, ndl_error *err)
{
	size_t bound;
	ndl_buf_reset(&tr->normal);
	if (!tok_normal_bound(line, len, &bound))
		return ndl_fail(err, NDL_ELIMIT, "text too long");
	char *to = ndl_buf_reserve(&tr->normal, bound);
	if (!to)
		return ndl_fail_nomem(err, "vocabulary trainer");
	size_t n = tok_normalize(tr->base, to, line, len, 0);
	return count_line(tr, to, n, err);
}

ndl_status ndl_tok_trainer_add_file(ndl_tok_trainer *tr, const char *path, ndl_error *err)
{
	const char *line;
	size_t len;
	int got;
	ndl_reader *in = ndl_reader_open(path, err);
	if (!in)
		return NDL_EIO;
	ndl_reader_keep_cr(in); /* as encoding sees the text */
	while ((got = ndl_reader_line(in, &line, &len, err)) > 0) {
		got = ndl_tok_trainer_add(tr, line, len, err);
		if (got < 0)
			break;
	}
	ndl_reader_close(in);
	return got < 0 ? (ndl_status)got : NDL_OK;
}

/* The alphabet ------------------------------------------------------------------------ */

typedef struct letter {
	uint64_t count;
	uint32_t cp;
} letter;

static int by_count(const void *a, const void *b)
{
	const letter *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->cp > y->cp) - (x->cp < y->cp);
}

static letter *count_letters(const ndl_tok_trainer *tr, size_t *n, uint64_t *total)
{
	letter *all = ndl_calloc(N_CODES, sizeof *all);
	*n = 0;
	*total = tr->n_cuts;
	if (!all)
		return NULL;
	all['\t'].count = tr->n_cuts; /* as spm_train has it: a tab each, covered though no piece */
	for (size_t i = 0; tr->word && i <= tr->word_mask; i++) {
		const word *w = &tr->word[i];
		uint32_t cp;
		for (size_t k = 0; k < w->len; k += ndl_utf8_decode(tr->text.data + w->text + k, w->len - k, NULL)) {
			ndl_utf8_decode(tr->text.data + w->text + k, w->len - k, &cp);
			all[cp].count += w->count;
			*total += w->count;
		}
	}
	for (uint32_t cp = 0; cp < N_CODES; cp++)
		if (all[cp].count)
			all[(*n)++] = (letter){all[cp].count, cp};
	return all;
}

/* The most frequent characters, as many as make up `coverage` of the text. */
static ndl_status choose_alphabet(ndl_tok_trainer *tr, ndl_error *err)
{
	size_t n;
	uint64_t total, covered = 0;
	letter *all = count_letters(tr, &n, &total);
	tr->symbol = ndl_calloc(N_CODES, sizeof *tr->symbol);
	tr->alphabet = ndl_calloc(n ? n : 1, sizeof *tr->alphabet);
	if (!all || !tr->symbol || !tr->alphabet) {
		free(all);
		return ndl_fail_nomem(err, "vocabulary trainer");
	}
	memset(tr->symbol, 0xFF, N_CODES * sizeof *tr->symbol);
	qsort(all, n, sizeof *all, by_count);
	for (size_t i = 0; i < n && (float)((double)covered / (double)total) < (float)tr->o.coverage; i++) {
		covered += all[i].count;
		if (all[i].cp == '\t')
			continue;
		tr->symbol[all[i].cp] = (uint32_t)tr->n_alphabet;
		tr->alphabet[tr->n_alphabet++] = all[i].cp;
	}
	free(all);
	return NDL_OK;
}

/* Learning ---------------------------------------------------------------------------- */

/* A word as symbols, cut at characters outside the alphabet. */
static ndl_status hand_over(const ndl_tok_trainer *tr, bpe *b, const word *w, uint32_t *sym, ndl_error *err)
{
	const char *s = tr->text.data + w->text;
	size_t n = 0, len;
	for (size_t k = 0; k < w->len; k += len) {
		uint32_t cp;
		len = ndl_utf8_decode(s + k, w->len - k, &cp);
		if (tr->symbol[cp] != SYM_NONE)
			sym[n++] = tr->symbol[cp];
		if (n > 1 && (tr->symbol[cp] == SYM_NONE || k + len == w->len) &&
		    bpe_add_word(b, sym, n, w->count, err) != NDL_OK)
			return NDL_ENOMEM;
		if (tr->symbol[cp] == SYM_NONE)
			n = 0;
	}
	return NDL_OK;
}

static ndl_status fill_bpe(ndl_tok_trainer *tr, bpe *b, ndl_error *err)
{
	ndl_status status = NDL_OK;
	size_t longest = 1;
	for (size_t i = 0; i < tr->n_alphabet && status == NDL_OK; i++)
		status = bpe_add_char(b, tr->alphabet[i], err);
	for (size_t i = 0; tr->word && i <= tr->word_mask; i++)
		longest = tr->word[i].len > longest ? tr->word[i].len : longest;
	uint32_t *sym = ndl_calloc(longest, sizeof *sym);
	if (!sym)
		return ndl_fail_nomem(err, "vocabulary trainer");
	for (size_t i = 0; tr->word && i <= tr->word_mask && status == NDL_OK; i++)
		if (tr->word[i].len)
			status = hand_over(tr, b, &tr->word[i], sym, err);
	free(sym);
	return status;
}

/* Appends `budget` merged pieces with scores 0, -1, -2, ... */
static ndl_status learn(ndl_tok_trainer *tr, bpe *b, size_t budget, ndl_buf *model, ndl_error *err)
{
	for (size_t i = 0; i < budget; i++) {
		bpe_piece piece;
		int got = bpe_next(b, &piece, err);
		if (got < 0)
			return (ndl_status)got;
		if (got == 0)
			return ndl_fail(err, NDL_EINVAL, "the text yields only %zu pieces, not %zu: use more text "
			                "or a smaller vocabulary", tr->o.vocab_size - (budget - i), tr->o.vocab_size);
		tok_put_piece(model, piece.text, piece.len, -(float)i, PIECE_NORMAL);
		if (tr->o.progress && i % 64 == 0)
			tr->o.progress(tr->o.user, i, budget);
	}
	return NDL_OK;
}

ndl_status ndl_tok_trainer_finish(ndl_tok_trainer *tr, ndl_buf *model, ndl_error *err)
{
	ndl_status status = choose_alphabet(tr, err);
	if (status != NDL_OK)
		return status;
	if (TOK_FIXED + tr->n_alphabet > tr->o.vocab_size)
		return ndl_fail(err, NDL_EINVAL, "%zu pieces cannot hold the %d fixed ones and the text's %zu characters: "
		                "use a larger vocabulary or a lower coverage", tr->o.vocab_size, TOK_FIXED, tr->n_alphabet);
	size_t budget = tr->o.vocab_size - TOK_FIXED - tr->n_alphabet;
	bpe *b = bpe_new(tr->o.max_piece_chars, err);
	if (!b)
		return NDL_ENOMEM;
	tok_put_fixed_pieces(model);
	status = fill_bpe(tr, b, err);
	if (status == NDL_OK)
		status = learn(tr, b, budget, model, err);
	bpe_free(b);
	for (size_t i = 0; i < tr->n_alphabet && status == NDL_OK; i++) {
		char text[4];
		size_t len = ndl_utf8_encode(tr->alphabet[i], text);
		tok_put_piece(model, text, len, -(float)(budget + i), PIECE_NORMAL);
	}
	tok_put_settings(model, &tr->o);
	return status == NDL_OK ? ndl_buf_check(model, err) : status;
}
