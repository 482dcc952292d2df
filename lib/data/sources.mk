# lib/data: sources and unit tests of this room
# prompt: texts to token sequences, shared by training and inference
libneedle_a_SOURCES += lib/data/prompt.h lib/data/prompt.c
# from lines of JSON to batches
libneedle_a_SOURCES += \
	lib/data/batch.h lib/data/dataset.h lib/data/lines.h lib/data/record.h \
	lib/data/heldout.h lib/data/heldout.c

check_PROGRAMS += tests/unit/test_data_heldout
tests_unit_test_data_heldout_SOURCES = tests/unit/test_data_heldout.c tests/tap.h
