# needle-eval
bin_PROGRAMS += needle-eval
needle_eval_SOURCES = cmd/needle-eval.c cmd/eval_report.h cmd/eval_report.c \
	cmd/calibrate.h cmd/calibrate.c cmd/eval_infer.h cmd/eval_infer.c cmd/answer.h cmd/answer.c cmd/engine.h cmd/engine.c
dist_man_MANS += man/needle-eval.1
dist_check_SCRIPTS += tests/cli/needle-eval.bats
