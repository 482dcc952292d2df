# lib/session: one request from tools and query to calls
libneedle_a_SOURCES += \
	lib/session/session.h lib/session/session_internal.h \
	lib/session/engine.c lib/session/session.c lib/session/calls.c lib/session/parity.c \
	lib/session/path.c lib/session/decode.c lib/session/free.c lib/session/jump.c lib/session/pieces.c lib/session/rank.c lib/session/lexical.c lib/session/embed.c \
	lib/session/ground.c lib/session/derive.c

check_PROGRAMS += tests/unit/test_session
tests_unit_test_session_SOURCES = tests/unit/test_session.c tests/tap.h
