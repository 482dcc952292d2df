/* switches.c - whether a query wants something to be on or off, and which booleans say that of what their tool is about. English. */
#include "readings/readings_internal.h"

#include <string.h>

enum { LOOK = 4096 }; /* bytes of a query that are looked at */

/* Whether the "on" at item `from` of the query switches something: "turn on", "turn it on", "fan on in the study", not "on Monday". */
static bool is_switched(const char *s, size_t len, const ndl_item *on)
{
	static const char *const before[] = {"turn", "turns", "turned", "turning", "switch", "switches", "switched", "switching", "power",
		"put", "flip", "back"};
	static const char *const not_before[] = {"going", "later", "is", "whats", "are", "move", "carry", "so", "and", "now", "go"};
	static const char *const behind[] = {"in", "at", "please", "now", "for", "until", "till", "when", "and", "then", "again", "if",
		"as", "before", "after", "while", ".", ",", ";", "!", "?"};
	ndl_view v = {.s = s, .len = len};
	if (NDL_IS_BEHIND(s, len, on->from, before))
		return true;
	ndl_look(&v, on->to);
	return (v.n == 0 || NDL_IS_ANY(&v, 0, behind)) && on->from && !NDL_IS_BEHIND(s, len, on->from, not_before);
}

unsigned ndl_switches_said(const char *query, size_t len)
{
	ndl_item x, next;
	unsigned said = 0;
	const size_t n = len < LOOK ? len : LOOK;
	for (size_t at = 0, peek; ndl_take_item(query, n, &at, &x);) {
		peek = at;
		if (strcmp(x.word, "on") == 0 && is_switched(query, n, &x))
			said |= NDL_SWITCH_ON;
		else if (strcmp(x.word, "off") == 0 && !(ndl_take_item(query, n, &peek, &next) && strcmp(next.word, "of") == 0))
			said |= NDL_SWITCH_OFF;
		else if (strcmp(x.word, "enable") == 0 || strcmp(x.word, "activate") == 0)
			said |= NDL_SWITCH_ON;
		else if (strcmp(x.word, "disable") == 0 || strcmp(x.word, "deactivate") == 0)
			said |= NDL_SWITCH_OFF;
	}
	return said;
}
