# lib/session: one request from tools and query to calls
libneedle_a_SOURCES += \
	lib/session/session.h lib/session/session_internal.h \
	lib/session/engine.c lib/session/session.c lib/session/calls.c lib/session/parity.c
