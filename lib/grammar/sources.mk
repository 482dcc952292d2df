# lib/grammar: tool schemas as an automaton over bytes, and token masks from it
libneedle_a_SOURCES += \
	lib/grammar/grammar.h lib/grammar/grammar_internal.h lib/grammar/compile_internal.h \
	lib/grammar/regex_internal.h lib/grammar/regex_parse_internal.h lib/grammar/regex_parse.c lib/grammar/regex_sets.c \
	lib/grammar/regex_nfa.c lib/grammar/regex.c lib/grammar/regex_and.c \
	lib/grammar/compile.c lib/grammar/compile_containers.c lib/grammar/compile_texts.c lib/grammar/number_internal.h \
	lib/grammar/number.c lib/grammar/number_bounds.c lib/grammar/string.c lib/grammar/text.c \
	lib/grammar/state.c lib/grammar/calls.c lib/grammar/lean.c lib/grammar/threads.c lib/grammar/closing.c lib/grammar/vocab.c lib/grammar/vocab_tok.c

check_PROGRAMS += tests/unit/test_grammar tests/unit/test_grammar_random tests/unit/test_grammar_pattern
tests_unit_test_grammar_SOURCES = tests/unit/test_grammar.c tests/tap.h
tests_unit_test_grammar_random_SOURCES = tests/unit/test_grammar_random.c tests/tap.h
tests_unit_test_grammar_pattern_SOURCES = tests/unit/test_grammar_pattern.c tests/tap.h
