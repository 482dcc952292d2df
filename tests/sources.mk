# Bats tests of the commands and lint tests

# the smallest command, for what all share
EXTRA_PROGRAMS += tests/cli/probe
tests_cli_probe_SOURCES = tests/cli/probe.c
check_DATA += tests/cli/probe$(EXEEXT)
CLEANFILES += tests/cli/probe$(EXEEXT)
dist_check_SCRIPTS += tests/cli/common.bats tests/cli/common_contract.bats tests/cli/install.bats \
	tests/cli/man_examples.bats tests/cli/help_examples.bats

# the tree itself
dist_check_SCRIPTS += tests/lint/includes.bats tests/lint/options.bats tests/lint/tree.bats
EXTRA_DIST += tests/lint/lint.bash tests/cli/examples.bash

# a model with random weights, for tests of commands that need one
EXTRA_PROGRAMS += tests/mkmodel
tests_mkmodel_SOURCES = tests/mkmodel.c
check_DATA += tests/mkmodel$(EXEEXT)
CLEANFILES += tests/mkmodel$(EXEEXT)

# random schemas, judged by an independent validator
dist_check_SCRIPTS += tests/property/schemas.bats
EXTRA_DIST += tests/property/validate.py

# kernels of another architecture
dist_check_SCRIPTS += tests/kernels/aarch64.bats

# a model's raw numbers, for the comparison with NumPy
EXTRA_PROGRAMS += tests/forward
tests_forward_SOURCES = tests/forward.c
check_DATA += tests/forward$(EXEEXT)
CLEANFILES += tests/forward$(EXEEXT)

# contrib/torch against our trainer
EXTRA_PROGRAMS += tests/torch/compare
tests_torch_compare_SOURCES = tests/torch/compare.c tests/tap.h
check_DATA += tests/torch/compare$(EXEEXT)
CLEANFILES += tests/torch/compare$(EXEEXT)
dist_check_SCRIPTS += tests/torch/torch.bats
EXTRA_DIST += contrib/torch/README.md contrib/torch/needle_train.py contrib/torch/needle_model.py contrib/torch/needle_data.py \
	contrib/torch/needle_bench.py contrib/bench-train.sh
