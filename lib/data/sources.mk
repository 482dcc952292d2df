# lib/data: sources and unit tests of this room
# prompt: texts to token sequences, shared by training and inference
libneedle_a_SOURCES += lib/data/prompt.h lib/data/prompt.c
# from lines of JSON to batches
libneedle_a_SOURCES += \
	lib/data/batch.h \
	lib/data/heldout.h lib/data/heldout.c \
	lib/data/augment.h lib/data/augment.c \
	lib/data/record.h lib/data/record.c lib/data/answer.c lib/data/example.c \
	lib/data/lines.h lib/data/lines_internal.h lib/data/lines.c lib/data/split.c \
	lib/data/dataset.h lib/data/dataset.c lib/data/source.h lib/data/source.c

check_PROGRAMS += tests/unit/test_data_heldout
tests_unit_test_data_heldout_SOURCES = tests/unit/test_data_heldout.c tests/tap.h
check_PROGRAMS += tests/unit/test_data_record tests/unit/test_data_dataset
tests_unit_test_data_record_SOURCES = tests/unit/test_data_record.c tests/tap.h
tests_unit_test_data_dataset_SOURCES = tests/unit/test_data_dataset.c tests/tap.h

check_PROGRAMS += tests/fuzz/fuzz_record
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c tests/tap.h
check_PROGRAMS += tests/unit/test_prompt
tests_unit_test_prompt_SOURCES = tests/unit/test_prompt.c tests/tap.h
