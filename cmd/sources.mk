# cmd: thin programs over libneedle; each command's fragment lists its program, page and test
noinst_LIBRARIES = libcli.a
libcli_a_SOURCES = cmd/cli.h cmd/cli.c cmd/cli_options.c cmd/records.h cmd/records.c
include $(top_srcdir)/cmd/needle-tokenize.mk
include $(top_srcdir)/cmd/needle-encode.mk
include $(top_srcdir)/cmd/needle-infer.mk
include $(top_srcdir)/cmd/needle-finetune.mk
include $(top_srcdir)/cmd/needle-quantize.mk
include $(top_srcdir)/cmd/needle-eval.mk
include $(top_srcdir)/cmd/needle-synth.mk
include $(top_srcdir)/cmd/needle-bench.mk
include $(top_srcdir)/cmd/needle-serve.mk
