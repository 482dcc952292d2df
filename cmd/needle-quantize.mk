# needle-quantize
bin_PROGRAMS += needle-quantize
needle_quantize_SOURCES = cmd/needle-quantize.c cmd/quantize.h cmd/quantize_calibrate.c cmd/quantize_check.c \
	cmd/quantize_show.c cmd/engine.h cmd/engine.c
dist_man_MANS += man/needle-quantize.1 man/needle-checkpoint.5
dist_check_SCRIPTS += tests/cli/needle-quantize.bats tests/cli/quantize_import.bats
EXTRA_DIST += tests/reference/upstream.py
