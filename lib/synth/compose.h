/* compose.h - one example in the making: the query as segments, the calls as references into
 * them, the offered tools as chosen renderings. Private to this room.
 *
 * A string argument is a span of the query by construction: it refers to a segment, and what
 * the surface changes (letter case) do to the segment they do to the argument. */
#ifndef NDL_SYNTH_COMPOSE_H
#define NDL_SYNTH_COMPOSE_H

#include "base/buf.h"
#include "base/rng.h"
#include "synth/corpus.h"
#include "synth/values.h"

enum { SYN_MAX_SEGS = 400, SYN_MAX_VALUES = 160, SYN_MAX_CALLS = 3, SYN_MAX_OFFERS = 16, SYN_MAX_ARGS = 48 };

/* A stretch of the query: literal words (value -1) or a value's surface. */
typedef struct syn_seg {
	size_t off, len; /* in syn_example.text */
	int value;
} syn_seg;

typedef struct syn_slot_value {
	size_t raw_off;        /* JSON text in syn_example.raws, unless copied */
	size_t raw_len;
	size_t at, len;        /* copied: the bytes of syn_example.query, once it is written */
	bool copied;
} syn_slot_value;

typedef struct syn_arg {
	int16_t param, prop;
	const char *fixed;     /* JSON text, or NULL */
	int first, n;          /* values; n > 1 or many: an array */
	bool many;
} syn_arg;

/* Chosen wording of one offered tool. Indices into the card's lists; -1: left out. */
typedef struct syn_offer_param {
	int16_t param;
	int name, description, prop_name[SYN_MAX_PROPS], prop_description[SYN_MAX_PROPS];
} syn_offer_param;

typedef struct syn_offer {
	const syn_tool *tool;
	int name, description;
	size_t n_params;
	syn_offer_param param[SYN_MAX_PARAMS];
} syn_offer;

/* A phrase as it stands, with several values in its series slot, with one there and others after it ("and for
 * Rome?"), or cut before a required one. */
enum syn_how { SYN_WHOLE, SYN_SERIES, SYN_ELLIPSIS, SYN_LACKING };

typedef struct syn_call {
	const syn_tool *tool;
	const syn_phrase *phrase;
	syn_arg arg[SYN_MAX_ARGS];
	size_t n_args;
	enum syn_how how;
	int n_series;          /* of SYN_SERIES and SYN_ELLIPSIS: how many values were said */
	bool open_end;         /* ends in unquoted free text: what follows would be taken for it */
} syn_call;

typedef struct syn_example {
	ndl_buf text, raws, query, tools, answers;
	syn_seg seg[SYN_MAX_SEGS];
	size_t n_segs;
	syn_slot_value value[SYN_MAX_VALUES];
	size_t n_values;
	syn_call call[SYN_MAX_CALLS];
	size_t n_calls;
	syn_offer offer[SYN_MAX_OFFERS];
	size_t n_offers;
	unsigned opaque;         /* names say nothing: bit 0 tools', bit 1 arguments'; above, a seed; 0: they speak */
	const syn_domain *about; /* of a refusal */
	size_t request;          /* the segment that the request begins with, after what is told before it */
	bool context;            /* there are sentences around it */
	bool dated;              /* the query tells which day is today */
	bool overflow;           /* too large: throw it away */
	syn_made made;           /* scratch */
} syn_example;

void syn_example_reset(syn_example *e);
void syn_example_clear(syn_example *e);

/* fill.c: appends the phrase with values to the segments, and the arguments to call. The
 * wording of the tool (offer) decides whether dates are passed as said or as ISO. */
void syn_fill(const syn_gen *g, syn_example *e, syn_call *call, const syn_offer *offer);
/* Does the description of a date ask for YYYY-MM-DD? */
bool syn_iso_date_wanted(const char *description);
/* Does a value of this source take another form than the one said where this is the description? */
bool syn_form_wanted(const syn_source *s, const char *description);
void syn_add_literal(syn_example *e, const char *text, size_t len);
void syn_add_text(syn_example *e, const char *text); /* all of it */

/* joints.c: the preposition, with a blank, that the literal at the end of the segments from first_seg on
 * ends in; else "". */
void syn_tail_preposition(const syn_example *e, size_t first_seg, char *out, size_t size);
/* Fixes the end of the words before a value, v, which may end its clause. */
void syn_joint_before(ndl_rng *r, syn_example *e, size_t first_seg, enum syn_builtin kind, const char *v,
	size_t len, bool ends_clause);
bool syn_is_date(enum syn_builtin kind);
/* Is it "an" before this word? */
bool syn_takes_an(const char *word);
/* How much of the literal after a value to skip: a repeated word ("timer timer", "80% %"). */
size_t syn_joint_after(const syn_example *e, const char *after);

/* repeats.c: are two of the calls the same? Once the query is written. */
bool syn_repeats_call(const syn_example *e);

/* surface.c: segments into e->query in one of many styles. */
void syn_write_query(const syn_gen *g, syn_example *e);

/* Does the request begin as a question, not as an order ("could you")? */
bool syn_asks(const syn_example *e);

/* offer.c: how a tool is worded; the phrase (or NULL) says which parameters must be there. */
void syn_make_offer(ndl_rng *r, syn_offer *o, const syn_tool *t, const syn_phrase *ph);
/* Gives every offer names that say nothing and the descriptions that then are needed. */
void syn_make_opaque(ndl_rng *r, syn_example *e);
/* The description shown for a parameter or property, "" if none. */
const char *syn_offer_description(const syn_offer *o, int param, int prop);
void syn_write_tools(syn_example *e);
void syn_write_answers(syn_example *e);

#endif
