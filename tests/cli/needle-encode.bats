#!/usr/bin/env bats

load ../common
load model

setup_file() {
	make_model m.safetensors 1
	make_model small.safetensors 2 32 2 48 24
	make_model headless.safetensors 3 32 1 256 64 no-contrastive
}

setup() {
	bats_require_minimum_version 1.5.0
	export NEEDLE_MODEL="$BATS_FILE_TMPDIR/m.safetensors"
	tools="$testdata/tools.json"
	vocab="$testdata/vocab-512.model"
	cd "$tmp"
}

@test "lines of text become embeddings of unit length" {
	run --separate-stderr needle-encode < <(printf 'turn the lights off\n\n🎉\n')
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	jq -se 'all((.embedding | length == 16) and ((.embedding | map(. * .) | add) - 1 | fabs) < 1e-5)' <<<"$output"
}

@test "records keep their fields; text comes before query" {
	run --separate-stderr needle-encode < <(printf '%s\n' '{"id":1,"text":"a b","query":"no"}' '{"query":"a b"}' 'a b')
	[ "$status" -eq 0 ]
	[ "$(jq -c .embedding <<<"$output" | sort -u | wc -l)" -eq 1 ]
	[ "$(jq -c 'keys_unsorted' <<<"${lines[0]}")" = '["id","text","query","embedding"]' ]
}

@test "--text embeds what looks like JSON" {
	run --separate-stderr needle-encode --text <<<'{"a'
	[ "$status" -eq 0 ]
	run --separate-stderr needle-encode < <(printf '%s\n' '{"a' 'b' '{"text":5}')
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 3 ]
	jq -e '.error.line == 1' <<<"${lines[0]}"
	jq -e '.embedding' <<<"${lines[1]}"
	jq -e '.error.line == 3' <<<"${lines[2]}"
	run --separate-stderr needle-encode --strict < <(printf '%s\n' '{"a' 'b')
	[ "$status" -eq 1 ]
	[ -z "$output" ]
}

@test "threads change nothing" {
	head -c 3000 "$top_srcdir/LICENSE" >text
	needle-encode -j 1 text >one
	needle-encode -j 4 text >four
	cmp one four
}

@test "embeddings and states agree with the NumPy reference" {
	numpy
	text="wake me up at half past six tomorrow"
	ids=$(needle-tokenize --plain --vocab "$vocab" <<<"$text")
	for cpu in scalar avx512; do
		NEEDLE_CPU=$cpu needle-encode --states ours.npy <<<"$text"
		"${reference[@]}" states "$NEEDLE_MODEL" "$ids" >theirs.npy
		"${reference[@]}" compare ours.npy theirs.npy 1e-4
	done
	"${reference[@]}" embed "$NEEDLE_MODEL" "$ids" >theirs.npy
	needle-encode <<<"$text" | jq -c .embedding |
		/usr/bin/python3 -c 'import json, sys, numpy; numpy.save("ours.npy", numpy.array([json.load(sys.stdin)], numpy.float32))'
	"${reference[@]}" compare ours.npy theirs.npy 1e-4
}

@test "--states with --tools is the whole prompt" {
	numpy
	jq -c '.[0:2]' "$tools" >two.json
	ids="$(needle-tokenize --plain --vocab "$vocab" <<<"play some jazz") 5 $(needle-tokenize --plain --vocab "$vocab" <two.json)"
	needle-encode --tools two.json --states ours.npy <<<"play some jazz"
	"${reference[@]}" states "$NEEDLE_MODEL" "$ids" >theirs.npy
	"${reference[@]}" compare ours.npy theirs.npy 1e-4
}

@test "--rank prints the best tools, best first" {
	run --separate-stderr needle-encode --tools "$tools" --rank -k 4 "play some jazz"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 4 ]
	[ "$(cut -f 1 <<<"$output")" = "$(cut -f 1 <<<"$output" | sort -rn)" ]
	for name in $(cut -f 2 <<<"$output"); do jq -e --arg n "$name" 'any(.name == $n)' "$tools"; done
	[ "$(needle-encode --tools "$tools" --rank "play some jazz" | wc -l)" -eq 5 ]
	[ "$(needle-encode --tools "$tools" --rank -k 99 "play some jazz" | wc -l)" -eq 10 ]
	run --separate-stderr needle-encode --tools "$tools" --rank -k 2 <<<'{"query":"play some jazz"}'
	[ "$(jq -c '[.query, (.ranked | length)]' <<<"$output")" = '["play some jazz",2]' ]
}

@test "a text beyond the window is cut and says so" {
	head -c 1000000 /dev/zero | tr '\0' 'a' >long
	run --separate-stderr needle-encode -m "$BATS_FILE_TMPDIR/small.safetensors" long
	[ "$(jq .truncated <<<"$output")" = true ]
	run --separate-stderr needle-encode -m "$BATS_FILE_TMPDIR/small.safetensors" --states x.npy long
	[ "$status" -eq 0 ]
	[[ $stderr == *"was cut"* ]]
}

@test "unusable files exit with 3" {
	for m in missing.safetensors / "$tools"; do
		run --separate-stderr needle-encode -m "$m" <<<a
		[ "$status" -eq 3 ]
		[[ $stderr == "needle-encode: "* ]]
	done
	run --separate-stderr needle-encode missing.txt
	[ "$status" -eq 3 ]
	run --separate-stderr needle-encode -m "$BATS_FILE_TMPDIR/headless.safetensors" <<<a
	[ "$status" -eq 3 ]
	[[ $stderr == *"contrastive head"* ]]
	run --separate-stderr needle-encode -m "$BATS_FILE_TMPDIR/headless.safetensors" --states x.npy <<<a
	[ "$status" -eq 0 ]
	run --separate-stderr needle-encode --states x.npy </dev/null
	[ "$status" -eq 3 ]
	run --separate-stderr needle-encode --states none/x.npy <<<a
	[ "$status" -eq 3 ]
}

@test "usage errors exit with 2" {
	for args in "--rank" "-k 3" "--tools $tools" "--rank --tools $tools -k 0 a" "a b" "--rank --tools $tools --states x.npy"; do
		run --separate-stderr needle-encode $args </dev/null
		[ "$status" -eq 2 ]
	done
}

@test "write errors are not ignored, a closed pipe is quiet" {
	run bash -c 'needle-encode <<<a 2>&1 >/dev/full'
	[ "$status" -eq 3 ]
	run bash -c 'needle-encode --states /dev/full <<<a 2>&1'
	[ "$status" -eq 3 ]
	run bash -c '{ needle-encode <<<a; } 2>&1 >&3 | cat' 3> >(:)
	[ -z "$output" ]
}
