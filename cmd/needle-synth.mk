# needle-synth
bin_PROGRAMS += needle-synth
needle_synth_SOURCES = cmd/needle-synth.c cmd/post.h cmd/post.c
needle_synth_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
needle_synth_LDADD = $(LDADD) $(CURL_LIBS)
dist_man_MANS += man/needle-synth.1 man/needle-corpus.5
dist_check_SCRIPTS += tests/cli/needle-synth.bats tests/cli/synth_own.bats
EXTRA_DIST += tests/cli/teacher.py
