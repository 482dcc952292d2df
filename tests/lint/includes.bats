#!/usr/bin/env bats
# Who may call whom: lib/README.md draws it, this checks it by the includes.

load ../common
load lint

# rank ROOM: a room includes only rooms of lower rank, and itself
ranks='base=1 json=2 readings=2 kernels=2 tensor=3 checkpoint=4 tokenizer=4 tools=5 model=6 grammar=6 data=6 quant=6 retrieve=6
	train=7 synth=7 eval=7 session=7 cmd=8'

# includes: "file room included-room included-header" of every include of ours
includes() {
	tree_files '^(lib/[a-z]+/|cmd/).*\.[ch]$' | while IFS= read -r f; do
		sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$top_srcdir/$f" |
			while IFS= read -r header; do
				room=${f#lib/}
				printf '%s %s %s %s\n' "$f" "${room%%/*}" "${header%%/*}" "$header"
			done
	done
}

@test "rooms include only rooms below them" {
	wrong=$(includes | awk -v ranks="$ranks" '
		BEGIN { n = split(ranks, r); for (i = 1; i <= n; i++) { split(r[i], p, "="); rank[p[1]] = p[2] } }
		$4 == "config.h" || ($2 == "cmd" && $4 == "needle.h") { next }
		!($2 in rank) { print $1 ": room " $2 " has no rank"; next }
		!($3 in rank) { print $1 ": include \"" $4 "\" names no room"; next }
		$2 != $3 && rank[$3] >= rank[$2] { print $1 ": " $2 " must not include " $4 }')
	none_of "$wrong" "wrong way"
}

@test "private headers stay in their room" {
	wrong=$(includes | awk '$4 ~ /_internal\.h$/ && $2 != $3 { print $1 ": includes " $4 }')
	none_of "$wrong" "private headers of other rooms"
}

@test "the library neither prints nor exits nor starts programs" {
	wrong=$(cd "$top_srcdir" && tree_files '^lib/.*\.c$' |
		xargs grep -nE '(^|[^a-zA-Z0-9_])(printf|vprintf|puts|putchar|perror|exit|_exit|abort|system|popen) ?\(|printf\((stderr|stdout)' |
		grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)' || true)
	none_of "$wrong" "talk in the library"
}

# Not those that end in _body.h: code to be compiled several times, after what they say they need.
@test "every header compiles alone" {
	local f flags=() failed=
	read -r -a flags <<<"$(pkg-config --cflags jansson libpcre2-8 libarchive zlib libmd)"
	for f in $(tree_files '^(lib|cmd|tests)/.*\.h$' | grep -v '_body\.h$'); do
		local isa=()
		case $f in
		*_avx2*) isa=(-mavx2 -mfma -mf16c) ;;
		*_avx512bf16*) isa=(-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mavx512bf16) ;;
		*_avx512*) isa=(-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c) ;;
		*_amx*) isa=(-mavx512f -mavx512bf16 -mamx-tile -mamx-bf16) ;;
		*_neon*) [ "$(uname -m)" = aarch64 ] || continue ;;
		esac
		# shellcheck disable=SC2086 # CC may hold flags
		printf '#include "%s"\n#include "%s"\n' "${f#lib/}" "${f#lib/}" |
			${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra -Werror -fopenmp \
				"${isa[@]}" "${flags[@]}" -I"$top_srcdir/lib" -I"$top_srcdir" -I"$top_builddir" \
				-fsyntax-only -x c - || failed+=" $f"
	done
	none_of "$failed" "headers that need something before them"
}
