/* invent.h - tools that no card describes, made of a verb, an object and fields, with their
 * description and two phrases in the words of names and descriptions. Private to this room. */
#ifndef NDL_SYNTH_INVENT_H
#define NDL_SYNTH_INVENT_H

#include "base/rng.h"
#include "synth/corpus.h"

/* How an example's invented tools are named and described. */
enum syn_naming { SYN_SNAKE, SYN_CAMEL, SYN_GROUPED, SYN_OBJECT_ONLY };
typedef struct syn_voice {
	enum syn_naming naming;
	bool notes;   /* types, examples and defaults in the descriptions */
} syn_voice;

enum { SYN_INVENTED_TEXT = 6000, SYN_INVENTED_PHRASES = 2, SYN_INVENTED_STRINGS = 64 };

/* An invented tool with all that it points to; valid until made anew. Never copied. */
typedef struct syn_invented {
	const syn_object *object;
	syn_tool tool;
	syn_param param[SYN_MAX_FIELDS];
	syn_phrase phrase[SYN_INVENTED_PHRASES];
	syn_piece piece[SYN_INVENTED_PHRASES][SYN_MAX_PIECES];
	syn_fixed fixed[SYN_INVENTED_PHRASES][SYN_MAX_FIELDS];
	const char *string[SYN_INVENTED_STRINGS]; /* names and descriptions */
	char text[SYN_INVENTED_TEXT];
	size_t n_strings, used;
	bool failed;  /* too large: do not use */
} syn_invented;

void syn_voice_pick(ndl_rng *r, syn_voice *v);

/* Makes t the tool of the corpus' object. The phrases give every required field, some of the
 * optional ones; lacking: one of the required ones is left out. */
void syn_invent(const syn_corpus *c, ndl_rng *r, syn_invented *t, const syn_object *object,
	const syn_voice *voice, bool lacking);

#endif
