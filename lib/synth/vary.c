/* vary.c - what else a phrase can be made into: one with several values in a slot ("the weather
 * in Paris and in Rome" is two calls), one that lacks a required argument. Decided from the
 * words, so only where the result reads well and can mean nothing else. */
#include "synth/card.h"

#include <ctype.h>
#include <string.h>

/* Is one of the "_"-separated words of name in the list? */
static bool has_part(const char *name, const char *const *words)
{
	for (const char *s = name; *s;) {
		size_t n = strcspn(s, "_");
		if (syn_one_of(s, n, words))
			return true;
		s += n + (s[n] == '_');
	}
	return false;
}

/* The last word of the first len bytes of s. */
static const char *last_word(const char *s, size_t len, size_t *n)
{
	size_t end = len;
	while (end && s[end - 1] == ' ')
		end--;
	size_t begin = end;
	while (begin && s[begin - 1] != ' ')
		begin--;
	*n = end - begin;
	return s + begin;
}

static size_t times_used(const syn_phrase *ph, int16_t param)
{
	size_t n = 0;
	for (size_t i = 0; i < ph->n_pieces; i++)
		n += !ph->piece[i].text && ph->piece[i].param == param;
	return n;
}

/* Several values ---------------------------------------------------------------------- */

/* Tools where two values are two questions or two orders, not one contradictory state. */
static bool verb_allows(const syn_tool *t, bool number)
{
	static const char *const state[] = {"set", "change", "switch", "navigate", "move", "rename",
		"select", "use", "adjust", "update", "edit", "replace", "compare", "merge", "combine",
		"toggle", "swap", "transfer", "drive", "go", "connect", "pair", "mix", "start", "begin",
		"join", "save", "split", "correlate", "average", "schedule", "plan", "request", NULL};
	static const char *const asks[] = {"get", "find", "calculate", "compute", "convert", "check",
		"look", "lookup", "solve", "show", "is", "factor", "search", NULL};
	size_t n = strcspn(t->name, "_");
	return number ? syn_one_of(t->name, n, asks) : !syn_one_of(t->name, n, state);
}

static bool param_allows(const syn_param *p, bool number)
{
	static const char *const whole[] = {"name", "title", "label", "text", "message", "note", "notes",
		"content", "body", "query", "reason", "description", "subject", "comment", "destination",
		"new", "target", "mode", "theme", "caption", "command", "expression", "formula", "start",
		"end", "from", "to", "origin", "source", "search", "topic", "details", "unit", "keyword",
		"term", "format", "question", "phrase", "sentence", "task", "time", "date", "address", "code",
		"pin", "pwd", "password", "email", "assigned", "assignee", "owner", "teacher", "agent", "tag",
		"station", NULL};
	if (p->enum_json || has_part(p->name, whole) || p->n_props)
		return false;
	if (number)
		return p->source.kind == SYN_INT || p->source.kind == SYN_NUMBER_RANGE;
	return p->type == SYN_STRING && (p->source.kind == SYN_LIST || (p->source.kind == SYN_NONE && p->source.name));
}

/* "… in {city} tomorrow": the words before lead to a noun on its own, those after end it. */
static bool words_allow(const char *before, const char *after)
{
	static const char *const never[] = {"a", "an", "called", "named", "titled", "saying", "says",
		"is", "between", "as", "than", "and", "or", "vs", "from", "this", "that", "does", "has",
		"was", "labelled", "labeled", "tagged", "if", "when", "every", "each", "another", "into",
		"whether", "no", "not", "other", "to", NULL};
	static const char *const next[] = {"in", "at", "to", "on", "for", "with", "please", "by", "from",
		"today", "tomorrow", "right", "now", "this", "next", "as", "so", NULL};
	size_t n;
	const char *w = last_word(before, strlen(before), &n);
	if (strstr(before, "I'm ") || strstr(before, "I am "))
		return false; /* nobody is in two places */
	if (n == 0 || before[strlen(before) - 1] != ' ' || syn_one_of(w, n, never)
		|| !isalpha((unsigned char)w[n - 1]) || memchr(w, '\'', n))
		return false;
	if (!*after || strchr("?.!", *after))
		return true;
	return *after == ' ' && syn_one_of(after + 1, strcspn(after + 1, " ,.?!"), next);
}

static int16_t find_series(const syn_tool *t, const syn_phrase *ph)
{
	for (size_t i = 1; i < ph->n_pieces; i++) {
		const syn_piece *pc = &ph->piece[i];
		const char *before = ph->piece[i - 1].text;
		const char *after = i + 1 < ph->n_pieces ? ph->piece[i + 1].text : "";
		if (pc->text || pc->own || pc->prop >= 0 || pc->many || !before || !after)
			continue;
		const syn_param *p = &t->param[pc->param];
		bool number = p->type == SYN_INTEGER || p->type == SYN_NUMBER;
		if (times_used(ph, pc->param) == 1 && verb_allows(t, number) && param_allows(p, number)
			&& words_allow(before, after))
			return (int16_t)i;
	}
	return -1;
}

/* A missing argument ------------------------------------------------------------------ */

static bool ends_request(const char *after)
{
	static const char *const ends[] = {"", "?", ".", "!", " please", ", please", " for me", " now",
		" please?", " for me?", NULL};
	for (size_t i = 0; ends[i]; i++)
		if (strcmp(after, ends[i]) == 0)
			return true;
	return false;
}

/* How many bytes of "set an alarm for " stay when nothing follows; 0 if none can. */
static size_t trimmed(const char *s)
{
	static const char *const leads[] = {"in", "at", "for", "to", "from", "of", "on", "with", "by",
		"about", "called", "named", "saying", "that", "as", "the", "a", "an", "my", "titled", "near",
		"around", "into", "onto", "via", "using", "number", "until", "till", "before", "after",
		"since", "labelled", "labeled", "tagged", "some", "and", "name", "under", NULL};
	static const char *const dangling[] = {"what's", "how's", "who's", "where's", "when's", "is",
		"are", "was", "were", "or", "not", "if", "it's", "than", "does", "do", "did", "has", "have",
		"get", "put", "go", "be", "i", "we", "you", "it", "me", "than", "this", "these", "its", "your",
		"his", "her", "their", "our", "no", "like", "want", "need", "make", "take", "give", "let",
		"can", "could", "will", "would", "should", "say", "says", "so", "out", "up", "which",
		"back", "down", "off", "away", "over", "through", "along", "just", "only", "now", "there",
		"here", "then", "them", "him", "one", NULL};
	size_t len = strlen(s), n, words = 0, letters = 0;
	const char *w;
	for (;;) {
		while (len && strchr(" ,;-\"'(:#$+@", s[len - 1]))
			len--;
		w = last_word(s, len, &n);
		if (!syn_one_of(w, n, leads))
			break;
		len = (size_t)(w - s);
	}
	if (n == 0 || syn_one_of(w, n, dangling) || strchr(s, '"') || strchr(".?!", s[len - 1]))
		return 0;
	for (size_t i = 0; i < len; i++) {
		words += s[i] != ' ' && (i == 0 || s[i - 1] == ' ');
		letters += isalpha((unsigned char)s[i]) != 0;
	}
	return words >= 2 && letters >= 9 ? len : 0;
}

static void find_cut(const syn_tool *t, syn_phrase *ph)
{
	size_t i = ph->n_pieces;
	while (i && ph->piece[i - 1].text)
		i--;
	if (i < 2 || ph->n_pieces > i + 1 || !ph->piece[i - 2].text)
		return;
	const syn_piece *pc = &ph->piece[i - 1];
	const syn_param *p = &t->param[pc->param];
	const char *after = i < ph->n_pieces ? ph->piece[i].text : "";
	if (!p->required || pc->prop >= 0 || times_used(ph, pc->param) != 1 || !ends_request(after))
		return;
	for (size_t k = 0; k < ph->n_fixed; k++)
		if (ph->fixed[k].param == pc->param)
			return;
	/* a value in front of the words may be all that they hang on: only whole openings */
	size_t keep = i == 2 ? trimmed(ph->piece[0].text) : 0;
	if (keep) {
		ph->cut = (int16_t)(i - 1);
		ph->cut_keep = keep;
	}
}

void syn_phrase_vary(const syn_tool *t, syn_phrase *ph)
{
	ph->series = find_series(t, ph);
	ph->cut = -1;
	find_cut(t, ph);
}
