# lib/tools: tool lists of every dialect, their schemas and their prompt text
libneedle_a_SOURCES += \
	lib/tools/tools.h lib/tools/tools_internal.h lib/tools/tools.c \
	lib/tools/schema_internal.h lib/tools/dialect.c lib/tools/schema.c lib/tools/schema_names.c lib/tools/schema_take.c \
	lib/tools/schema_merge.c lib/tools/schema_union.c lib/tools/pattern.c lib/tools/render.c lib/tools/check.c lib/tools/nullable.c

check_PROGRAMS += tests/unit/test_tools
tests_unit_test_tools_SOURCES = tests/unit/test_tools.c tests/tap.h
