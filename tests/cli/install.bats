#!/usr/bin/env bats
# make install into an empty root, and a program built against what lies there.

load ../common

setup_file() {
	bats_require_minimum_version 1.5.0
	export root="$BATS_FILE_TMPDIR/root"
	unset MAKEFLAGS MFLAGS MAKELEVEL
	make -s -C "$top_builddir" install DESTDIR="$root" >"$BATS_FILE_TMPDIR/log" 2>&1 || {
		cat "$BATS_FILE_TMPDIR/log"
		return 1
	}
	prefix=$(sed -n 's/^prefix=//p' "$top_builddir/needle.pc")
	export prefix
}

@test "each part lies where it belongs" {
	cd "$root$prefix"
	[ -f lib/libneedle.a ]
	[ -f lib/pkgconfig/needle.pc ]
	[ -f include/needle-c/needle.h ]
	[ -f include/needle-c/base/error.h ]
	local c
	for c in "$top_builddir"/needle-*; do
		[ -x "$c" ] && [ ! -d "$c" ] || continue
		[ -x "bin/${c##*/}" ]
		[ -f "share/bash-completion/completions/${c##*/}" ]
		[ -f "share/fish/vendor_completions.d/${c##*/}.fish" ]
	done
	for c in "$top_srcdir"/man/*.[1-9]; do
		[ ! -f "$c" ] || [ -f "share/man/man${c##*.}/${c##*/}" ]
	done
	[ -f share/zsh/site-functions/_needle ]
	diff -r "$top_srcdir/share/corpus" share/needle-c/corpus
	run find "$root" -name '*_internal.h'
	[ -z "$output" ]
}

@test "the installed headers are those that needle.h includes" {
	cd "$top_srcdir"
	# shellcheck disable=SC2086,SC2046 # CC may hold flags
	${CC:-cc} -MM -Ilib $(pkg-config --cflags jansson) lib/needle.h | tr -d '\\' | tr ' ' '\n' |
		grep '^lib/' | sort -u >"$tmp/want"
	make -s -C "$top_builddir" print-headers | grep '^lib/' | sort >"$tmp/got"
	diff "$tmp/want" "$tmp/got"
}

@test "an example builds with pkg-config and runs" {
	export PKG_CONFIG_PATH="$root$prefix/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
	local f name
	for f in "$top_srcdir"/contrib/examples/*.c; do
		name=$(basename "$f" .c)
		# shellcheck disable=SC2046,SC2086 # words of flags
		${CC:-cc} -std=c11 -Wall -Wextra -Werror "$f" -o "$tmp/$name" $(pkg-config --cflags --libs needle)
		run -2 "$tmp/$name"
		[[ $output == "Usage: $name "* ]]
	done
	run -3 "$tmp/tokens" /dev/null text
	[[ $output == "tokens: "* ]]
	run -0 "$tmp/tokens" "$testdata/vocab-512.model" text
	[ "$output" = "$(echo text | needle-tokenize --vocab "$testdata/vocab-512.model")" ]
	"$top_builddir/tests/mkmodel" "$tmp/random" "$testdata/vocab-512.model" 1 32 2
	run "$tmp/call" "$tmp/random" "$testdata/tools.json" "call Maria"
	[ "$status" -le 1 ]
	[ "$output" = "$(needle-infer -m "$tmp/random" -t "$testdata/tools.json" "call Maria")" ]
	run -3 "$tmp/call" "$tmp/none" "$testdata/tools.json" "call Maria"
}

@test "uninstall leaves nothing" {
	run -0 make -s -C "$top_builddir" uninstall DESTDIR="$root"
	run find "$root" -type f -o -type l
	[ -z "$output" ]
}
