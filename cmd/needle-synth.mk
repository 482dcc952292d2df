# needle-synth
bin_PROGRAMS += needle-synth
needle_synth_SOURCES = cmd/needle-synth.c
dist_man_MANS += man/needle-synth.1 man/needle-corpus.5
dist_check_SCRIPTS += tests/cli/needle-synth.bats
