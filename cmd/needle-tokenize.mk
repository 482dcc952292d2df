# needle-tokenize
bin_PROGRAMS += needle-tokenize
needle_tokenize_SOURCES = cmd/needle-tokenize.c
