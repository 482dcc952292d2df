# lib/json: reading through jansson, writing compactly as Python's json.dumps does
libneedle_a_SOURCES += lib/json/json.h lib/json/json.c

check_PROGRAMS += tests/unit/test_json
tests_unit_test_json_SOURCES = tests/unit/test_json.c tests/tap.h
