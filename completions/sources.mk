# shell completions
