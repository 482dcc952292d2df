# lib/checkpoint: model files (safetensors), the network's configuration, views of parameters
libneedle_a_SOURCES += \
	lib/checkpoint/checkpoint.h lib/checkpoint/checkpoint_internal.h lib/checkpoint/names.h \
	lib/checkpoint/config.c lib/checkpoint/confidence.c \
	lib/checkpoint/dtype.c \
	lib/checkpoint/half.h lib/checkpoint/half.c \
	lib/checkpoint/import.h lib/checkpoint/import_internal.h lib/checkpoint/import.c \
	lib/checkpoint/needle_rs.c \
	lib/checkpoint/params.c \
	lib/checkpoint/pickle.h lib/checkpoint/pickle.c lib/checkpoint/pickle_numpy.c lib/checkpoint/pickle_tree.c \
	lib/checkpoint/pickle_values.c \
	lib/checkpoint/reader.c lib/checkpoint/table.c \
	lib/checkpoint/writer.c

check_PROGRAMS += tests/unit/test_checkpoint_file tests/unit/test_checkpoint_model
tests_unit_test_checkpoint_file_SOURCES = tests/unit/test_checkpoint_file.c tests/tap.h
tests_unit_test_checkpoint_model_SOURCES = tests/unit/test_checkpoint_model.c tests/tap.h

check_PROGRAMS += tests/fuzz/fuzz_checkpoint
tests_fuzz_fuzz_checkpoint_SOURCES = tests/fuzz/fuzz_checkpoint.c tests/fuzz/fuzz.h tests/fuzz/read_ckpt.h tests/fuzz/replay_main.c tests/tap.h

check_PROGRAMS += tests/fuzz/fuzz_pickle
tests_fuzz_fuzz_pickle_SOURCES = tests/fuzz/fuzz_pickle.c tests/fuzz/fuzz.h tests/fuzz/read_ckpt.h tests/fuzz/replay_main.c tests/tap.h
