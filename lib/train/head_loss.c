#include "train/head_loss.h"

#include "tensor/gemm.h"
#include "train/rows.h"

#include <math.h>
#include <string.h>

/* Rows of logits held at once by default: 128 x 8192 floats are 4 MB. */
enum { BLOCK_ROWS = 128 };

static size_t block_of(size_t rows, size_t block_rows)
{
	size_t block = block_rows ? block_rows : BLOCK_ROWS;
	return block < rows ? block : rows;
}

/* One block of logits, with a teacher two more; then lse, nll and kl of each row. */
size_t ndl_token_loss_scratch(size_t rows, size_t vocab, const ndl_loss_options *o)
{
	return block_of(rows, o->loss_rows) * vocab * (o->taught ? 3 : 1) + 3 * rows + 64;
}

/* Whether the target's logit is the largest, the first of equals. */
static bool is_argmax(const float *row, size_t n, size_t target)
{
	bool beaten = false;
	for (size_t j = 0; j < target; j++)
		beaten |= row[j] >= row[target];
	for (size_t j = target + 1; j < n; j++)
		beaten |= row[j] > row[target];
	return !beaten;
}

static size_t of_rows(const ndl_token_loss *t, const ndl_loss_options *o)
{
	return o->of_rows ? o->of_rows : t->rows;
}

static size_t of_tokens(const ndl_loss *loss, const ndl_loss_options *o)
{
	return o->of_tokens ? o->of_tokens : loss->tokens;
}

/* softmax -> d loss / d logits in place: ce_share (p - onehot) + 2 z_share lse p. */
static void row_gradient(const ndl_kernels *k, float *row, size_t vocab, float lse, float ce_share, float z_share,
                         int32_t target)
{
	float factor = ce_share + z_share * 2 * lse;
	k->scale_add(row, factor, row, 0, row, vocab);
	row[target] -= ce_share;
}

/* Returns the divergence KL(q || p) of p = softmax(logits / T) from q = softmax(teacher / T). teacher[vocab]
 * becomes q, soft[vocab] p. */
static float divergence(const ndl_kernels *k, float *soft, float *teacher, const float *logits, size_t vocab, float cool)
{
	k->scale_add(soft, cool, teacher, -cool, logits, vocab);
	k->scale_add(teacher, cool, teacher, 0, teacher, vocab);
	float lse = k->softmax(teacher, vocab), apart = k->dot(teacher, soft, vocab);
	k->scale_add(soft, cool, logits, 0, logits, vocab);
	return apart - lse + k->softmax(soft, vocab);
}

/* Of a block: logits[block, vocab], with a teacher its own too, and the learner's at the temperature; of all
 * rows: lse, nll and kl. */
typedef struct buffers {
	float *logits, *teacher, *soft, *lse, *nll, *kl;
} buffers;

static buffers lay_out(const ndl_token_loss *t, const ndl_loss_options *o, float *scratch)
{
	size_t size = block_of(t->rows, o->loss_rows) * t->vocab;
	buffers b = {.logits = scratch};
	if (o->taught) {
		b.teacher = scratch + size;
		b.soft = b.teacher + size;
	}
	b.lse = scratch + size * (o->taught ? 3 : 1);
	b.nll = b.lse + t->rows;
	b.kl = b.nll + t->rows;
	return b;
}

/* Row i of a block that begins at row `at`: logits become their gradient. Returns whether it was right. */
static bool run_row(const ndl_kernels *k, const ndl_token_loss *t, const ndl_loss_options *o, const buffers *b, size_t at,
                    size_t i, float share)
{
	size_t vocab = t->vocab, row = at + i;
	float *x = b->logits + i * vocab;
	int32_t target = t->target[row];
	bool counts = t->cls[row] < NDL_CLASS_COUNT, right = counts && is_argmax(x, vocab, (size_t)target);
	float weight = counts ? o->class_weight[t->cls[row]] * share : 0.0f, logit = x[target];
	if (o->taught)
		b->kl[row] = divergence(k, b->soft + i * vocab, b->teacher + i * vocab, x, vocab, 1 / o->teacher_temperature);
	b->lse[row] = t->d_hidden ? k->softmax(x, vocab) : k->logsumexp(x, vocab);
	b->nll[row] = b->lse[row] - logit;
	if (!t->d_hidden)
		return right;
	row_gradient(k, x, vocab, b->lse[row], o->taught ? weight * (1 - o->teacher_weight) : weight,
	             o->z_weight / (float)of_rows(t, o), target);
	if (o->taught) { /* of T^2 kl: the temperature divides the logits, so one T is left */
		float pull = weight * o->teacher_weight * o->teacher_temperature;
		k->axpy(x, pull, b->soft + i * vocab, vocab);
		k->axpy(x, -pull, b->teacher + i * vocab, vocab);
	}
	return right;
}

/* Sums over the rows in order, in double: the same for any number of threads. */
static void add_up(const ndl_token_loss *t, ndl_loss *loss, const ndl_loss_options *o, const buffers *b)
{
	for (size_t i = 0; i < t->rows; i++) {
		loss->z += (double)b->lse[i] * (double)b->lse[i] / (double)of_rows(t, o);
		if (t->cls[i] >= NDL_CLASS_COUNT)
			continue;
		double weight = (double)o->class_weight[t->cls[i]], tokens = (double)of_tokens(loss, o);
		loss->ce += weight * (double)b->nll[i] / tokens;
		loss->kl += o->taught ? weight * (double)b->kl[i] / tokens : 0;
	}
}

static void logits_of(ndl_exec *x, float *logits, const float *states, const float *embedding, size_t n, size_t vocab, size_t d)
{
	ndl_gemm(x, false, true, n, vocab, d, 1, states, d, embedding, d, 0, logits, vocab);
}

void ndl_token_loss_run(ndl_exec *x, const ndl_token_loss *t, ndl_loss *loss, const ndl_loss_options *o,
                        float *scratch)
{
	const ndl_kernels *k = ndl_exec_kernels(x);
	const ndl_taught *taught = o->taught;
	size_t block = block_of(t->rows, o->loss_rows), correct = 0;
	buffers b = lay_out(t, o, scratch);
	for (size_t i = 0; i < t->rows; i++)
		loss->tokens += t->cls[i] < NDL_CLASS_COUNT;
	float share = loss->tokens ? 1.0f / (float)of_tokens(loss, o) : 0.0f;
	for (size_t at = 0; at < t->rows; at += block) {
		size_t n = block < t->rows - at ? block : t->rows - at;
		const float *hidden = t->hidden + at * t->d;
		logits_of(x, b.logits, hidden, t->embedding, n, t->vocab, t->d);
		if (taught)
			logits_of(x, b.teacher, taught->states + at * taught->d, taught->embedding, n, t->vocab, taught->d);
#pragma omp parallel for num_threads(ndl_exec_threads(x)) reduction(+ : correct)
		for (size_t i = 0; i < n; i++)
			correct += run_row(k, t, o, &b, at, i, share);
		if (t->d_hidden) {
			ndl_gemm(x, false, false, n, t->d, t->vocab, 1, b.logits, t->vocab, t->embedding, t->d, 0,
			         t->d_hidden + at * t->d, t->d);
			ndl_gemm(x, true, false, t->vocab, t->d, n, 1, b.logits, t->vocab, hidden, t->d, 1, t->g_embedding, t->d);
		}
	}
	loss->correct = correct;
	add_up(t, loss, o, &b);
}

/* Contrastive ---------------------------------------------------------------------------- */

size_t ndl_clip_loss_scratch(size_t pairs, size_t d, size_t out)
{
	return 2 * pairs * (d + d / 4 + 2 * out + 1) + 2 * pairs * pairs + 64;
}

/* embed rows := rows / sqrt(sum of squares + 1e-12), keeping the divisors. */
static void normalise(float *embed, float *length, size_t n, size_t c)
{
	for (size_t i = 0; i < n; i++) {
		double sum = 0;
		for (size_t j = 0; j < c; j++)
			sum += (double)embed[i * c + j] * (double)embed[i * c + j];
		length[i] = (float)sqrt(sum + 1e-12);
		for (size_t j = 0; j < c; j++)
			embed[i * c + j] /= length[i];
	}
}

/* Cross-entropy of the diagonal along rows (stride 1) or columns; adds its share of the
 * gradient to ds. Returns the mean. */
static double diagonal_ce(const float *s, float *ds, size_t n, size_t row_step, size_t col_step)
{
	double total = 0;
	for (size_t i = 0; i < n; i++) {
		double max = -INFINITY, sum = 0;
		for (size_t j = 0; j < n; j++)
			max = fmax(max, (double)s[i * row_step + j * col_step]);
		for (size_t j = 0; j < n; j++)
			sum += exp((double)s[i * row_step + j * col_step] - max);
		double lse = max + log(sum);
		total += lse - (double)s[i * row_step + i * col_step];
		for (size_t j = 0; j < n; j++) {
			double p = exp((double)s[i * row_step + j * col_step] - lse);
			ds[i * row_step + j * col_step] += (float)(0.5 * (p - (i == j)) / (double)n);
		}
	}
	return total / (double)n;
}

/* In the scratch, for n = 2 * pairs rows. */
typedef struct clip_buffers {
	float *d_pooled, *d_hidden, *d_embed; /* [n, d], [n, hidden], [n, out] */
	float *length;                        /* [n] of the embeddings before they were divided by it */
	float *s, *ds;                        /* [pairs, pairs]: similarities by the temperature, and d loss / d s */
} clip_buffers;

static clip_buffers lay_out_clip(const ndl_clip_head *h, size_t pairs, float *scratch)
{
	size_t n = 2 * pairs;
	clip_buffers b = {.d_pooled = scratch};
	b.d_hidden = b.d_pooled + n * h->d;
	b.d_embed = b.d_hidden + n * h->hidden;
	b.length = b.d_embed + n * h->out;
	b.s = b.length + n;
	b.ds = b.s + pairs * pairs;
	return b;
}

/* Similarities are divided by the temperature exp(clip(log_temp, +-ln 100)). */
static const float temp_limit = 4.6051702f;

static float sharpness(const ndl_clip_head *h)
{
	return expf(-fminf(fmaxf(h->log_temp, -temp_limit), temp_limit));
}

/* embed[n, out]: unit vectors of pooled[n, d], by way of hidden[n, hidden]. */
static void head_forward(ndl_exec *x, const ndl_clip_head *h, const clip_buffers *b, float *hidden, float *embed,
                         const float *pooled, size_t n)
{
	ndl_gemm(x, false, false, n, h->hidden, h->d, 1, pooled, h->d, h->w_hidden, h->hidden, 0, hidden, h->hidden);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < h->hidden; j++)
			hidden[i * h->hidden + j] = fmaxf(hidden[i * h->hidden + j] + h->bias[j], 0.0f);
	ndl_gemm(x, false, false, n, h->out, h->hidden, 1, hidden, h->hidden, h->w_proj, h->out, 0, embed, h->out);
	normalise(embed, b->length, n, h->out);
}

/* From ds, which gets the weight, to d_embed and the temperature's gradient. */
static void similarity_backward(ndl_exec *x, const ndl_clip_head *h, const clip_buffers *b, const float *embed, size_t pairs,
                                float weight)
{
	size_t c = h->out;
	const float *zq = embed, *zt = embed + pairs * c;
	double d_temp = 0; /* d loss / d log_temp = -sum ds * s where the clip does not bind */
	for (size_t i = 0; i < pairs * pairs; i++) {
		b->ds[i] *= weight;
		d_temp += (double)b->ds[i] * (double)b->s[i];
	}
	if (h->log_temp > -temp_limit && h->log_temp < temp_limit)
		*h->g_log_temp -= (float)d_temp;
	ndl_gemm(x, false, false, pairs, c, pairs, sharpness(h), b->ds, pairs, zt, c, 0, b->d_embed, c);
	ndl_gemm(x, true, false, pairs, c, pairs, sharpness(h), b->ds, pairs, zq, c, 0, b->d_embed + pairs * c, c);
}

/* From d_embed to d_pooled and the gradients of the head. */
static void head_backward(ndl_exec *x, const ndl_clip_head *h, const clip_buffers *b, const float *hidden, const float *embed,
                          const float *pooled, size_t n)
{
	size_t c = h->out;
	for (size_t i = 0; i < n; i++) { /* through the L2 normalisation */
		float *dz = b->d_embed + i * c;
		float dot = ndl_exec_kernels(x)->dot(dz, embed + i * c, c);
		for (size_t j = 0; j < c; j++)
			dz[j] = (dz[j] - embed[i * c + j] * dot) / b->length[i];
	}
	ndl_gemm(x, true, false, h->hidden, c, n, 1, hidden, h->hidden, b->d_embed, c, 1, h->g_proj, c);
	ndl_gemm(x, false, true, n, h->hidden, c, 1, b->d_embed, c, h->w_proj, c, 0, b->d_hidden, h->hidden);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < h->hidden; j++) {
			float *g = &b->d_hidden[i * h->hidden + j];
			if (hidden[i * h->hidden + j] <= 0)
				*g = 0;
			h->g_bias[j] += *g;
		}
	ndl_gemm(x, true, false, h->d, h->hidden, n, 1, pooled, h->d, b->d_hidden, h->hidden, 1, h->g_hidden, h->hidden);
	ndl_gemm(x, false, true, n, h->d, h->hidden, 1, b->d_hidden, h->hidden, h->w_hidden, h->hidden, 0, b->d_pooled, h->d);
}

float *ndl_clip_loss(ndl_exec *x, const ndl_clip_head *h, double *loss, float *hidden, float *embed,
                     const float *pooled, size_t pairs, float weight, float *scratch)
{
	size_t c = h->out;
	clip_buffers b = lay_out_clip(h, pairs, scratch);
	head_forward(x, h, &b, hidden, embed, pooled, 2 * pairs);
	ndl_gemm(x, false, true, pairs, pairs, c, sharpness(h), embed, c, embed + pairs * c, c, 0, b.s, pairs);
	memset(b.ds, 0, pairs * pairs * sizeof *b.ds);
	*loss = 0.5 * (diagonal_ce(b.s, b.ds, pairs, pairs, 1) + diagonal_ce(b.s, b.ds, pairs, 1, pairs));
	if (!h->g_hidden)
		return NULL;
	similarity_backward(x, h, &b, embed, pairs, weight);
	head_backward(x, h, &b, hidden, embed, pooled, 2 * pairs);
	return b.d_pooled;
}
