# needle-encode
bin_PROGRAMS += needle-encode
needle_encode_SOURCES = cmd/needle-encode.c cmd/engine.h cmd/engine.c cmd/npy.h cmd/npy.c
dist_man_MANS += man/needle-encode.1
dist_check_SCRIPTS += tests/cli/needle-encode.bats
