/* calibrate.h - confidence fitted to answers that are known to be right or wrong, and kept in the model file. */
#ifndef NDL_CMD_CALIBRATE_H
#define NDL_CMD_CALIBRATE_H

#include "eval/eval.h"
#include "session/session.h"

/* Zero-initialise; calibrate_clear frees. */
typedef struct calibration {
	ndl_fit_sample *sample;
	size_t n, cap;
	ndl_confidence fitted; /* once written */
} calibration;

void calibrate_clear(calibration *c);
ndl_status calibrate_add(calibration *c, const ndl_odds *odds, bool right, ndl_error *err);
/* Writes the model file `from` to `to`, which may be the same, with the confidence that fits the samples
 * in its metadata. NDL_EINVAL, and nothing written, if they are too few or all alike. */
ndl_status calibrate_write(calibration *c, const char *from, const char *to, ndl_error *err);

#endif
