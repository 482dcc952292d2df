# needle-synth
bin_PROGRAMS += needle-synth
needle_synth_SOURCES = cmd/needle-synth.c
