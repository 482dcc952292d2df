#!/usr/bin/env bats
# The examples of every --help and the sh blocks of README.md are run: by a small model with random weights, on files that go
# by the names in them. So this shows that commands, options, operands and pipes go together; not what a good model answers.

load ../common
load ../lint/lint
load examples
load model

setup_file() { make_model m.safetensors 1 32 2 2048 32; }

setup() {
	cd "$tmp"
	export NEEDLE_MODEL="$BATS_FILE_TMPDIR/m.safetensors" NEEDLE_CPU=scalar
	mkdir testdata
	cp "$testdata/tools.json" testdata
	head -n 4 "$testdata/handwritten.jsonl" >testdata/handwritten.jsonl
	cp testdata/tools.json .
	printf '%s\n' "play some jazz" "call Bob" >queries.txt
	jq -Rc '{query: .}' queries.txt >queries.jsonl
	make_examples | tee my.jsonl train.jsonl >test.jsonl
	jq -c '.calls = .answers | .meta = {kind: "a"}' my.jsonl >calls.jsonl
	cp "$top_srcdir/README.md" notes.txt
	local f
	for f in model tuned small; do cp "$NEEDLE_MODEL" $f.safetensors; done
	for f in my needle; do cp "$testdata/vocab-512.model" $f.model; done
	echo '{"vocab_size":512,"d_model":32,"num_heads":2,"num_kv_heads":1,"num_encoder_layers":1,"num_decoder_layers":1}' >small.json
}

# What would take long is told to take a moment, and a server is stopped as soon as it says where it listens.
shorten() {
	sed -E -e 's/^ *//' \
		-e 's/needle-finetune .*/& --max-steps 2 --batch-size 2 --val-calls 2 --score 2/' \
		-e 's/needle-bench/& --time 1 --threads 1 --filter inner/' \
		-e 's/^needle-bench.* --train/& --shape small.json/' \
		-e 's/-n 50000/-n 500/' \
		-e 's/^needle-serve.*/rm -f url; & --listen 127.0.0.1:0 >url \& stop_server $!/'
}

stop_server() {
	until [ -s url ] || ! kill -0 "$1"; do sleep 0.1; done
	kill "$1"
	wait "$1"
}
export -f stop_server

# runs SKIPPED < LINES: each is a command, but for those of which a pattern of SKIPPED matches
runs() {
	grep -vE "$1" | shorten | sed 's/^/$ /' >lines
	grep -q . lines
	run_examples <lines
}

help_of() { "$1" --help | sed -n '/^Examples:/,/^$/{/^  /p;}'; }

@test "needle-tokenize --help" { help_of needle-tokenize | runs ^$; }
@test "needle-encode --help" { help_of needle-encode | runs ^$; }
@test "needle-infer --help" {
	needle-encode --tools tools.json --index tools.index
	help_of needle-infer | runs ^$
}
@test "needle-finetune --help" { help_of needle-finetune | runs ^$; }
@test "needle-quantize --help" {
	/usr/bin/python3 "$top_srcdir/tests/reference/upstream.py" make needle.pkl || skip "no NumPy to make needle.pkl with"
	help_of needle-quantize | runs ^$
}
@test "needle-eval --help" { help_of needle-eval | runs ^$; }
@test "needle-synth --help" { help_of needle-synth | runs ^$; }
@test "needle-bench --help" { help_of needle-bench | runs ^$; }
# curl's has an ellipsis in its data; needle-serve(1) asks a server that runs
@test "needle-serve --help" { help_of needle-serve | runs '^ *curl '; }

@test "every command is in this file" {
	local command
	for command in $commands; do
		grep -q "help_of $command " "$BATS_TEST_FILENAME"
	done
}

# Getting the sources, building and installing is what bootstrap, continuous integration and install.bats do.
@test "README.md" {
	awk '/^```/ { inside = /^```sh/ && !inside; next } inside' "$top_srcdir/README.md" |
		runs '^(git clone|\./bootstrap|export PATH|autoreconf|make) ?'
}
