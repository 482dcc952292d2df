# lib/synth: corpus files, composition of training examples; uses data, json and base
libneedle_a_SOURCES += \
	lib/synth/synth.h lib/synth/synth_internal.h lib/synth/synth.c lib/synth/draw.h lib/synth/draw.c \
	lib/synth/kinds.c lib/synth/context.c lib/synth/several.c lib/synth/dated.c lib/synth/stats.c \
	lib/synth/corpus.h lib/synth/corpus.c lib/synth/card.h lib/synth/card.c lib/synth/phrases.c lib/synth/vary.c lib/synth/lists.c \
	lib/synth/parts.c lib/synth/invent.h lib/synth/invent_internal.h lib/synth/invent.c lib/synth/invent_phrases.c \
	lib/synth/values.h lib/synth/values.c lib/synth/words.c lib/synth/when.c lib/synth/dates.c lib/synth/today.c lib/synth/tense.c \
	lib/synth/own.h lib/synth/own_internal.h lib/synth/own.c lib/synth/own_fields.c lib/synth/guess.c lib/synth/hashset.h lib/synth/hashset.c \
	lib/synth/teacher.h lib/synth/teacher.c \
	lib/synth/mix.h lib/synth/mix.c lib/synth/requests.h lib/synth/requests.c lib/synth/folder.h lib/synth/folder.c \
	lib/synth/compose.h lib/synth/fill.h lib/synth/fill.c lib/synth/pairs.c lib/synth/joints.c lib/synth/repeats.c lib/synth/surface.c lib/synth/offer.c

check_PROGRAMS += tests/unit/test_synth_values tests/unit/test_synth
tests_unit_test_synth_values_SOURCES = tests/unit/test_synth_values.c tests/tap.h
tests_unit_test_synth_SOURCES = tests/unit/test_synth.c tests/tap.h
