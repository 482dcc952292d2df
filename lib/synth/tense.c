/* tense.c - which way a date looks: deadlines and bookings ahead, logs and birthdays back. */
#include "synth/card.h"

#include <string.h>

typedef struct rule {
	const char *word;
	int tense;
} rule;

/* Words of parameters come first, then nouns of the tool's name, then its verb. */
static const rule params[] = {
	{"birth", SYN_LONG_AGO}, {"birthday", SYN_LONG_AGO}, {"born", SYN_LONG_AGO},
	{"due", 1}, {"deadline", 1}, {"expires", 1}, {"expiry", 1}, {"expiration", 1}, {"best", 1}, {"target", 1},
	{"needed", 1}, {"new", 1}, {"exam", 1}, {"effective", 1}, {"until", 1}, {"visit", 1}, {"publish", 1},
	{"send", 1}, {"proposed", 1}, {"move", 1}, {"showtime", 1}, {"slot", 1}, {"pay", 1}, {"departure", 1},
	{"arrival", 1}, {"return", 1}, {"check", 1}, {"pickup", 1}, {"delivery", 1}, {"starts", 1}, {"last_payment", 1},
	{"since", -1}, {"incident", -1}, {"completed", -1}, {"deleted", -1}, {"modified", -1}, {"payment", -1},
	{"reading", -1}, {"taken", -1}, {"ride", -1}, {"before", -1}, {"night", -1}, {"purchase", -1}, {NULL, 0}};

static const rule nouns[] = {
	{"history", -1}, {"past", -1}, {"log", -1}, {"diary", -1}, {"archive", -1}, {"intake", -1}, {"steps", -1},
	{"sleep", -1}, {"result", -1}, {"results", -1}, {"clips", -1}, {"chart", -1}, {"bestsellers", -1},
	{"memos", -1}, {"recordings", -1}, {"transcripts", -1}, {"photos", -1}, {"emails", -1}, {"messages", -1},
	{"orders", -1}, {"transactions", -1}, {"driven", -1}, {"pickup_count", -1}, {"expense", -1}, {"incidents", -1},
	{"statute", -1}, {"milestone", -1}, {"growth", -1}, {"vaccination", -1}, {"harvest", -1}, {"animal", -1},
	{"bookmarks", -1}, {"paid", -1}, {"searches", -1}, {"historical", -1}, {"interaction", -1}, {"period", -1},
	{"puzzle", -1}, {"claim", -1}, {"lost", -1}, {"news", -1}, {"files", -1}, {"workout", -1}, {"currency", -1},
	{"forecast", 1}, {"next", 1}, {"upcoming", 1}, {"flight", 1}, {"flights", 1}, {"train", 1}, {"trains", 1},
	{"hotel", 1}, {"hotels", 1}, {"room", 1}, {"rooms", 1}, {"rental", 1}, {"car", 1}, {"table", 1},
	{"availability", 1}, {"available", 1}, {"showtimes", 1}, {"program", 1}, {"programme", 1}, {"movies", 1},
	{"exhibitions", 1}, {"concerts", 1}, {"event", 1}, {"events", 1}, {"guide", 1}, {"alarm", 1}, {"visitor", 1},
	{"visitors", 1}, {"weather", 1}, {"tide", 1}, {"sun", 1}, {"sunrise", 1}, {"golden", 1}, {"blue_hour", 1},
	{"meetings", 1}, {"meeting", 1}, {"reminders", 1}, {"tasks", 1}, {"bookings", 1}, {"booking", 1},
	{"viewing", 1}, {"quote", 1}, {"hold", 1}, {"vacation", 1}, {"countdown", 1}, {"until", 1}, {"homework", 1},
	{"jet_lag", 1}, {"earnings", 1}, {"training", 1}, {"leave", 1}, {"appointment", 1}, {"order", 1},
	{"policy", 1}, {"interview", 1}, {"trip", 1}, {"schedule", 1}, {"market_open", 1}, {"session", 1}, {NULL, 0}};

static const rule verbs[] = {
	{"log", -1}, {"record", -1}, {"claim", -1}, {"report", -1}, {"complete", -1}, {"restore", -1},
	{"set", 1}, {"create", 1}, {"schedule", 1}, {"book", 1}, {"add", 1}, {"reserve", 1}, {"plan", 1},
	{"start", 1}, {"reschedule", 1}, {"move", 1}, {"remind", 1}, {"request", 1}, {"order", 1}, {"snooze", 1},
	{"postpone", 1}, {"change", 1}, {"update", 1}, {"propose", 1}, {"apply", 1}, {"renew", 1}, {"extend", 1},
	{"make", 1}, {"enable", 1}, {"pause", 1}, {"register", 1}, {"rent", 1}, {"hire", 1}, {"buy", 1},
	{"send", 1}, {"invite", 1}, {"cancel", 1}, {"skip", 1}, {"assign", 1}, {"onboard", 1}, {"pay", 1},
	{"transfer", 1}, {"share", 1}, {"duplicate", 1}, {"search_flights", 1}, {NULL, 0}};

static const rule *find(const rule *r, const char *name)
{
	while (r->word && !syn_has_word(name, r->word))
		r++;
	return r->word ? r : NULL;
}

int syn_tense_of(const char *tool, const char *param)
{
	const rule *p = find(params, param), *noun = find(nouns, tool);
	if (p && !(p->tense == SYN_LONG_AGO && noun && noun->tense == -1))
		return p->tense;
	/* "log_workout", "record_vaccination", but not "record_tv_programme" */
	if (noun)
		return noun->tense;
	for (const rule *v = verbs; v->word; v++)
		if (strlen(v->word) == strcspn(tool, "_") && strncmp(tool, v->word, strlen(v->word)) == 0)
			return v->tense;
	return 0;
}
