/* retrieve_internal.h - what the files of this room share. */
#ifndef NDL_RETRIEVE_INTERNAL_H
#define NDL_RETRIEVE_INTERNAL_H

#include "retrieve/retrieve.h"

#include "checkpoint/checkpoint.h"

/* Texts back to back: number i is bytes[at[i], at[i + 1]). */
struct texts {
	const char *bytes;
	const uint32_t *at;
};

struct ndl_index {
	size_t n, n_words, n_postings;
	int flags;
	struct texts name; /* each with its NUL */
	struct texts tool; /* JSON */
	struct texts word; /* rising, in the order of their bytes */
	const uint64_t *hash;   /* [n] */
	const uint32_t *length; /* [n]: words, by their weights */
	const uint32_t *from;   /* [n_words + 1]: postings of word w are [from[w], from[w + 1]) */
	const uint32_t *in;     /* [n_postings]: a tool that has the word */
	const uint32_t *count;  /* [n_postings]: how often, by weights */
	const float *vectors;   /* [n][dim], or NULL */
	size_t dim;
	char by[NDL_INDEX_BY_MAX + 1];
	double mean_length;
	ndl_ckpt *file;         /* that all of this lies in, or NULL: then it is */
	void *owned[16];        /* here */
	size_t n_owned;
};

/* Calls fn with every word of a text. common: an English pronoun, preposition, article, auxiliary or the like, which says
 * nothing about a tool. */
typedef void ndl_word_fn(void *user, const char *word, size_t len, bool common);
void ndl_words(const char *text, size_t len, ndl_word_fn *fn, void *user);

/* Order of bytes; of a text and a longer one that begins so the shorter is first. */
int ndl_word_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/* Sets mean_length. */
void ndl_index_measure(ndl_index *x);

#endif
