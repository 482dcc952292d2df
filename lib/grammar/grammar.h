/* grammar.h - which bytes may follow: a pushdown automaton over bytes, compiled from a tool
 * list, whose every accepted text is a JSON array of calls that are valid against the tools'
 * schemas (SPEC section 7).
 *
 * The language is one space (SentencePiece's dummy prefix makes the first piece begin with one)
 * and then compact JSON without any other space between tokens:
 *
 *    []    or    [{"name":"get_weather","arguments":{"location":"Paris"}},…]
 *
 * Names are the normalised ones of ndl_tools_norm_name. Argument keys come in any order, each at
 * most once, only declared ones, and `}` only once the required ones are there. Strings are
 * valid UTF-8 at every end of output and hold no raw control byte and no \u0000. Numbers have at
 * most 18 digits on either side of the point and a two-digit exponent, so that every JSON reader
 * takes them. With bounds, or among unique items, they have no exponent, and at most 15 digits
 * unless their type is integer: other digits are then another double, as every reader sees them.
 * Integers are exact, also beyond 2^53. An object schema that declares properties admits only
 * those; one that declares none is a map of at most 16 keys, without escapes in them, to
 * additionalProperties (or to any JSON value). Values of no declared type nest at most
 * ndl_grammar_options.free_depth containers. Arrays of unique items hold at most 32 scalars.
 * "pattern" and "format" hold for the text that a string stands for, whatever escapes it is
 * written with.
 *
 * Advancing never allocates. A state is plain memory without pointers into the
 * heap except to its grammar, so it may be copied by assignment, or faster by ndl_gstate_copy. */
#ifndef NDL_GRAMMAR_GRAMMAR_H
#define NDL_GRAMMAR_GRAMMAR_H

#include "base/buf.h"
#include "base/error.h"
#include "tokenizer/tokenizer.h"
#include "tools/tools.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- compiled grammar ------------------------------------------------------------------- */

typedef struct ndl_grammar ndl_grammar; /* opaque, owned, immutable: share between threads freely */

/* Zero-initialise for the defaults. */
typedef struct ndl_grammar_options {
	size_t max_calls;     /* calls in one answer; 0: 8 */
	size_t min_calls;     /* 0: `[]` is allowed; 1: at least one call; at most max_calls */
	size_t free_depth;    /* containers that an undeclared value may nest; 0: 3; at most 16 */
	const size_t *subset; /* indices of the reachable tools (each once), or NULL for all */
	size_t n_subset;
	bool bare;            /* true: no leading space */
	bool lacks_nulls;     /* a tool's arguments that are required and may be null may be left out: ndl_tools_fill_nulls gives them */
} ndl_grammar_options;

/* The tools are read, not kept: they may be freed before the grammar. o may be NULL. NULL with
 * err on a schema that cannot be followed (NDL_EUNSUPPORTED, NDL_EINVAL for one that no value
 * satisfies, NDL_ELIMIT: nesting over 32, over 4096 properties on one path, patterns or
 * alternatives that need too many states); messages carry the tool and a JSON Pointer. */
ndl_grammar *ndl_grammar_new(const ndl_tools *t, const ndl_grammar_options *o, ndl_error *err);
void ndl_grammar_free(ndl_grammar *g);
/* How many tools can be called. */
size_t ndl_grammar_calls(const ndl_grammar *g);

/* What an answer chooses from lists: calls, keys and values of enums, by number. */
enum ndl_gtext_kind { NDL_GTEXT_CALL, NDL_GTEXT_KEY, NDL_GTEXT_VALUE };
typedef struct ndl_gtext {
	enum ndl_gtext_kind kind;
	const char *bytes; /* as answers have it: {"name":"f","arguments":  "key":  "value"; borrowed */
	size_t len;
	unsigned types;    /* of a key's values: NDL_TYPE_ */
	size_t lo, hi;     /* the texts that these are taken from, if they are */
} ndl_gtext;
size_t ndl_grammar_texts(const ndl_grammar *g);
void ndl_grammar_text(const ndl_grammar *g, size_t i, ndl_gtext *t);
/* The number of the call of the tool with this normalised name, of len bytes; ndl_grammar_texts if there is none. */
size_t ndl_grammar_find_call(const ndl_grammar *g, const char *name, size_t len);

/* ---- state ------------------------------------------------------------------------------ */

enum { NDL_GSTATE_FRAMES = 192, NDL_GSTATE_WORDS = 192, NDL_GSTATE_THREADS = 16 };

/* One JSON value under way; the fields mean something to the automaton only. */
typedef struct ndl_gframe {
	uint32_t node;      /* what is being matched */
	uint8_t phase, sub; /* where in it */
	uint8_t depth;      /* how many undeclared containers enclose it */
	uint8_t flags;
	uint32_t lo, hi;    /* candidates left in a sorted list of texts, or a 64-bit number */
	uint32_t pos;       /* bytes matched in them, or characters or digits */
	uint32_t count;     /* items, keys or calls so far */
	uint32_t words;     /* first of its words, in its thread: which keys or items were used */
} ndl_gframe;

typedef struct ndl_gstate {
	const ndl_grammar *g; /* borrowed: must outlive the state */
	/* Alternatives (anyOf) that the text so far leaves open are followed side by side, each a stack
	 * of its own: thread t begins at frame[at[t].frame] and word[at[t].word]. One, as a rule. */
	uint32_t n_threads;
	uint32_t n_frames, n_words; /* of all threads */
	struct {
		uint16_t frame, word;
	} at[NDL_GSTATE_THREADS];
	ndl_gframe frame[NDL_GSTATE_FRAMES];
	uint64_t word[NDL_GSTATE_WORDS];
} ndl_gstate;

void ndl_gstate_init(ndl_gstate *s, const ndl_grammar *g);
/* Copies the part in use (some 150 bytes as a rule). */
void ndl_gstate_copy(ndl_gstate *to, const ndl_gstate *from);

/* Advances by one byte; false, and the state unchanged, if b cannot follow. */
bool ndl_gstate_byte(ndl_gstate *s, unsigned char b);
/* Advances by all len bytes, or by none and returns false. */
bool ndl_gstate_bytes(ndl_gstate *s, const char *bytes, size_t len);
/* The text so far is complete (and then nothing but the end may follow). */
bool ndl_gstate_done(const ndl_gstate *s);
/* Writes to out the bytes, at most cap, that are the only way on from here, and returns their
 * number: 0 where there is a choice or the text is complete. The state stays where it is. */
size_t ndl_gstate_forced(const ndl_gstate *s, char *out, size_t cap);
/* lean[ndl_grammar_texts]: what speaks for each text where it can be chosen; for the end of an object nothing (0) does. What the
 * best choice that these n bytes leave has less than the best that there was, a number <= 0: added up over the pieces of a
 * text, what the choices in it have less than the best ones. 0 where nothing is chosen, or the bytes cannot follow. */
float ndl_gstate_lean(const ndl_gstate *s, const float *lean, const char *bytes, size_t n);
/* Whether it may be other than 0 for what can follow. */
bool ndl_gstate_leans(const ndl_gstate *s, const float *lean);
/* Whether a string of free text is under way: then only bytes after a quote choose anything. */
bool ndl_gstate_in_string(const ndl_gstate *s);
/* Appends a shortest completion to a valid end (what to write when the token budget runs out);
 * returns its length. It is the best that can be said without the model: required arguments
 * still missing get their shortest valid value. out may be NULL: just the length. */
size_t ndl_gstate_closing(const ndl_gstate *s, ndl_buf *out);

/* ---- tokens ----------------------------------------------------------------------------- */

typedef struct ndl_vocab_trie ndl_vocab_trie; /* opaque, owned, immutable: one per vocabulary */

/* From the text that each of n ids stands for (copied). An id with len 0 never follows as text;
 * eos (or -1) is allowed exactly where the text is complete. */
ndl_vocab_trie *ndl_vocab_trie_new(const char *const *bytes, const size_t *len, size_t n,
                                   int32_t eos, ndl_error *err);
/* The same from a tokenizer; the six ids up to NDL_TOOLS are no text. */
ndl_vocab_trie *ndl_vocab_trie_from_tok(const ndl_tok *tok, ndl_error *err);
void ndl_vocab_trie_free(ndl_vocab_trie *v);
size_t ndl_vocab_trie_size(const ndl_vocab_trie *v); /* n */
/* 64-bit words in a mask: n rounded up. */
size_t ndl_vocab_trie_words(const ndl_vocab_trie *v);

/* Sets bit (id % 64) of bits[id / 64] for every id that may follow and clears all others;
 * bits has ndl_vocab_trie_words words. At least one id is set if the vocabulary has a piece for
 * every byte. Microseconds inside a free string, where most pieces fit. */
void ndl_gstate_mask(const ndl_gstate *s, const ndl_vocab_trie *v, uint64_t *bits);
/* Whether one id may follow: cheaper than a mask when few candidates are tried. */
bool ndl_gstate_allows(const ndl_gstate *s, const ndl_vocab_trie *v, int32_t id);
/* Advances by a token; false, and the state unchanged, if it cannot follow. eos, where it may
 * follow, leaves the state as it is. */
bool ndl_gstate_token(ndl_gstate *s, const ndl_vocab_trie *v, int32_t id);

#endif
