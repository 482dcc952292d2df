/* threads.c - a state as a whole: one thread as a rule. Where a value has alternatives it becomes
 * several, one an alternative, that read the same bytes until only one is left or the value ends.
 * JSON's syntax ends a value at the same byte whatever it means, so all threads that are left end
 * it together, have the same stacks from there on, and become one again. */
#include "grammar/grammar_internal.h"

#include <string.h>

void ndl_gstate_init(ndl_gstate *s, const ndl_grammar *g)
{
	s->g = g;
	s->n_threads = 1;
	s->n_frames = 1;
	s->n_words = 0;
	s->at[0].frame = s->at[0].word = 0;
	memset(&s->frame[0], 0, sizeof s->frame[0]);
	s->frame[0].phase = g->bare ? P_OPEN : P_SPACE;
}

void ndl_gstate_copy(ndl_gstate *to, const ndl_gstate *from)
{
	to->g = from->g;
	to->n_threads = from->n_threads;
	to->n_frames = from->n_frames;
	to->n_words = from->n_words;
	memcpy(to->at, from->at, from->n_threads * sizeof *from->at);
	memcpy(to->frame, from->frame, from->n_frames * sizeof *from->frame);
	memcpy(to->word, from->word, from->n_words * sizeof *from->word);
}

static uint32_t frames_of(const ndl_gstate *s, uint32_t t)
{
	return (t + 1 < s->n_threads ? s->at[t + 1].frame : s->n_frames) - s->at[t].frame;
}

static uint32_t words_of(const ndl_gstate *s, uint32_t t)
{
	return (t + 1 < s->n_threads ? s->at[t + 1].word : s->n_words) - s->at[t].word;
}

/* A thread of `from` as one more of `to`; false if there is no room. */
static bool add(ndl_gstate *to, const ndl_gstate *from, uint32_t t)
{
	uint32_t frames = frames_of(from, t), words = words_of(from, t);
	if (to->n_threads >= NDL_GSTATE_THREADS || frames > NDL_GSTATE_FRAMES - to->n_frames ||
	    words > NDL_GSTATE_WORDS - to->n_words)
		return false; /* compiling keeps clear of this */
	to->at[to->n_threads].frame = (uint16_t)to->n_frames;
	to->at[to->n_threads++].word = (uint16_t)to->n_words;
	memcpy(to->frame + to->n_frames, from->frame + from->at[t].frame, frames * sizeof *to->frame);
	memcpy(to->word + to->n_words, from->word + from->at[t].word, words * sizeof *to->word);
	to->n_frames += frames;
	to->n_words += words;
	return true;
}

void ndl_gstate_pick(ndl_gstate *to, const ndl_gstate *from, uint32_t t)
{
	to->g = from->g;
	to->n_threads = to->n_frames = to->n_words = 0;
	add(to, from, t);
}

/* Drops the last thread. */
static void drop(ndl_gstate *s)
{
	s->n_threads--;
	s->n_frames = s->at[s->n_threads].frame;
	s->n_words = s->at[s->n_threads].word;
}

/* Drops the last thread if another is where it is. */
static void join_last(ndl_gstate *s)
{
	uint32_t last = s->n_threads - 1, frames = frames_of(s, last), words = words_of(s, last);
	for (uint32_t t = 0; t < last; t++)
		if (frames_of(s, t) == frames && words_of(s, t) == words &&
		    memcmp(s->frame + s->at[t].frame, s->frame + s->at[last].frame, frames * sizeof *s->frame) == 0 &&
		    memcmp(s->word + s->at[t].word, s->word + s->at[last].word, words * sizeof *s->word) == 0) {
			drop(s);
			return;
		}
}

/* Adds to s what becomes of a thread by a byte. */
static void step_thread(ndl_gstate *s, const ndl_gstate *from, uint32_t t, unsigned char b)
{
	ndl_gstate before;
	if (!add(s, from, t))
		return;
	switch (ndl_gadvance(s, b)) {
	case G_TAKEN:
		join_last(s);
		return;
	case G_REFUSED:
		drop(s);
		return;
	case G_FORK:
		break;
	}
	ndl_gstate_pick(&before, s, s->n_threads - 1);
	drop(s);
	ndl_gframe *top = &before.frame[before.n_frames - 1];
	const struct node *n = &s->g->node[top->node];
	for (uint32_t i = 0; i < n->n_alts; i++) {
		top->node = s->g->alt[n->alt + i];
		step_thread(s, &before, 0, b);
	}
}

bool ndl_gstep(ndl_gstate *s, unsigned char b)
{
	if (s->n_threads == 1) {
		enum advance how = ndl_gadvance(s, b);
		if (how != G_FORK)
			return how == G_TAKEN;
	}
	ndl_gstate next;
	next.g = s->g;
	next.n_threads = next.n_frames = next.n_words = 0;
	for (uint32_t t = 0; t < s->n_threads; t++)
		step_thread(&next, s, t, b);
	if (next.n_threads == 0)
		return false;
	ndl_gstate_copy(s, &next);
	return true;
}

bool ndl_gstate_byte(ndl_gstate *s, unsigned char b)
{
	char c = (char)b;
	return ndl_gstate_bytes(s, &c, 1);
}

bool ndl_gstate_bytes(ndl_gstate *s, const char *bytes, size_t len)
{
	ndl_gstate next;
	ndl_gstate_copy(&next, s);
	for (size_t i = 0; i < len; i++)
		if (!ndl_gstep(&next, (unsigned char)bytes[i]))
			return false;
	ndl_gstate_copy(s, &next);
	return true;
}

bool ndl_gstate_done(const ndl_gstate *s)
{
	return s->n_threads == 1 && s->n_frames == 1 && s->frame[0].phase == P_END;
}
