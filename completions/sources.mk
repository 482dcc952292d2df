# shell completions: written by completions/update from the commands' --help
EXTRA_DIST += completions/update
