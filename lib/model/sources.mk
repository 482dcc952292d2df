# lib/model: the network: weights, encoder, decoder with key-value cache, contrastive head
libneedle_a_SOURCES += \
	lib/model/model.h lib/model/model_internal.h lib/model/model.c \
	lib/model/layers.c lib/model/int_attention.c lib/model/encoder.c lib/model/decoder.c

check_PROGRAMS += tests/unit/test_model
tests_unit_test_model_SOURCES = tests/unit/test_model.c tests/tap.h
check_PROGRAMS += tests/unit/test_model_integer
tests_unit_test_model_integer_SOURCES = tests/unit/test_model_integer.c tests/tap.h
