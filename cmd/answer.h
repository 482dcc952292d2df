/* answer.h - what a session found, as the fields of a record: "calls", "confidence" and, where they apply, the others of
 * needle-infer(1). */
#ifndef NDL_CMD_ANSWER_H
#define NDL_CMD_ANSWER_H

#include "session/session.h"

/* Takes the fields of an earlier answer out of the record: they are not to be taken for this one's. */
void answer_drop(json_t *record);
void answer_add(json_t *record, const ndl_result *r, bool timings);
/* Token counts and milliseconds. New reference. */
json_t *answer_timings(const ndl_result *r);
/* What is to be said of an answer to a prompt that was cut; NULL if it was not. */
const char *answer_cut(const ndl_result *r);
/* x to so many digits after the point: those beyond are noise, and differ between processors. */
double answer_digits(double x, int digits);

#endif
