# lib/session: one request from tools and query to calls
libneedle_a_SOURCES += \
	lib/session/session.h lib/session/session_internal.h lib/session/chat.h lib/session/chat.c \
	lib/session/engine.c lib/session/session.c lib/session/decode_internal.h lib/session/calls.c lib/session/parity.c \
	lib/session/path_internal.h lib/session/path.c lib/session/search_internal.h lib/session/search.c lib/session/decode.c \
	lib/session/free.c lib/session/jump.c lib/session/rank.c lib/session/lexical_internal.h lib/session/lexical.c lib/session/embed.c \
	lib/session/ground_internal.h lib/session/pieces.c lib/session/copies.c lib/session/cover.c lib/session/rest.c lib/session/ground.c \
	lib/session/places_internal.h lib/session/places.c lib/session/runs.c lib/session/keep.c lib/session/sources.c

check_PROGRAMS += tests/unit/test_session tests/unit/test_ground tests/unit/test_chat
tests_unit_test_session_SOURCES = tests/unit/test_session.c tests/tap.h
tests_unit_test_chat_SOURCES = tests/unit/test_chat.c tests/tap.h
tests_unit_test_ground_SOURCES = tests/unit/test_ground.c tests/tap.h
