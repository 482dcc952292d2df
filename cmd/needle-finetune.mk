# needle-finetune
bin_PROGRAMS += needle-finetune
needle_finetune_SOURCES = cmd/needle-finetune.c cmd/finetune_job.h cmd/finetune_job.c cmd/train_log.h cmd/train_log.c \
	cmd/finetune_options.h cmd/finetune_options.c cmd/finetune_data.h cmd/finetune_data.c \
	cmd/finetune_dump.h cmd/finetune_dump.c cmd/finetune_best.h cmd/finetune_best.c \
	cmd/finetune_score.h cmd/finetune_score.c cmd/calibrate.h cmd/calibrate.c cmd/eval_infer.h cmd/eval_infer.c \
	cmd/answer.h cmd/answer.c cmd/engine.h cmd/engine.c
dist_man_MANS += man/needle-finetune.1
dist_check_SCRIPTS += tests/cli/needle-finetune.bats
