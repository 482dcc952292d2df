/* retrieve.h - catalogues of tools, searched by words or by vectors: which few tools of many go
 * before the model (SPEC section 6).
 *
 * An ndl_index holds, for every tool of a list, its JSON as given, its name, what the lexical
 * ranking needs, and maybe the vector that a model's contrastive head makes of it. It is built in
 * memory or mapped from a file, whose layout needle-encode(1) describes.
 *
 * Words. Texts are cut at whatever is no letter or digit and inside camelCase; ASCII letters
 * become lower-case, an English plural loses its s (Harman, "How effective is suffixing?", 1991), a character
 * of Chinese or Japanese is a word by itself. A tool's words are those of its name (each counts three
 * times), its description, and the names, descriptions and string choices of its arguments, also nested ones.
 *
 * BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, with
 * fields weighted as in their section 3.6): with f the count of a query's word in a tool, l the tool's
 * number of words, L the mean of it, n tools of which df have the word,
 *     score = sum over the query's words of log(1 + (n - df + 0.5) / (df + 0.5)) * f (k + 1) / (f + k (1 - b + b l / L)),
 * k = 1.2, b = 0.75; English pronouns, prepositions and their like in the query do not count. A tool that shares no word
 * with the query has 0. Words of a kin, "translate" and "translation", count half: those that begin with the same letters, four
 * at least and three fifths of the longer word.
 *
 * Fusion: cosine + 0.07 BM25. Divided by the temperature that the contrastive head is trained at (it begins with 0.07, that of
 * the default model ended there), cosines are log-odds, as BM25 is. */
#ifndef NDL_RETRIEVE_RETRIEVE_H
#define NDL_RETRIEVE_RETRIEVE_H

#include "base/error.h"
#include "json/json.h"
#include "tools/tools.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ndl_index ndl_index; /* opaque, owned; immutable once its vectors are set */

/* Without vectors. The tools are read, not kept. ascii_tools: as ndl_tools_render_one, whose text is
 * what a model embeds. NULL on failure. */
ndl_index *ndl_index_new(const ndl_tools *t, int ascii_tools, ndl_error *err);
/* Maps a file and checks all of it but the tools' JSON. */
ndl_index *ndl_index_open(const char *path, ndl_error *err);
/* The same of a file's bytes, borrowed until ndl_index_free. */
ndl_index *ndl_index_open_memory(const void *data, size_t size, ndl_error *err);
void ndl_index_free(ndl_index *x);
/* Complete or not there. */
ndl_status ndl_index_write(const ndl_index *x, const char *path, ndl_error *err);

size_t ndl_index_count(const ndl_index *x);                 /* tools */
const char *ndl_index_name(const ndl_index *x, size_t i);   /* as the user wrote it; borrowed */
uint64_t ndl_index_hash(const ndl_index *x, size_t i);      /* of the text that a model embeds */
int ndl_index_flags(const ndl_index *x);                    /* for ndl_tools_new: as the list was read */
/* A tool list of these n tools, as they were given. New reference. */
json_t *ndl_index_tools(const ndl_index *x, const size_t *which, size_t n, ndl_error *err);

/* Vectors [count][dim], moved; made by the model and in the arithmetic that `by` names (a copy is
 * kept, of at most NDL_INDEX_BY_MAX bytes). Takes the place of earlier ones. */
enum { NDL_INDEX_BY_MAX = 63 };
ndl_status ndl_index_set_vectors(ndl_index *x, float *vectors, size_t dim, const char *by, ndl_error *err);
const float *ndl_index_vectors(const ndl_index *x, size_t *dim); /* NULL if there are none; borrowed */
const char *ndl_index_by(const ndl_index *x);                    /* "" if there are none */

/* scores[count] := BM25 of every tool; kin: words of a kin with the query's count, too. */
ndl_status ndl_index_bm25(const ndl_index *x, const char *query, size_t len, bool kin, float *scores, ndl_error *err);
/* What a tool of mean length has in these scores for one word of the query that it alone has; 0 if there are no tools. */
double ndl_index_rare_word(const ndl_index *x);
/* The words of a text, to ask whether it says another. Zero-initialise. */
typedef struct ndl_said {
	uint64_t *word; /* hashes, rising */
	size_t n, cap;
} ndl_said;
/* Replaces what it holds. */
ndl_status ndl_said_set(ndl_said *s, const char *text, size_t len, ndl_error *err);
void ndl_said_clear(ndl_said *s);
/* Whether all words of the text that mean something (some do) are among them, however they are written: "camelCase", plurals. */
bool ndl_said_has(const ndl_said *s, const char *text, size_t len);
/* Whether any of them is. */
bool ndl_said_part(const ndl_said *s, const char *text, size_t len);
/* The same, or, of a text that has none that mean something ("on", "to_all"), all its words. */
bool ndl_said_some(const ndl_said *s, const char *text, size_t len);

/* scores[count] := dot products with vector[dim]; only if there are vectors. */
void ndl_index_dot(const ndl_index *x, const float *vector, float *scores);

/* order[k] := the best k <= n of scores[n], best first; of equal ones the earlier. No NaN among them. */
ndl_status ndl_rank_best(const float *scores, size_t n, size_t *order, size_t k, ndl_error *err);
/* fused[n] := that of cosines and BM25. fused may be one of the two. */
void ndl_rank_fuse(const float *vectors, const float *words, size_t n, float *fused);

#endif
