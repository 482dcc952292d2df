#!/usr/bin/env bats
# The tree itself: paths, versions, shell, pages, fixtures.

load ../common
load lint

@test "no path of one machine" {
	# the pattern is written so that this file does not hold it
	# (nor do sentences of the corpus count)
	wrong=$(tree_files '' | grep -vE '^(share|testdata)/' | (cd "$top_srcdir" && xargs -d '\n' grep -nIE '(^|[^A-Za-z0-9_.$}/-])/(work|home|Users|root)/|/tmp/(b)-' --) || true)
	none_of "$wrong" "machine paths"
}

@test "no registry or download host" {
	wrong=$(tree_files '' | (cd "$top_srcdir" && xargs -d '\n' grep -nIiE \
		'(pypi|files\.pythonhosted|npmjs|crates|rubygems|huggingface|proxy\.golang|hub\.docker|ghcr|quay|conda\.anaconda|kaggle)\.(org|io|com|co)' --) |
		grep -v '^tests/lint/tree.bats:' || true)
	none_of "$wrong" "network hosts"
}

@test "one version: configure.ac, needle.h, NEWS.md" {
	want=$(sed -n 's/^AC_INIT(\[needle\], \[\([0-9.]*\)\].*/\1/p' "$top_srcdir/configure.ac")
	[[ $want =~ ^([0-9]+)\.([0-9]+)\.([0-9]+)$ ]]
	grep -q "^#define NDL_VERSION \"$want\"$" "$top_srcdir/lib/needle.h"
	grep -q "^#define NDL_VERSION_MAJOR ${BASH_REMATCH[1]}$" "$top_srcdir/lib/needle.h"
	grep -q "^#define NDL_VERSION_MINOR ${BASH_REMATCH[2]}$" "$top_srcdir/lib/needle.h"
	grep -q "^#define NDL_VERSION_PATCH ${BASH_REMATCH[3]}$" "$top_srcdir/lib/needle.h"
	grep -q "^# Needle in C $want\b" "$top_srcdir/NEWS.md"
}

@test "shell files pass shellcheck" {
	command -v shellcheck >/dev/null || skip "shellcheck is not installed"
	local f files=()
	while IFS= read -r f; do
		case $f in
		*.bats | *.bash | *.sh) files+=("$f") ;;
		*) IFS= read -r line <"$top_srcdir/$f" || true
			[[ $line =~ ^\#!.*[/\ ](ba)?sh$ ]] && files+=("$f") ;;
		esac
	done < <(tree_files '' | grep -vE '\.(safetensors|gz|npy|model|pkl)$')
	((${#files[@]} > 5))
	cd "$top_srcdir"
	# SC2154, SC2034: Bats' and common.bash's variables; SC2164: Bats fails on cd by itself;
	# SC2030, SC2031: each test is a subshell by design; SC1091: loaded files are checked here too
	shellcheck -S warning -e SC2154,SC2034,SC2164,SC2030,SC2031,SC1091 "${files[@]}"
}

@test "man pages pass mandoc -T lint" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	local f found=
	cd "$top_srcdir"
	for f in $(tree_files '^man/.*\.[1-9]$'); do
		found+=$(mandoc -T lint -W warning "$f" 2>&1 | grep -vE 'referenced manual not found|outdated mandoc\.db|unable to open|Mdocdate' || true)
	done
	none_of "$found" "mandoc"
}

@test "every file of testdata has its line in testdata/README.md" {
	local f missing=
	for f in $(tree_files '^testdata/' | grep -vE '^testdata/(README\.md|sources\.mk)$'); do
		# a file is named by itself or by its folder, written "folder/"
		f=${f#testdata/}
		grep -qF -e "${f##*/}" -e "$(dirname "$f")/\`" "$top_srcdir/testdata/README.md" || missing+=" $f"
	done
	none_of "$missing" "testdata without a line"
}

@test "links in Markdown lead to files" {
	local f link wrong=
	cd "$top_srcdir"
	while IFS= read -r f; do
		while IFS= read -r link; do
			[ -e "$(dirname "$f")/$link" ] || wrong+="$f: $link"$'\n'
		done < <(grep -oE '\]\([^)#:]+' "$f" | cut -c 3-)
	done < <(tree_files '\.md$')
	none_of "$wrong" "broken links"
}

@test "text is UTF-8, ends with a newline, holds no stray blanks at line ends" {
	local wrong
	cd "$top_srcdir"
	wrong=$(tree_files '\.(c|h|ac|am|mk|bats|bash|sh|awk)$' | xargs -d '\n' grep -nE '[[:blank:]]+$' -- || true)
	none_of "$wrong" "blanks at the end of lines"
	wrong=$(tree_files '\.(c|h|ac|am|mk|md|bats|bash|sh|awk|[1-9])$' | while IFS= read -r f; do
		iconv -f UTF-8 -t UTF-8 "$f" >/dev/null 2>&1 || printf '%s is not UTF-8\n' "$f"
		[ ! -s "$f" ] || [ -z "$(tail -c 1 "$f")" ] || printf '%s ends without a newline\n' "$f"
	done)
	none_of "$wrong" "text"
}

@test "no line of code goes beyond 140 columns" {
	cd "$top_srcdir"
	wrong=$(tree_files '^(lib|cmd)/.*\.[ch]$' | while IFS= read -r f; do
		expand -t 4 "$f" | awk -v f="$f" 'length($0) > 140 { print f ":" NR ": " length($0) " columns" }'
	done)
	none_of "$wrong" "long lines"
}
