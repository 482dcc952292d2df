#!/usr/bin/env bats
# What every real command promises alike, checked for each one of this build.

load ../common
load ../lint/lint
load model

setup() {
	bats_require_minimum_version 1.5.0
	cd "$tmp"
}

# each FUNCTION: calls it for every command and names the one that fails
each() {
	local command
	for command in $commands; do
		"$1" "$command" || {
			printf 'failed: %s\nstatus %s\nstdout: %s\nstderr: %s\n' "$command" "$status" "$output" "$stderr"
			return 1
		}
	done
}

help_works() {
	run --separate-stderr "$1" --help
	[ "$status" -eq 0 ] && [ -z "$stderr" ] && [[ ${lines[0]} == "Usage: $1"* ]] &&
		grep -q '^Examples:' <<<"$output" && grep -q "^The manual is $1(1)" <<<"$output" &&
		grep -q -- '-j, --threads' <<<"$output" && grep -q -- '--version' <<<"$output" || return
	local help=$output
	run --separate-stderr "$1" -h
	[ "$status" -eq 0 ] && [ "$output" = "$help" ]
}
@test "--help and -h print usage and examples on stdout" { each help_works; }

version_works() {
	run --separate-stderr "$1" --version
	[ "$status" -eq 0 ] && [ -z "$stderr" ] && [ "${lines[0]}" = "$1 (Needle in C) $version" ]
}
@test "--version prints name and version in GNU form" {
	version=$(sed -n 's/^#define NDL_VERSION "\(.*\)"/\1/p' "$top_srcdir/lib/needle.h")
	each version_works
}

refuses() {
	run --separate-stderr "$1" "${args[@]}" </dev/null
	[ "$status" -eq 2 ] && [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 2 ] &&
		[[ ${stderr_lines[0]} == "$1: "* ]] && [ "${stderr_lines[1]}" = "Try '$1 --help'." ]
}
@test "usage errors exit with 2 and two lines" {
	local bad
	for bad in --no-such-option -Z --threads=0 --threads=x --threads --quiet=1; do
		args=("$bad")
		each refuses
	done
}

notices_full_disk() {
	stderr=
	run bash -c '"$1" --help >/dev/full' - "$1"
	[ "$status" -eq 3 ] && [ "$output" = "$1: cannot write to standard output: No space left on device" ]
}
@test "a full disk exits with 3" { each notices_full_disk; }

closed_pipe_is_quiet() {
	stderr=
	run bash -c '{ "$1" --help; echo "$?" >status; } 2>&1 >&3 | cat' - "$1" 3> >(:)
	[ -z "$output" ] && [ "$(cat status)" = 0 ]
}
@test "a closed pipe is quiet" { each closed_pipe_is_quiet; }

# needle-synth alone may ask others: a teacher, where --teacher names one. needle-serve only answers.
is_local() {
	local foreign='libcurl|libssl|libmicrohttpd'
	[ "$1" != needle-synth ] || foreign=libmicrohttpd
	[ "$1" != needle-serve ] || foreign='libcurl|libssl'
	! ldd "$(command -v "$1")" 2>/dev/null | grep -qE "$foreign"
}
@test "no command links a network library but needle-synth to ask and needle-serve to answer" { each is_local; }

@test "an output that cannot be written is found before the work that it is to hold" {
	echo '{"query":"q","tools":[],"answers":[]}' >good.jsonl
	echo '{"query":1}' >bad.jsonl
	local model=$top_srcdir/share/default.safetensors command
	mkdir folder
	while read -r command; do
		run -3 --separate-stderr $command -o no/such/file
		[ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ] && [[ $stderr == *"no/such/file: cannot write: No such file or directory" ]]
		run -3 --separate-stderr $command -o folder
		[ -z "$output" ] && [[ $stderr == *"folder: is a folder" ]]
	done <<-END
		needle-tokenize --train no-such-text
		needle-quantize $model --check bad.jsonl
		needle-finetune -m $model good.jsonl
	END
	run -3 --separate-stderr needle-eval -m "$model" --calibrate no/such/file good.jsonl
	[ -z "$output" ] && [[ $stderr == *"no/such/file: cannot write"* ]]
	run -3 --separate-stderr needle-encode -m "$model" --tools bad.jsonl --index no/such/file
	[ -z "$output" ] && [[ $stderr == *"no/such/file: cannot write"* ]]
}

@test "a file that is read is never overwritten by what is made of it" {
	cp "$testdata/tools.json" tools.json
	printf '%s\n' '{"query":"q","answers":[],"calls":[]}' >rows.jsonl
	ln -s rows.jsonl link
	cp "$top_srcdir/share/default.safetensors" small.safetensors
	cp tools.json tools.was
	cp rows.jsonl rows.was
	local model=$top_srcdir/share/default.safetensors command
	while read -r command; do
		eval "run -2 --separate-stderr $command"
		[[ $stderr == *"is to be read and to be overwritten"* ]]
		cmp tools.json tools.was
		cmp rows.jsonl rows.was
		cmp small.safetensors "$model"
	done <<-'END'
		needle-encode -m "$model" --tools tools.json --index tools.json
		needle-encode -m small.safetensors --tools tools.json --index small.safetensors
		needle-encode -m "$model" --states rows.jsonl rows.jsonl
		needle-encode -m "$model" --states tools.json --tools tools.json rows.jsonl
		needle-infer -m "$model" -t tools.json --logits ./tools.json q
		needle-eval --failures rows.jsonl rows.jsonl
		needle-infer -m small.safetensors -t tools.json --logits small.safetensors q
		needle-eval -t tools.json --failures tools.json rows.jsonl
		needle-eval -m small.safetensors --failures small.safetensors rows.jsonl
		needle-eval -m "$model" --calibrate link rows.jsonl
		needle-eval -m "$model" -t tools.json --calibrate tools.json rows.jsonl
		needle-tokenize --train -o link rows.jsonl
		needle-finetune -m "$model" rows.jsonl -o link
		needle-finetune -m "$model" rows.jsonl -o new.safetensors --log rows.jsonl
		needle-finetune -m "$model" rows.jsonl -t tools.json --dump-tokens tools.json
		needle-finetune -m small.safetensors rows.jsonl -o new.safetensors --log small.safetensors
		needle-finetune -m "$model" rows.jsonl -o small.safetensors --teacher-model small.safetensors
		needle-finetune --init tools.json --vocab "$testdata/vocab-512.model" rows.jsonl -o tools.json
		needle-quantize "$model" -o rows.jsonl --check rows.jsonl
		needle-quantize "$model" -o tools.json --check rows.jsonl -t tools.json
	END
}

@test "NEEDLE_CPU that names no level is a usage error" {
	cp "$testdata/tools.json" tools.json
	printf '%s\n' '{"query":"q","tools":[],"answers":[]}' >rows.jsonl
	local model=$top_srcdir/share/default.safetensors command
	while read -r command; do
		eval "NEEDLE_CPU=abacus run -2 --separate-stderr $command"
		[[ $stderr == "${command%% *}: NEEDLE_CPU: unknown processor level 'abacus' ("* ]]
		[ -z "$output" ]
	done <<-'END'
		needle-infer -m "$model" -t tools.json q
		needle-infer -m "$model" -t tools.json rows.jsonl
		needle-encode -m "$model" rows.jsonl
		needle-eval -m "$model" rows.jsonl
		needle-finetune -m "$model" rows.jsonl -o new.safetensors
		needle-quantize --check rows.jsonl "$model" -o new.safetensors
		needle-bench -m "$model" --kernels
		needle-serve -m "$model" --listen 127.0.0.1:0
	END
	NEEDLE_CPU=abacus needle-eval <<<'{"answers":[],"calls":[]}' # which computes nothing
}

# needle-infer's is in its own file
@test "a line of 10 MB is read as any other" {
	make_model m.safetensors 1 32 2 512 64
	export NEEDLE_MODEL="$BATS_FILE_TMPDIR/m.safetensors"
	head -c 10000000 /dev/zero | tr '\0' a >long
	jq -Rc '{query:.,tools:[],answers:[],calls:[]}' long >row.jsonl
	[ "$(needle-eval --json row.jsonl | jq .records)" -eq 1 ]
	[ "$(needle-eval --json -m "$NEEDLE_MODEL" row.jsonl | jq .records)" -eq 1 ]
	needle-encode row.jsonl | jq -e '(.embedding | length == 16) and (.query | length == 10000000)'
	[ "$(needle-tokenize --count row.jsonl)" -gt 1000 ]
	{ cat row.jsonl && echo '{"query":"a","tools":[],"answers":[]}'; } >rows.jsonl
	run needle-finetune --max-steps 1 --batch-size 1 --score 0 rows.jsonl -o tuned.safetensors
	[ "$status" -eq 0 ] && [[ $output == *" 1 rows are dropped: 0 answers over 64 tokens, 1 prompts"* ]]
	jq -Rc '[{name:"f",description:.,parameters:{}}]' long >tools.json
	needle-synth --tools tools.json -n 1 | jq -e '.tools[0].description | length == 10000000'
}
