#!/usr/bin/env bats
# The examples of the man pages and of README.md are run: each must work, and print what it says.

load ../common
load examples

setup() {
	cd "$tmp"
	# what an example may name: the fixtures beside it, testdata/, share/, build/ and LICENSE
	[ ! -d "$testdata" ] || cp -R "$testdata/." .
	chmod -R u+w .
	ln -s "$testdata" testdata
	ln -s "$top_srcdir/share" share
	ln -s "$top_builddir" build
	cp "$top_srcdir/LICENSE" .
}

page() {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	page_examples "$top_srcdir/man/$1" >lines
	grep -q '^\$ ' lines || { echo "man/$1 has no example that runs"; return 1; }
	run_examples <lines
}

@test "needle-tokenize(1)" { page needle-tokenize.1; }
@test "needle-encode(1)" { page needle-encode.1; }
@test "needle-infer(1)" { page needle-infer.1; }
@test "needle-finetune(1)" { page needle-finetune.1; }
@test "needle-quantize(1)" { page needle-quantize.1; }
@test "needle-eval(1)" { page needle-eval.1; }
@test "needle-synth(1)" { page needle-synth.1; }
@test "needle-bench(1)" { page needle-bench.1; }
@test "needle-serve(1)" { page needle-serve.1; }
@test "needle(7)" { page needle.7; }
@test "needle-checkpoint(5)" { page needle-checkpoint.5; }
@test "README.md" {
	markdown_examples "$top_srcdir/README.md" >lines
	run_examples <lines
}

@test "every page of section 1 is in this file" {
	for f in "$top_srcdir"/man/*.1; do
		[ ! -f "$f" ] || grep -q "page ${f##*/};" "$BATS_TEST_FILENAME"
	done
}

@test "an example that fails or prints something else is noticed" {
	run run_examples <<'EOF'
$ echo one
two
$ false
$ exit 2
EOF
	[ "$status" -eq 1 ]
	[[ $output == *"3 run, 0 skipped, 2 failed"* ]]
	run run_examples <<'EOF'
some text
$ printf '%s\n' a 'b (1) [x]*' c; false
a
b (...) [x]*
...
$ echo $?
1
$ echo \
  two
two
$ echo '*' | grep -q x

EOF
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"4 run, 0 skipped, 0 failed"* ]]
}

# The walk-through trains for minutes. Here its commands run with a few steps and print what they
# will; NEEDLE_LONG=1 runs it as it stands.
@test "share/examples/README.md" {
	[ -f "$top_srcdir/share/default.safetensors" ] || skip "no default model"
	markdown_examples "$top_srcdir/share/examples/README.md" >lines
	if [ -z "${NEEDLE_LONG-}" ]; then
		grep -E '^(\$|  )' lines |
			sed 's/needle-finetune /&--max-steps 2 --batch-size 2 --val-calls 4 --score 4 /' >short
		mv short lines
	fi
	run_examples <lines
}
