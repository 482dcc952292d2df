# needle-bench
bin_PROGRAMS += needle-bench
needle_bench_SOURCES = cmd/needle-bench.c cmd/bench.h cmd/bench_kernels.c cmd/bench_integer.c \
	cmd/bench_model.c cmd/bench_process.c cmd/bench_train.c cmd/bench_answer.c \
	cmd/bench_request.c cmd/engine.h cmd/engine.c
dist_man_MANS += man/needle-bench.1
dist_check_SCRIPTS += tests/cli/needle-bench.bats
