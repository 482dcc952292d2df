# needle-quantize
bin_PROGRAMS += needle-quantize
needle_quantize_SOURCES = cmd/needle-quantize.c cmd/quantize.h cmd/quantize_show.c
