# lib/readings: dates, times, quantities and numbers that a query says in words
libneedle_a_SOURCES += \
	lib/readings/readings.h lib/readings/readings_internal.h lib/readings/readings.c lib/readings/items.c \
	lib/readings/times.c lib/readings/days.c lib/readings/ends.c \
	lib/readings/moments.c lib/readings/quantity.c lib/readings/units.c \
	lib/readings/switches.c

check_PROGRAMS += tests/unit/test_readings
tests_unit_test_readings_SOURCES = tests/unit/test_readings.c tests/tap.h
