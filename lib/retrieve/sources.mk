# lib/retrieve: catalogues of tools, searched by words or by vectors
libneedle_a_SOURCES += \
	lib/retrieve/retrieve.h lib/retrieve/retrieve_internal.h \
	lib/retrieve/words.c lib/retrieve/said.c lib/retrieve/bm25.c lib/retrieve/index.c lib/retrieve/index_file.c

check_PROGRAMS += tests/unit/test_retrieve
tests_unit_test_retrieve_SOURCES = tests/unit/test_retrieve.c tests/tap.h
