# lib/synth: corpus files, composition of training examples; uses json and base (tools only in tests)
libneedle_a_SOURCES += \
	lib/synth/synth.h lib/synth/synth_internal.h lib/synth/synth.c lib/synth/stats.c \
	lib/synth/corpus.h lib/synth/corpus.c lib/synth/card.h lib/synth/card.c lib/synth/lists.c \
	lib/synth/values.h lib/synth/values.c lib/synth/words.c lib/synth/when.c \
	lib/synth/compose.h lib/synth/fill.c lib/synth/surface.c lib/synth/offer.c
