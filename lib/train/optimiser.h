/* optimiser.h - Muon for kernels, AdamW for all else, gradient clipping, and the WSD schedule
 * (SPEC section 8). */
#ifndef NDL_TRAIN_OPTIMISER_H
#define NDL_TRAIN_OPTIMISER_H

#include "tensor/exec.h"
#include "train/params.h"

typedef struct ndl_optimiser_options {
	double adam_lr, muon_lr;          /* peaks: 3e-4 pretraining / 3e-5 fine-tuning; 0.02 */
	double adam_b1, adam_b2, adam_eps; /* 0.9, 0.95, 1e-8 */
	double muon_momentum;             /* 0.95, Nesterov */
	double weight_decay;              /* 0.01, kernels only, decoupled */
	double clip_norm;                 /* 1.0; 0: no clipping */
} ndl_optimiser_options;

#define NDL_OPTIMISER_DEFAULTS {3e-4, 0.02, 0.9, 0.95, 1e-8, 0.95, 0.01, 1.0}

/* Learning-rate factor of the 0-based step of `total`: linear warm-up from 0 over `warmup` steps,
 * constant, then over the last `decay` steps a cosine down to `floor` (WSD). */
typedef struct ndl_schedule {
	uint64_t total, warmup, decay;
	double floor; /* 0.05 */
} ndl_schedule;
double ndl_schedule_factor(const ndl_schedule *s, uint64_t step);

/* Brings grad[n] down to o->clip_norm if it is longer, and returns the norm that it had. One that is not finite changes nothing. */
double ndl_clip_gradient(ndl_exec *x, float *grad, size_t n, const ndl_optimiser_options *o);
/* One step of Adam for w[n] with the moments m[n] and v[n], the learning rate scaled by lr_factor. step: updates done before. */
void ndl_adam(ndl_exec *x, float *w, float *m, float *v, const float *grad, size_t n, const ndl_optimiser_options *o,
              uint64_t step, double lr_factor);

/* State: Adam's two moments (m[total], v[total]); Muon's momentum shares m. Owned by the caller. */
typedef struct ndl_optimiser {
	const ndl_params *ps;
	ndl_optimiser_options o;
	float *m, *v;     /* ps->total floats each, zero at step 0 */
	uint64_t step;    /* updates done; Adam's bias correction counts them */
	float *scratch;   /* of Muon, one part a thread: grows with their number */
	size_t scratch_cap;
} ndl_optimiser;

ndl_status ndl_optimiser_init(ndl_optimiser *opt, const ndl_params *ps, const ndl_optimiser_options *o, ndl_error *err);
void ndl_optimiser_clear(ndl_optimiser *opt);

/* Clips grad in place by its global norm (returned, before clipping), then updates params with
 * learning rates scaled by lr_factor. frozen: one flag a parameter (NDL_P_COUNT), or NULL.
 * A NaN or infinite norm changes nothing and is returned: the caller decides. -1: out of memory, nothing changed. */
double ndl_optimiser_step(ndl_optimiser *opt, ndl_exec *x, float *params, float *grad, double lr_factor,
                          const unsigned char *frozen);

/* out[rows, cols] ~ the orthogonal factor of g: five Newton-Schulz steps with 3.4445, -4.7750,
 * 2.0315 on g / (|g|_F + 1e-7), transposed if rows > cols (Jordan et al., "Muon", 2024).
 * scratch: ndl_newton_schulz_scratch floats. Runs in the calling thread alone, `thread` as in
 * ndl_gemm_serial. */
size_t ndl_newton_schulz_scratch(size_t rows, size_t cols);
void ndl_newton_schulz(ndl_exec *x, int thread, float *out, const float *g, size_t rows, size_t cols, float *scratch);

#endif
