# lib/quant: rounding of weights to INT4 and INT8
libneedle_a_SOURCES += \
	lib/quant/calib.h lib/quant/calib.c \
	lib/quant/gptq.h lib/quant/gptq.c \
	lib/quant/convert.h lib/quant/convert.c \
	lib/quant/quant.h lib/quant/quant.c

check_PROGRAMS += tests/unit/test_quant
tests_unit_test_quant_SOURCES = tests/unit/test_quant.c tests/tap.h
