# needle-tokenize
bin_PROGRAMS += needle-tokenize
needle_tokenize_SOURCES = cmd/needle-tokenize.c
dist_man_MANS += man/needle-tokenize.1
dist_check_SCRIPTS += tests/cli/needle-tokenize.bats tests/cli/tokenize_spm.bats

# makes the lines that are compared with spm_encode
EXTRA_PROGRAMS += tests/cli/lines
tests_cli_lines_SOURCES = tests/cli/lines.c
check_DATA += tests/cli/lines$(EXEEXT)
CLEANFILES += tests/cli/lines$(EXEEXT)
EXTRA_DIST += contrib/bench-tokenize.sh testdata/vocab-512.model
