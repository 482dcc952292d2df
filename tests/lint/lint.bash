# lint.bash - loaded by the lint tests: the files of the tree, and how to report.

# tree_files [PATTERN...]: files of ours, relative to top_srcdir: what git tracks or, in an
# unpacked release, all but what autoreconf and a build below it made. PATTERN: a regular expression of the path.
tree_files() {
	local all
	cd "$top_srcdir" || return
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1 && [ -n "$(git ls-files configure.ac)" ]; then
		all=$(git ls-files)
	else
		all=$(find . \( -path './.git' -o -path './autom4te.cache' -o -path './build*' -o -path './_build' \) -prune -o -type f \
			! -name configure ! -name 'configure~' ! -name Makefile.in ! -name aclocal.m4 ! -name config.h.in -print |
			sed 's|^\./||' | sort)
	fi
	grep -E "${1:-.}" <<<"$all" | while IFS= read -r f; do
		[ ! -f "$f" ] || printf '%s\n' "$f"
	done
}

# none_of LINES WHAT: passes if LINES is empty, else shows them
none_of() {
	[ -z "$1" ] && return
	printf '%s:\n%s\n' "$2" "$1"
	return 1
}

# one a line
commands=$(printf 'needle-%s\n' tokenize encode infer finetune quantize eval synth bench serve)
