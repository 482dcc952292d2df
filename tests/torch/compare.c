/* compare - the same weights and the same batch through our trainer and through contrib/torch.
 *
 * Usage: compare MODEL TOKENS GRADS
 *
 * TOKENS: a file of needle-finetune --dump-tokens, of which the first batch counts. GRADS: what
 * needle_train.py --grads made of them: gradients under the names of the parameters, losses in the
 * metadata. Loss and each gradient must agree to 1e-3. Speaks TAP. */
#include "base/reader.h"
#include "tensor/exec.h"
#include "tests/tap.h"
#include "train/network.h"

#include <math.h>

static const double bound = 1e-3;

static uint32_t number(const unsigned char *p, int bytes)
{
	uint32_t v = 0;
	while (bytes-- > 0)
		v = v << 8 | p[bytes];
	return v;
}

static size_t *offsets(const unsigned char **p, size_t n)
{
	size_t *off = calloc(n + 1, sizeof *off);
	for (size_t i = 0; off && i < n; i++, *p += 4)
		off[i + 1] = off[i] + number(*p, 4);
	return off;
}

static int32_t *ids(const unsigned char **p, size_t n)
{
	int32_t *id = calloc(n + 1, sizeof *id);
	for (size_t i = 0; id && i < n; i++, *p += 2)
		id[i] = (int32_t)number(*p, 2);
	return id;
}

/* The first batch of a token file (needle-finetune(1)). Its arrays live until the program ends. */
static ndl_batch read_batch(const char *path)
{
	ndl_error e = NDL_ERROR_INIT;
	size_t len;
	const unsigned char *p = (const unsigned char *)ndl_read_all(path, &len, (size_t)1 << 30, &e);
	if (!p || len < 32 || memcmp(p, "NDLBATCH", 8) != 0) {
		printf("Bail out! %s is no token file\n", path);
		exit(99);
	}
	size_t size[6];
	for (int i = 0; i < 6; i++)
		size[i] = number(p + 8 + 4 * i, 4);
	p += 32;
	ndl_batch b = {.n = size[0], .n_pairs = size[1]};
	b.enc_off = offsets(&p, b.n);
	b.dec_off = offsets(&p, b.n);
	b.query_off = offsets(&p, b.n_pairs);
	b.tool_off = offsets(&p, b.n_pairs);
	b.enc = ids(&p, size[2]);
	b.dec_in = ids(&p, size[3]);
	b.dec_out = ids(&p, size[3]);
	b.cls = p;
	p += size[3];
	b.query = ids(&p, size[4]);
	b.tool = ids(&p, size[5]);
	return b;
}

static void check_loss(const ndl_ckpt *theirs, const char *key, double ours)
{
	const char *text = ndl_ckpt_meta(theirs, key);
	double value = text ? strtod(text, NULL) : NAN;
	tap_ok(fabs(value - ours) <= bound * fmax(1, fabs(ours)), "%s: %.6f, PyTorch %.6f", key, ours, value);
}

/* The largest difference against the largest value of the gradient. */
static void check_gradient(const ndl_ckpt *theirs, const ndl_slot *p, const float *ours)
{
	ndl_error e = NDL_ERROR_INIT;
	const ndl_tensor *t = ndl_ckpt_find(theirs, p->name);
	float *values = malloc((p->size + 1) * sizeof *values);
	bool there = t && values && ndl_tensor_elements(t) == p->size && ndl_tensor_to_f32(t, values, &e) == NDL_OK;
	double top, worst = tap_worst(values, ours, there ? p->size : 0, &top);
	/* a gradient of next to nothing is mostly rounding */
	tap_ok(there && worst <= bound * top + 1e-8, "%s: %.2g of the largest value, %.2g", p->name, worst / top, top);
	free(values);
}

int main(int argc, char **argv)
{
	ndl_error e = NDL_ERROR_INIT;
	if (argc != 4)
		return 2;
	static ndl_batch b; /* its arrays are reachable to the end */
	b = read_batch(argv[2]);
	ndl_ckpt *model = ndl_ckpt_open(argv[1], &e), *theirs = ndl_ckpt_open(argv[3], &e);
	ndl_exec *x = ndl_exec_new(1, NULL, &e);
	ndl_config c;
	if (!model || !theirs || !x || ndl_config_from_ckpt(&c, model, &e) != NDL_OK) {
		printf("Bail out! %s\n", e.text);
		return 99;
	}
	ndl_params ps;
	ndl_loss loss;
	ndl_loss_options o = NDL_LOSS_DEFAULTS;
	ndl_params_layout(&ps, &c);
	float *w = ndl_params_new(&ps), *grad = ndl_params_new(&ps);
	ndl_network *net = ndl_network_new(&ps, x, &e);
	CHECK_INT(ndl_params_read(&ps, w, model, 1, &e), NDL_OK);
	CHECK_INT(ndl_network_loss(net, &loss, grad, w, &b, &o, &e), NDL_OK);
	CHECK(b.n_pairs > 1);
	check_loss(theirs, "loss.loss", loss.total);
	check_loss(theirs, "loss.ce", loss.ce);
	check_loss(theirs, "loss.z", loss.z);
	check_loss(theirs, "loss.contrastive", loss.contrastive);
	for (int id = 0; id < NDL_P_COUNT; id++)
		check_gradient(theirs, &ps.p[id], grad + ps.p[id].offset);
	ndl_network_free(net);
	ndl_exec_free(x);
	ndl_ckpt_close(theirs);
	ndl_ckpt_close(model);
	free(w);
	free(grad);
	return tap_done();
}
