# lib/eval: metrics of calls, calibration of confidence
libneedle_a_SOURCES += \
	lib/eval/eval.h lib/eval/eval_internal.h lib/eval/eval.c lib/eval/calls.c lib/eval/metrics.c \
	lib/eval/reliability.c lib/eval/fit.c lib/eval/recall.c

check_PROGRAMS += tests/unit/test_eval
tests_unit_test_eval_SOURCES = tests/unit/test_eval.c tests/tap.h
