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

@test "a bad record keeps its fields" {
	run --separate-stderr needle-encode <<<'{"id":1,"text":5}'
	[ "$status" -eq 1 ]
	[ "$(jq -c '[.id, .text, .error.line]' <<<"$output")" = "[1,5,1]" ]
}

@test "a text that is not UTF-8 is a bad record" {
	run --separate-stderr needle-encode < <(printf 'caf\xe9\nbar\n')
	[ "$status" -eq 1 ]
	jq -e '.error.line == 1 and (has("embedding") | not)' <<<"${lines[0]}"
	jq -e '.embedding' <<<"${lines[1]}"
}

@test "a byte order mark and lines of blanks are no text" {
	printf '\xef\xbb\xbf{"text":"hello","truncated":true,"embedding":[],"error":{"line":1}}\n  \t\n' | needle-encode >marked
	needle-encode <<<'{"text":"hello"}' | cmp - marked
	[ -z "$(printf '\xef\xbb\xbf\n' | needle-encode)" ]
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

@test "a tool's name cannot steer the terminal" {
	printf '[{"name":"play\\u001b[2J\\n","parameters":{}}]' >odd.json
	[ "$(needle-encode --tools odd.json --rank=bm25 play | cut -f 2)" = 'play?[2J?' ]
}

@test "- is standard input, also for --rank; what is not UTF-8 is refused however it is ranked" {
	for how in bm25 fused; do
		[ "$(echo "play some jazz" | needle-encode --tools "$tools" --rank=$how -k 1 - | jq -r '.ranked[0].name')" = play_music ]
		run -1 --separate-stderr needle-encode --tools "$tools" --rank=$how $'play \xff jazz'
		[ "$stderr" = "needle-encode: the text is not UTF-8 at byte 6" ]
	done
}

@test "bm25 ranks by words, fused by both" {
	[ "$(needle-encode --tools "$tools" --rank=bm25 -k 1 "play some jazz" | cut -f 2)" = play_music ]
	[ "$(needle-encode --tools "$tools" --rank=bm25 -k 99 "xyzzy" | cut -f 1 | sort -u)" = 0.0000 ]
	diff <(needle-encode --tools "$tools" --rank "set a timer") <(needle-encode --tools "$tools" --rank=fused "set a timer")
	# the cosine and 0.07 of BM25
	for how in head bm25 fused; do needle-encode --tools "$tools" --rank=$how -k 99 <<<"set a timer" >$how; done
	/usr/bin/python3 - <<-'END'
		import json
		head, bm25, fused = (json.load(open(how))["ranked"] for how in ("head", "bm25", "fused"))
		want = {tool["name"]: tool["score"] for tool in head}
		for tool in bm25:
		    want[tool["name"]] += 0.07 * tool["score"]
		assert len(fused) == 10 and all(abs(t["score"] - want[t["name"]]) < 2e-4 for t in fused)
	END
}

@test "a model without contrastive head ranks by words, and says so when asked for more" {
	headless="$BATS_FILE_TMPDIR/headless.safetensors"
	diff <(needle-encode -m "$headless" --tools "$tools" --rank "play some jazz") \
		<(needle-encode --tools "$tools" --rank=bm25 "play some jazz")
	for how in head fused; do
		run --separate-stderr needle-encode -m "$headless" --tools "$tools" --rank=$how "play some jazz"
		[ "$status" -eq 3 ]
		[[ $stderr == *"no contrastive head"* ]]
	done
	needle-encode -m "$headless" --tools "$tools" --index words.index
	[ "$(needle-encode -m "$headless" --index words.index --rank -k 1 "play some jazz" | cut -f 2)" = play_music ]
	run --separate-stderr needle-encode --index words.index --rank=head "play some jazz"
	[ "$status" -eq 3 ]
	[[ $stderr == "needle-encode: words.index: this index has no vectors"* ]]
}

@test "an index ranks as its tools do" {
	needle-encode -j 1 --tools "$tools" --index one.index
	needle-encode -j 3 --tools "$tools" --index three.index
	cmp one.index three.index
	for how in head bm25 fused; do
		diff <(needle-encode --tools "$tools" --rank=$how -k 7 "wake me up at six") \
			<(needle-encode --index one.index --rank=$how -k 7 "wake me up at six")
	done
	[ "$(needle-encode --index one.index --rank -k 2 <<<'{"query":"play some jazz"}' | jq '.ranked | length')" -eq 2 ]
}

@test "an index that is brought up to date is as if made anew" {
	needle-encode --tools "$tools" --index x.index
	jq -c '[.[3], (.[0] | .description = "Another."), .[1]] + .[4:]' "$tools" >changed.json
	needle-encode --tools changed.json --index new.index
	needle-encode --tools changed.json --index x.index
	cmp x.index new.index
	# what is embedded again is only what changed: vectors that are wrong stay
	/usr/bin/python3 - x.index <<-'END'
		import json, struct, sys
		raw = bytearray(open(sys.argv[1], "rb").read())
		n = int.from_bytes(raw[:8], "little")
		at = 8 + n + json.loads(raw[8:8 + n])["vectors"]["data_offsets"][0]
		raw[at:at + 8] = struct.pack("<ff", 0.25, 0.5)
		open(sys.argv[1], "wb").write(raw)
	END
	cp x.index wrong.index
	needle-encode --tools changed.json --index x.index
	cmp x.index wrong.index
	# another arithmetic, another model
	needle-encode --precision f32 --tools changed.json --index x.index
	run ! cmp -s x.index wrong.index
	make_model other.safetensors 9
	run --separate-stderr needle-encode -m "$BATS_FILE_TMPDIR/other.safetensors" --index new.index --rank "play"
	[ "$status" -eq 3 ]
	[[ $stderr == "needle-encode: new.index: the index was made with another model"* ]]
	needle-encode -m "$BATS_FILE_TMPDIR/other.safetensors" --index new.index --rank=bm25 "play"
	needle-encode -m "$BATS_FILE_TMPDIR/other.safetensors" --tools changed.json --index new.index
	needle-encode -m "$BATS_FILE_TMPDIR/other.safetensors" --index new.index --rank "play"
}

@test "what is no index is refused" {
	for f in "$tools" "$NEEDLE_MODEL" missing /; do
		run --separate-stderr needle-encode --index "$f" --rank "play"
		[ "$status" -eq 3 ]
		[[ $stderr == "needle-encode: "* ]]
	done
	run --separate-stderr needle-encode --tools <(echo '[]') --index x.index
	[ "$status" -eq 3 ]
	[[ $stderr == *"no tools"* ]]
	[ ! -e x.index ]
	run --separate-stderr needle-encode --tools "$tools" --index /dev/full
	[ "$status" -eq 3 ]
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

# huge FILE: a copy of m.safetensors whose states overflow
huge() {
	local header at i
	cp "$NEEDLE_MODEL" "$1"
	header=$(od -An -t u8 -N 8 "$1")
	at=$(tail -c +9 "$1" | head -c "$((header))" | jq '.["encoder/final_norm/scale"].data_offsets[0]')
	for i in {1..32}; do printf '\377\377\177\177'; done | dd of="$1" bs=1 seek=$((8 + header + at)) conv=notrunc status=none
}

@test "what a model computes beyond numbers is written nowhere" {
	huge huge.safetensors
	export NEEDLE_MODEL=huge.safetensors
	local says="the model computes values that are not numbers"
	run --separate-stderr needle-encode <<<'{"text":"a b"}'
	[ "$status" -eq 1 ] && [ "$(jq -r .error.message <<<"$output")" = "$says" ]
	run --separate-stderr needle-encode --states x.npy <<<"a b"
	[ "$status" -eq 3 ] && [ "$stderr" = "needle-encode: $says" ] && [ ! -e x.npy ]
	run --separate-stderr needle-infer -t "$tools" --logits x.npy "a b"
	[ "$status" -eq 3 ] && [ "$stderr" = "needle-infer: $says" ] && [ ! -e x.npy ]
	run --separate-stderr needle-infer -t "$tools" "a b"
	[ "$status" -eq 3 ] && [ -z "$output" ]
}

@test "usage errors exit with 2" {
	for args in "--tools $tools --rank bm25" "--tools $tools --rank bm25 jazz"; do
		run -2 --separate-stderr needle-encode $args
		[ "${stderr_lines[0]}" = "needle-encode: 'bm25' is no QUERY: did you mean --rank=bm25?" ]
	done
	[ "$(needle-encode --tools "$tools" --rank=fused bm25 | wc -l)" -eq 5 ]
	for args in "--rank" "-k 3" "--tools $tools" "--rank --tools $tools -k 0 a" "a b" "--rank --tools $tools --states x.npy" \
		"--index x" "--index x --tools $tools --rank a" "--index x --tools $tools a" "--rank=best --tools $tools a" "--tools $tools"; do
		run --separate-stderr needle-encode $args </dev/null
		[ "$status" -eq 2 ]
	done
}

@test "write errors are not ignored, a closed pipe is quiet" {
	run bash -c 'needle-encode <<<a 2>&1 >/dev/full'
	[ "$status" -eq 3 ]
	run -0 --separate-stderr bash -c 'for i in {1..200}; do echo "$i"; done | needle-encode --states - | head -c 10 | wc -c; exit "${PIPESTATUS[1]}"'
	[ -z "$stderr" ]
	run bash -c 'needle-encode --states /dev/full <<<a 2>&1'
	[ "$status" -eq 3 ]
	run bash -c '{ needle-encode <<<a; } 2>&1 >&3 | cat' 3> >(:)
	[ -z "$output" ]
}
