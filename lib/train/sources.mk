# lib/train: the network's forward and backward pass, losses, optimisers, the training loop
libneedle_a_SOURCES += \
	lib/train/params.h lib/train/params.c lib/train/widen.h lib/train/widen.c \
	lib/train/rows.h lib/train/rows.c \
	lib/train/attention.h lib/train/attention.c \
	lib/train/head_loss.h lib/train/head_loss.c \
	lib/train/network.h lib/train/network_internal.h \
	lib/train/network.c lib/train/network_batch.c lib/train/network_towers.c \
	lib/train/distil.h lib/train/distil.c \
	lib/train/lanes.h lib/train/lanes.c \
	lib/train/optimiser.h lib/train/optimiser.c lib/train/lora.h lib/train/lora.c \
	lib/train/run.h lib/train/run_internal.h lib/train/run.c lib/train/run_state.c

check_PROGRAMS += tests/unit/test_train_golden tests/unit/test_train_gradients
tests_unit_test_train_golden_SOURCES = tests/unit/test_train_golden.c tests/tap.h
tests_unit_test_train_gradients_SOURCES = tests/unit/test_train_gradients.c tests/tap.h
