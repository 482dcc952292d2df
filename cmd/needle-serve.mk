# needle-serve, and the page that it shows, as bytes of the program
bin_PROGRAMS += needle-serve
needle_serve_SOURCES = cmd/needle-serve.c cmd/serve.h cmd/serve.c cmd/serve_http.h cmd/serve_http.c \
	cmd/answer.h cmd/answer.c cmd/engine.h cmd/engine.c
needle_serve_CPPFLAGS = $(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS)
needle_serve_LDADD = $(LDADD) $(MICROHTTPD_LIBS) -lpthread
cmd/needle_serve-serve.$(OBJEXT): cmd/playground.inc
cmd/playground.inc: $(top_srcdir)/share/playground.html
	@$(MKDIR_P) cmd
	od -An -v -tx1 "$(top_srcdir)/share/playground.html" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g' >$@.new && mv $@.new $@
CLEANFILES += cmd/playground.inc
EXTRA_DIST += share/playground.html
dist_man_MANS += man/needle-serve.1
dist_check_SCRIPTS += tests/cli/needle-serve.bats
