#include "cmd/finetune_best.h"

#include "base/outfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *with_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path) + strlen(suffix) + 1;
	char *s = malloc(n);
	if (s)
		snprintf(s, n, "%s%s", path, suffix);
	return s;
}

/* What an earlier process of this run found out. A file that does not say is no such file. */
static void recall(finetune_best *b)
{
	ndl_error ignored = NDL_ERROR_INIT;
	ndl_ckpt *c = ndl_ckpt_open(b->path, &ignored);
	if (!c)
		return;
	const char *step = ndl_ckpt_meta(c, "training.step"), *f1 = ndl_ckpt_meta(c, "training.call_f1"),
	           *loss = ndl_ckpt_meta(c, "training.val_loss");
	if (step && f1 && loss) {
		b->step = strtoull(step, NULL, 10);
		b->f1 = strtod(f1, NULL);
		b->loss = strtod(loss, NULL);
	}
	ndl_ckpt_close(c);
}

ndl_status finetune_best_open(finetune_best *b, const char *out, bool resume, ndl_error *err)
{
	*b = (finetune_best){.path = with_suffix(out, ".best"), .trial = with_suffix(out, ".trial")};
	if (!b->path || !b->trial)
		return ndl_fail_nomem(err, "file names");
	if (resume)
		recall(b);
	else
		unlink(b->path);
	return NDL_OK;
}

void finetune_best_close(finetune_best *b)
{
	if (b->trial)
		unlink(b->trial);
	free(b->path);
	free(b->trial);
	*b = (finetune_best){0};
}

ndl_status finetune_best_try(const finetune_best *b, const ndl_run *run, ndl_error *err)
{
	return ndl_run_write_model(run, b->trial, NULL, err);
}

ndl_status finetune_best_judge(finetune_best *b, const ndl_run *run, double f1, double loss, ndl_error *err)
{
	char step[24], score[32], val[32];
	if (b->step && (f1 < b->f1 || (f1 == b->f1 && loss >= b->loss)))
		return NDL_OK;
	snprintf(step, sizeof step, "%llu", (unsigned long long)ndl_run_steps(run));
	snprintf(score, sizeof score, "%.17g", f1);
	snprintf(val, sizeof val, "%.17g", loss);
	const char *meta[] = {"training.step", step, "training.call_f1", score, "training.val_loss", val, NULL};
	ndl_status status = ndl_run_write_model(run, b->path, meta, err);
	if (status != NDL_OK)
		return status;
	b->step = ndl_run_steps(run);
	b->f1 = f1;
	b->loss = loss;
	return NDL_OK;
}

ndl_status finetune_best_take(const finetune_best *b, const char *out, ndl_error *err)
{
	unlink(b->trial);
	/* a second name, so that the file is never missing; some file systems have no links */
	const char *from = link(b->path, b->trial) == 0 ? b->trial : b->path;
	char *target = realpath(out, NULL); /* a link stays one; NULL for a new file */
	ndl_status status = NDL_OK;
	if (chmod(from, ndl_outfile_mode(out)) != 0)
		status = ndl_fail_errno(err, "%s: cannot have the mode of %s", b->path, out);
	else if (rename(from, target ? target : out) != 0)
		status = ndl_fail_errno(err, "%s: cannot be renamed to %s", b->path, target ? target : out);
	free(target);
	return status;
}

void finetune_best_done(const finetune_best *b)
{
	unlink(b->path);
}
