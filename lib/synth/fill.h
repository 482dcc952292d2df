/* fill.h - a phrase whose slots are being filled. Private to this room. */
#ifndef NDL_SYNTH_FILL_H
#define NDL_SYNTH_FILL_H

#include "synth/compose.h"

enum { SYN_MAX_SLOTS = 24, SYN_MAX_ITEMS = 4, SYN_PREPOSITION = 16 };

/* One slot of the phrase with what was made for it (as offsets: the buffers move). */
typedef struct slot {
	int16_t param, prop;
	bool many;
	const syn_param *p;
	const char *own; /* the phrase gives the value; NULL: to be made */
	int n;
	struct {
		size_t off, len, raw_off, raw_len;
	} made[SYN_MAX_ITEMS];
	double key;
	bool has_key;
	enum syn_form form;
	int first_value; /* in example.value, -1 until laid out */
} slot;

typedef struct filler {
	const syn_gen *g;
	syn_example *e;
	syn_call *call;
	const syn_offer *offer;
	size_t n_pieces; /* of the phrase, that are said */
	slot slot[SYN_MAX_SLOTS];
	size_t n_slots;
	size_t first_seg;
	char again[SYN_PREPOSITION]; /* of SYN_ELLIPSIS: the preposition before the first value */
} filler;

/* pairs.c: what the values of one call owe each other. */

/* Was m said already in this call, in a slot of the same kind or of the same enum? Or, in one list, the
 * same value in other words? */
bool syn_said_before(const filler *f, const slot *s, const syn_made *m);
/* The filled slot of the same kind that s makes a start and an end with, or NULL. */
const slot *syn_partner(const filler *f, const slot *s);
/* The filled list of numbers that the list s goes with, item by item (x and y), or NULL. */
const slot *syn_beside(const filler *f, const slot *s);
/* Gives starts the lesser values, ends the greater ones; false where one is passed as said and the other is not. */
bool syn_order_pairs(filler *f);

#endif
