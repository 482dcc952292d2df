/* corpus.h - the corpus in memory: lists of values, tool cards with parsed phrases, domains.
 * Private to this room. Everything is owned by the corpus and immutable after loading; strings
 * are NUL-terminated UTF-8. The file format is needle-corpus(5). */
#ifndef NDL_SYNTH_CORPUS_H
#define NDL_SYNTH_CORPUS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYN_INVENTED SIZE_MAX /* as syn_tool.domain */
enum { SYN_LONG_AGO = -2 };
enum { SYN_MAX_PARAMS = 12, SYN_MAX_PROPS = 12, SYN_MAX_PIECES = 64, SYN_MAX_DEPTH = 6 };

enum syn_type { SYN_STRING, SYN_INTEGER, SYN_NUMBER, SYN_BOOLEAN, SYN_ARRAY, SYN_OBJECT };

/* What generates a value: a list, or a built-in of values.c with a range. */
enum syn_builtin {
	SYN_NONE, SYN_LIST, SYN_INT, SYN_NUMBER_RANGE, SYN_PERCENT, SYN_YEAR, SYN_DURATION,
	SYN_DURATION_MINUTES, SYN_DURATION_SECONDS, SYN_TIME, SYN_TIME24, SYN_DATE, SYN_DATE_ISO,
	SYN_DATETIME, SYN_DIGITS, SYN_UPPER, SYN_LOWER, SYN_ALNUM, SYN_HEX, SYN_SYLLABLES,
	SYN_ORDINAL
};

typedef struct syn_source {
	enum syn_builtin kind;
	const struct syn_list *list;
	double lo, hi;
	bool converted;   /* dates and times: always ISO, HH:MM, whatever the description says */
	const char *name; /* as the card wrote it, until resolved */
} syn_source;

/* A piece of a value template such as "{@first_name|lower}{@digits:2}". */
enum syn_modifier { SYN_AS_IS, SYN_TO_LOWER, SYN_TO_SLUG, SYN_TO_TITLE };
typedef struct syn_tpiece {
	const char *text; /* literal, or NULL: from source */
	syn_source source;
	enum syn_modifier modifier;
} syn_tpiece;

typedef struct syn_value {
	const char *surface;
	const char *raw;        /* JSON text of the value; NULL: the surface itself, copied */
	const syn_tpiece *tmpl; /* NULL: plain */
	size_t n_tmpl;
} syn_value;

/* Values for training come first (n_train of them), then the held-out ones. */
typedef struct syn_list {
	const char *name;
	syn_value *v;
	size_t n, n_train;
	bool proper;   /* mostly names: made-up ones may take their place */
	bool numeric;  /* all raw and numbers */
	bool long_text; /* several words a value */
	bool closed;    /* weekdays, letters...: never held out */
} syn_list;

typedef struct syn_strings {
	const char **s;
	size_t n;
} syn_strings;

typedef struct syn_param {
	const char *name;
	syn_strings names; /* name first, then aliases */
	syn_strings descriptions;
	enum syn_type type, item_type;
	bool required;
	const char *enum_json; /* of the parameter, or of an array's items; NULL if none */
	syn_source source;
	struct syn_param *props;
	size_t n_props;
} syn_param;

typedef struct syn_piece {
	const char *text;  /* literal, or NULL: a slot */
	int16_t param, prop; /* prop -1: the parameter itself */
	bool many;         /* {x*} */
	const char *own;   /* {x=text}: its value is this text; NULL: one is made */
} syn_piece;

typedef struct syn_fixed {
	int16_t param, prop;
	const char *json;
} syn_fixed;

typedef struct syn_phrase {
	const syn_piece *piece;
	size_t n_pieces;
	const syn_fixed *fixed;
	size_t n_fixed;
	uint64_t id;      /* hash of tool and text */
	bool held;
	bool bare;        /* so few words that only the offered tools tell what it means */
	bool has_slot;
	int16_t series;   /* piece whose slot may get several values, a call each; -1: none */
	int16_t cut;      /* piece where the phrase ends when its required argument is left out; -1 */
	size_t cut_keep;  /* and how many bytes of the words before it stay */
} syn_phrase;

typedef struct syn_tool {
	const char *name;
	syn_strings names;
	syn_strings descriptions;
	syn_param *param;
	size_t n_params;
	syn_phrase *phrase; /* training phrases first */
	size_t n_phrases, n_train;
	size_t domain;      /* SYN_INVENTED: of none */
	uint64_t twins;     /* bit g: member of group g of twins.txt */
	syn_strings apart;  /* cards that are never offered beside it */
	bool held;          /* a held-out tool, or of a held-out domain */
	const char *rendered; /* the tool as it is shown; NULL: from names and descriptions */
	int tense;          /* dates that fit, where the parameter does not tell: see syn_tense_of */
} syn_tool;

/* Parts of invented tools (invent.h): an argument, a verb in its wordings, a thing to act on. */
typedef struct syn_field {
	syn_param param;
	syn_strings with;    /* "a base of {}": after "with" */
	syn_strings adverb;  /* "due {}": after the object, without "with" */
	syn_strings yes, no; /* a boolean's words */
	const char *spoken;  /* its name as people say it; NULL: the parameter's */
} syn_field;

typedef struct syn_verb {
	const char *name;
	syn_strings names, say, describe;
} syn_verb;

enum { SYN_MAX_FIELDS = 10 };

typedef struct syn_object {
	const char *name, *group;
	size_t verb;         /* of the corpus */
	syn_strings said;    /* "the area of a triangle" */
	size_t field[SYN_MAX_FIELDS]; /* of the corpus; required ones first */
	size_t n_fields, n_required;
	/* Of a tool of the user's (own.h): */
	const char *rendered;    /* the tool as it is shown, or NULL: it gets names and descriptions */
	const char *description;
	syn_strings heads;       /* whole requests without arguments: "send a message" */
	bool direct;             /* what the first field says may stand for the object: "play {}" */
	bool mute;               /* can be offered, but not asked for */
} syn_object;

typedef struct syn_domain {
	const char *name;
	const syn_tool **tool;
	size_t n_tools;
	syn_value *refusal; /* training ones first */
	size_t n_refusals, n_refusals_train;
	bool held;
} syn_domain;

typedef struct syn_corpus {
	syn_tool *tool;
	size_t n_tools, cap_tools;
	syn_domain *domain;
	size_t n_domains, cap_domains;
	syn_list **list;
	size_t n_lists, cap_lists;
	syn_field *field;
	size_t n_fields, cap_fields;
	syn_verb *verb;
	size_t n_verbs, cap_verbs;
	syn_object *object;
	size_t n_objects, cap_objects;
	struct syn_chunk *chunks; /* memory of all strings and arrays */
} syn_corpus;

/* Every *.jsonl of dir in name order, then dir/twins.txt if it is there. 0, or negative with
 * file, line and reason in err. Release with syn_corpus_clear in both cases. */
ndl_status syn_corpus_load(syn_corpus *c, const char *dir, ndl_error *err);
void syn_corpus_clear(syn_corpus *c);

/* Does the phrase give the parameter, or, prop >= 0, this property of it? */
bool syn_phrase_gives(const syn_phrase *ph, size_t param, int prop);

const syn_list *syn_corpus_list(const syn_corpus *c, const char *name);

/* May a and b not be offered together when the other is the right one? strict: also when they
 * are of one domain and merely alike (for refusals, where a near twin could serve). */
bool syn_conflict(const syn_tool *a, const syn_tool *b, bool strict);

/* Held-out classes, by hash: the same on every machine and in every release. */
bool syn_held_value(const char *text, size_t len);

/* "string", ..., "object". */
const char *syn_type_name(enum syn_type type);
/* The type of this name; -1 if there is none, as for NULL. */
int syn_type_named(const char *name);

/* words.c: is the word, of len bytes, one of these (NULL ends them)? Letter case does not matter. */
bool syn_one_of(const char *word, size_t len, const char *const *words);
/* Of a text that was cut to fit, what is left of a character at its end goes. */
void syn_end_whole(char *text);
/* Does a snake_case name have this word (or words) in it? */
bool syn_has_word(const char *name, const char *word);

/* For the loader's files. */
void *syn_alloc(syn_corpus *c, size_t n, size_t size);
const char *syn_strdup(syn_corpus *c, const char *s, size_t len);

#endif
