# lib/base: errors, memory, buffers, files, random numbers; depends on nothing else of ours
libneedle_a_SOURCES += \
	lib/base/archive.h lib/base/archive.c \
	lib/base/ascii.h \
	lib/base/libarchive.h lib/base/libarchive.c \
	lib/base/error.h lib/base/error.c \
	lib/base/mem.h lib/base/mem.c \
	lib/base/buf.h lib/base/buf.c \
	lib/base/clock.h lib/base/clock.c \
	lib/base/day.h lib/base/day.c \
	lib/base/gunzip.h lib/base/gunzip.c \
	lib/base/map.h lib/base/map.c \
	lib/base/narrow.h \
	lib/base/outfile.h lib/base/outfile.c \
	lib/base/reader.h lib/base/reader.c \
	lib/base/rng.h lib/base/rng.c lib/base/xxh64.c \
	lib/base/sort.h lib/base/sort.c \
	lib/base/utf8.h lib/base/utf8.c

check_PROGRAMS += tests/unit/test_base
tests_unit_test_base_SOURCES = tests/unit/test_base.c tests/tap.h
