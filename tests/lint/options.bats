#!/usr/bin/env bats
# One list of options: --help, the man page and the completions agree.

load ../common
load lint

setup() {
	bats_require_minimum_version 1.5.0
}

# help_options COMMAND: "-o --output" or "--output", a line each
help_options() {
	"$1" --help | sed '/^Examples:/,$d' | sed -nE 's/^  (-[A-Za-z0-9]), (--[a-z0-9-]+).*/\1 \2/p; s/^      (--[a-z0-9-]+).*/\1/p' | sort
}

# page_options COMMAND: the same from the .It Fl lines of the page, which mdoc lets one write as
# "Fl o , Fl -output Ar FILE", "Fl o , -output Ar FILE" or "Fl o , Fl Fl output Ar FILE"
page_options() {
	sed -nE '/^\.It Fl/ { s/\\-/-/g; s/\\&//g; s/"//g; p }' "$top_srcdir/man/$1.1" | awk '{
		short = long = dashes = ""
		for (i = 2; i <= NF; i++) {
			if ($i == "Ar") i++
			else if ($i == ",") dashes = ""
			else if ($i == "Fl") dashes = dashes "-"
			else {
				word = (dashes ? dashes : "-") $i
				if (word ~ /^--/) long = word; else short = word
			}
		}
		if (long) print (short ? short " " : "") long; else print short
	}' | sort
}

@test "every man page lists the options of --help" {
	local c wrong=
	for c in $commands; do
		[ -f "$top_srcdir/man/$c.1" ] || continue
		difference=$(diff <(help_options "$c") <(page_options "$c")) ||
			wrong+="$c (< help, > page):"$'\n'"$difference"$'\n'
	done
	none_of "$wrong" "options"
}

@test "every command has a page" {
	local c
	for c in $commands; do
		[ -f "$top_srcdir/man/$c.1" ]
	done
}

@test "completions are what completions/update writes" {
	mkdir -p "$tmp/new"
	"$top_srcdir/completions/update" -o "$tmp/new"
	local f
	for f in needle.bash _needle needle.fish; do
		diff -u "$top_srcdir/completions/$f" "$tmp/new/$f" || { echo "run completions/update"; return 1; }
	done
}

# complete WORD...: what bash offers for the last word of this command line
complete_words() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_needle "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "bash completes options, files and choices" {
	# shellcheck source=/dev/null
	source "$top_srcdir/completions/needle.bash"
	cd "$tmp"
	: >a.safetensors
	[ "$(complete_words needle-infer --mod)" = --model ]
	[ "$(complete_words needle-infer -m a.s)" = a.safetensors ]
	[ "$(complete_words needle-infer --model = a.s)" = a.safetensors ]
	[ "$(complete_words needle-infer --version "")" = "" ]
	complete_words needle-infer - | grep -qx -- --help
}

@test "zsh and fish can read theirs" {
	local tried=
	if command -v zsh >/dev/null; then tried=1 && zsh -n "$top_srcdir/completions/_needle"; fi
	if command -v fish >/dev/null; then tried=1 && fish -n "$top_srcdir/completions/needle.fish"; fi
	[ -n "$tried" ] || skip "neither zsh nor fish is installed"
}
