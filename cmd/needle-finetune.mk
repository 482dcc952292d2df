# needle-finetune
bin_PROGRAMS += needle-finetune
needle_finetune_SOURCES = cmd/needle-finetune.c cmd/train_log.h cmd/train_log.c
dist_man_MANS += man/needle-finetune.1
dist_check_SCRIPTS += tests/cli/needle-finetune.bats
