#!/usr/bin/env bats
# What every command shares, shown by the smallest command there could be (probe.c).

load ../common

setup() {
	bats_require_minimum_version 1.5.0
	probe="$top_builddir/tests/cli/probe"
	cd "$tmp"
}

# usage_error MESSAGE ARGS... : exit 2, MESSAGE and the hint on stderr, nothing on stdout
usage_error() {
	local want=$1
	shift
	run --separate-stderr -2 "$probe" "$@"
	[ -z "$output" ]
	[ "${stderr_lines[0]}" = "probe: $want" ]
	[ "${stderr_lines[1]}" = "Try 'probe --help'." ]
	[ "${#stderr_lines[@]}" -eq 2 ]
}

@test "options mix with operands; -- ends them" {
	run -0 "$probe" a --count 3 b -o x -- --count
	[ "$output" = $'count=3\noutput=x\nthreads=0 model=-\noperand=a\noperand=b\noperand=--count' ]
}

@test "long options may be shortened while they stay unique" {
	run -0 "$probe" --cou=4
	[ "${lines[0]}" = count=4 ]
	usage_error "option '--co=4' is ambiguous" --co=4
}

@test "-m wins over NEEDLE_MODEL; an empty NEEDLE_MODEL is none" {
	NEEDLE_MODEL=from-env run -0 "$probe" args
	[ "${lines[0]}" = "threads=0 model=from-env" ]
	NEEDLE_MODEL=from-env run -0 "$probe" -m opt -j 2
	[ "${lines[0]}" = "threads=2 model=opt" ]
	NEEDLE_MODEL='' run -0 "$probe" args
	[ "${lines[0]}" = "threads=0 model=-" ]
}

@test "an unknown option is named, wherever it stands" {
	usage_error "unknown option '--zebra'" --zebra
	usage_error "unknown option '--zebra=1'" file --zebra=1 other
	usage_error "unknown option '-Z'" file -qZ
	usage_error "unknown option '-Z'" -j 1 -Z
}

@test "a near miss is suggested" {
	usage_error "unknown option '--cuont'; did you mean '--count'?" --cuont 3
	usage_error "unknown option '--color'; did you mean '--colour'?" --color red
	usage_error "unknown option '--treads=2'; did you mean '--threads'?" --treads=2
}

@test "missing and superfluous arguments are told apart" {
	usage_error "option '--count' needs an argument (N)" --count
	usage_error "option '--count' needs an argument (N)" x -n
	usage_error "option '--quiet' takes no argument" --quiet=yes
	usage_error "option '--strict' takes no argument" --strict=1
}

@test "numbers and choices are checked" {
	local bad
	for bad in 0 10 x 3x '' 99999999999999999999 1.5; do
		usage_error "--count: expected an integer from 1 to 9, not '$bad'" --count="$bad"
	done
	usage_error "--colour: expected one of red, green, blue, not 'mauve'" --colour mauve
	usage_error "--threads: expected an integer from 1 to 1024, not '0'" -j0
}

@test "control bytes of an argument do not reach the terminal" {
	usage_error "unknown option '--?[31m'" $'--\e[31m'
	usage_error "unknown option '--a?b'" $'--a\nb'
	usage_error "unknown option '--a??31mß'" $'--a\xc2\x9b31mß'
}

@test "--help and --version win, print on stdout, and notice a full disk" {
	run --separate-stderr -0 "$probe" --help
	[ "${lines[0]}" = "Usage: probe [OPTION]... [FILE]" ]
	[ -z "$stderr" ]
	run --separate-stderr -0 "$probe" --version
	[[ "${lines[0]}" =~ ^probe\ \(Needle\ in\ C\)\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	local option
	for option in --help --version; do
		run -3 bash -c '"$1" "$2" >/dev/full' - "$probe" "$option"
		[ "$output" = "probe: cannot write to standard output: No space left on device" ]
	done
}

@test "a closed pipe ends quietly" {
	run --separate-stderr -0 bash -c 'yes "{}" | head -n 50000 | { "$1"; echo "$?" >status; } | head -n 1' - "$probe"
	[ "$output" = '{"seen":true}' ]
	[ -z "$stderr" ]
	[ "$(cat status)" = 0 ]
}

@test "a closed stdout is an error, not a file that gets overwritten" {
	printf '{}\n' >in
	run -3 bash -c '"$1" in >&-' - "$probe"
	[ "$output" = "probe: cannot write to standard output: Bad file descriptor" ]
	[ "$(cat in)" = '{}' ]
}

@test "a full disk ends the run with 3 and says why" {
	printf '{}\n' >in
	run -3 bash -c '"$1" in in >/dev/full' - "$probe"
	[ "$output" = "probe: cannot write to standard output: No space left on device" ]
}

@test "a bad record keeps its place and loses no other" {
	printf '%s\n' '{"a":1}' '{"fail":"no good","b":2.50}' '' '[1]' '{"a":' '{"c":"é"}' >in
	run --separate-stderr -1 "$probe" in
	[ "${#lines[@]}" -eq 5 ]
	[ "${lines[0]}" = '{"a":1,"seen":true}' ]
	[ "${lines[1]}" = '{"fail":"no good","b":2.5,"error":{"line":2,"message":"no good"}}' ]
	[ "${lines[2]}" = '{"error":{"line":4,"message":"expected an object, found an array"}}' ]
	[[ "${lines[3]}" == '{"error":{"line":5,"message":"invalid JSON at column '* ]]
	[ "${lines[4]}" = '{"c":"é","seen":true}' ]
	[ "${stderr_lines[0]}" = "probe: in:2: no good" ]
	[ "${#stderr_lines[@]}" -eq 3 ]
}

@test "--strict stops at the first bad record" {
	printf '%s\n' '{"a":1}' '{"fail":"no good"}' '{"a":2}' >in
	run --separate-stderr -1 "$probe" --strict in
	[ "$output" = '{"a":1,"seen":true}' ]
	[ "$stderr" = "probe: in:2: no good" ]
}

@test "stdin, -, gzip, a byte order mark, CRLF and a missing last newline are read alike" {
	printf '\xef\xbb\xbf{"a":1}\r\n{"a":2}' >in
	want=$'{"a":1,"seen":true}\n{"a":2,"seen":true}'
	gzip -c in >in.gz
	run -0 "$probe" in.gz
	[ "$output" = "$want" ]
	run -0 "$probe" - <in
	[ "$output" = "$want" ]
	run -0 "$probe" <in.gz
	[ "$output" = "$want" ]
}

@test "a NUL byte is a fault of its line, not its end" {
	printf '\0{"a":1}\n{"a":2}\n' >in
	run --separate-stderr -1 "$probe" in
	[[ "${lines[0]}" == '{"error":{"line":1,'* ]]
	[ "${lines[1]}" = '{"a":2,"seen":true}' ]
}

@test "input that cannot be read ends with 3" {
	run --separate-stderr -3 "$probe" none.jsonl
	[ "$stderr" = "probe: none.jsonl: cannot open: No such file or directory" ]
	run --separate-stderr -3 "$probe" .
	[[ "$stderr" == "probe: .: cannot read: Is a directory" ]]
	seq -f '{"a":%.0f}' 100000 | gzip | head -c 1000 >cut.gz
	run --separate-stderr -3 "$probe" cut.gz
	[[ "$stderr" == "probe: cut.gz: cannot decompress: "* ]]
}

@test "records stream: each answer is out before the next question" {
	coproc P { "$probe"; }
	local i answer
	for i in 1 2 3; do
		printf '{"i":%d}\n' "$i" >&"${P[1]}"
		read -r -t 10 answer <&"${P[0]}"
		[ "$answer" = "{\"i\":$i,\"seen\":true}" ]
	done
}
