# needle-infer
bin_PROGRAMS += needle-infer
needle_infer_SOURCES = cmd/needle-infer.c cmd/answer.h cmd/answer.c cmd/engine.h cmd/engine.c cmd/npy.h cmd/npy.c
dist_man_MANS += man/needle-infer.1
dist_check_SCRIPTS += tests/cli/needle-infer.bats
EXTRA_DIST += testdata/tools.json tests/cli/model.bash tests/reference/needle_numpy.py
