#!/usr/bin/env bats
# needle-infer on models with random weights: whatever they say must be valid.

load ../common
load model

setup_file() {
	make_model m.safetensors 1 32 2 512 96
	make_model small.safetensors 2 32 2 48 24
	make_model headless.safetensors 3 32 1 256 64 no-contrastive
}

setup() {
	bats_require_minimum_version 1.5.0
	export NEEDLE_MODEL="$BATS_FILE_TMPDIR/m.safetensors"
	cd "$tmp"
	tools=tools.json # a name without blanks: some tests split words
	ln -s "$testdata/tools.json" $tools
	queries=("wake me up at half past six" "play some jazz" "what's the weather in Zürich?" "" "🎉 call Bob" "set a timer")
	for q in "${queries[@]}"; do jq -nc --arg q "$q" '{id: 7, query: $q, note: "kept"}'; done >q.jsonl
}

# valid CALLS TOOLS: every call names a declared tool and only its arguments, the required ones too
valid() {
	jq -e --slurpfile t "$2" 'type == "array" and all(.[]; . as $c | any($t[0][]; . as $tool | .name == $c.name
		and ($c | keys_unsorted == ["name", "arguments"])
		and (($c.arguments | keys) - ($tool.parameters | keys) == [])
		and ([$tool.parameters | to_entries[] | select(.value.required == true) | .key] - ($c.arguments | keys) == [])))' \
		<<<"$1" >/dev/null
}

@test "a query gives one JSON array and status 0 or 1" {
	run --separate-stderr needle-infer -t "$tools" "wake me up at half past six"
	[ "${#lines[@]}" -eq 1 ]
	valid "$output" "$tools"
	if [ "$output" = "[]" ]; then [ "$status" -eq 1 ]; else [ "$status" -eq 0 ]; fi
}

@test "random weights only ever name declared tools and arguments" {
	for seed in 11 12 13 14 15 16; do
		make_model "r$seed.safetensors" "$seed" 16 1 256 96
		run --separate-stderr needle-infer -q -m "$BATS_FILE_TMPDIR/r$seed.safetensors" -t "$tools" q.jsonl
		[ "$status" -eq 0 ]
		[ "${#lines[@]}" -eq "${#queries[@]}" ]
		for line in "${lines[@]}"; do valid "$(jq -c .calls <<<"$line")" "$tools"; done
	done
}

@test "records keep order, fields and their number; -j changes nothing" {
	needle-infer -t "$tools" -j 1 q.jsonl >one
	needle-infer -t "$tools" -j 3 <q.jsonl >three
	cmp one three
	[ "$(jq -c '[.id, .note]' one | sort -u)" = '[7,"kept"]' ]
	[ "$(jq -r '.query' one)" = "$(printf '%s\n' "${queries[@]}")" ]
	jq -e '.confidence >= 0 and .confidence <= 1 and (keys_unsorted[0:3] == ["id", "query", "note"])' one
}

@test "what an earlier run said of a record does not stay" {
	needle-infer -q -t "$tools" --max-tokens 3 q.jsonl >first
	jq -se 'all(.truncated)' first
	needle-infer -q -t "$tools" --timings --trace first | needle-infer -q -t "$tools" >second
	diff <(jq -Sc . second) <(needle-infer -q -t "$tools" q.jsonl | jq -Sc .)
	run -1 --separate-stderr needle-infer <<<'{"query":"x","calls":[{"name":"old","arguments":{}}],"confidence":1,"note":"kept"}'
	jq -e '(has("calls") or has("confidence") | not) and .error.line == 1 and .note == "kept"' <<<"$output"
	run -1 needle-infer -q -t "$tools" <<<"{\"error\":1}"
	needle-infer -q -t "$tools" <<<'{"query":"x","error":{"line":7}}' | jq -e '.calls and (has("error") | not)'
}

@test "a request does not depend on those before it" {
	needle-infer -t "$tools" q.jsonl >all
	i=0
	while IFS= read -r record; do
		i=$((i + 1))
		[ "$(needle-infer -t "$tools" <<<"$record")" = "$(sed -n "${i}p" all)" ]
	done <q.jsonl
	local list='[{"name":"book","parameters":{%s}}]' a='"place":{"type":"string","required":true}' b='"guests":{"type":"integer","required":true}'
	# shellcheck disable=SC2059 # the list is a format
	printf "{\"query\":\"4 at Luigi's\",\"tools\":$list}\n" "$a,$b" "$b,$a" >order.jsonl
	needle-infer order.jsonl >together
	needle-infer <(sed -n 2p order.jsonl) >alone
	sed -n 2p together | cmp - alone
}

@test "a file whose name has blanks is a file if it is there" {
	cp q.jsonl "my queries.jsonl"
	needle-infer -t "$tools" "my queries.jsonl" | cmp - <(needle-infer -t "$tools" q.jsonl)
	run -1 --separate-stderr needle-infer --refuse-bias 100 -t "$tools" "open notes.json"
	[ "$output" = "[]" ]
}

@test "tools in the record win over -t, as JSON or as a string of JSON" {
	jq -nc '[{name: "Beep", parameters: {}}]' >own.json
	jq -nc --slurpfile t own.json '{query: "x", tools: $t[0]}, {query: "x", tools: ($t[0] | tojson)}' >own.jsonl
	run --separate-stderr needle-infer -t "$tools" own.jsonl
	[ "$status" -eq 0 ]
	[ "$(jq -c .calls <<<"${lines[0]}")" = "$(jq -c .calls <<<"${lines[1]}")" ]
	for line in "${lines[@]}"; do valid "$(jq -c .calls <<<"$line")" own.json; done
}

@test "names come back as they were given, also where they collide in snake_case" {
	jq -nc '[{name: "getUser", parameters: {}}, {name: "get_user", parameters: {}}, {name: "Get-User!", parameters: {}}]' >t.json
	for seed in 21 22 23; do
		make_model "n$seed.safetensors" "$seed" 16 1 256 96
		run --separate-stderr needle-infer -m "$BATS_FILE_TMPDIR/n$seed.safetensors" -t t.json "who is it"
		valid "$output" t.json
	done
}

@test "what a provider runs itself is left out of the tools, with one warning" {
	jq '[{type: "web_search"}] + .' "$tools" >hosted.json
	run --separate-stderr needle-infer -t hosted.json "wake me up at half past six"
	[[ "$stderr" == "needle-infer: hosted.json: left out, being no functions: tools[0] (web_search)"* ]]
	diff <(cat <<<"$output") <(needle-infer -q -t "$tools" "wake me up at half past six")
	run --separate-stderr needle-infer -q -t hosted.json "wake me up at half past six"
	[ -z "$stderr" ]
	jq -c '{query: "play some jazz", tools: .[0:2]}' hosted.json hosted.json >own.jsonl
	run --separate-stderr needle-infer -j 1 own.jsonl
	[ "$stderr" = "needle-infer: own.jsonl:1: left out, being no functions: tools[0] (web_search)" ]
	[ "$(jq -sc 'map(has("error"))' <<<"$output")" = "[false,false]" ]
}

@test "no tools: no call, status 1" {
	echo '[]' >none.json
	run --separate-stderr needle-infer -t none.json "hello"
	[ "$status" -eq 1 ]
	[ "$output" = "[]" ]
}

@test "the token limit leaves out the unfinished call and says so" {
	run --separate-stderr needle-infer -t "$tools" --max-tokens 3 q.jsonl
	[ "$status" -eq 0 ]
	jq -se 'all(.calls == [] and .truncated == true)' <<<"$output"
	for n in 1 2 20 40 60; do
		run --separate-stderr needle-infer -q -t "$tools" --max-tokens "$n" "play some jazz"
		valid "$output" "$tools"
	done
}

@test "tools beyond the window are cut, and stderr says so" {
	run --separate-stderr needle-infer -m "$BATS_FILE_TMPDIR/small.safetensors" -t "$tools" "play some jazz"
	valid "$output" "$tools"
	[[ $stderr == *"the tools do not fit"* ]]
	run --separate-stderr needle-infer -q -m "$BATS_FILE_TMPDIR/small.safetensors" -t "$tools" q.jsonl
	jq -se 'all(.truncated == true)' <<<"$output"
}

@test "a query of 10 MB is cut and answered" {
	head -c 10000000 /dev/zero | tr '\0' 'a' | jq -Rc '{query: .}' >big.jsonl
	run --separate-stderr needle-infer -m "$BATS_FILE_TMPDIR/small.safetensors" -t "$tools" big.jsonl
	[ "$status" -eq 0 ]
	[ "$(jq .truncated <<<"$output")" = true ]
	[[ $stderr == *"query"*"cut"* ]]
}

@test "--min-confidence rejects" {
	run --separate-stderr needle-infer -t "$tools" --min-confidence 1 q.jsonl
	[ "$status" -eq 0 ]
	jq -se 'all(.calls == [] and .rejected == true)' <<<"$output"
	run --separate-stderr needle-infer -q -t "$tools" --min-confidence 1 "play some jazz"
	[ "$status" -eq 1 ]
	[ "$output" = "[]" ]
}

@test "--timings and --trace" {
	run --separate-stderr needle-infer -t "$tools" --timings --trace q.jsonl
	jq -se 'all((.timings | .prefill_tokens > 0 and .decode_tokens > 0 and .prefill_ms >= 0 and .decode_ms >= 0)
		and (.trace[0] == {"piece": "<tool_call>", "p": 1.0, "choices": 1})
		and (.timings.decode_tokens == (.trace | length)) and (.trace | all(.p > 0 and .p <= 1)))' <<<"$output"
	run --separate-stderr needle-infer -t "$tools" --timings --trace "play some jazz"
	valid "$output" "$tools"
	[[ $stderr == *$'1.000000\t1\t<tool_call>'* && $stderr == *prefill_tokens* ]]
}

@test "--stream prints the same calls one by one" {
	for q in "${queries[@]}"; do
		needle-infer -q -t "$tools" "$q" >whole || true
		needle-infer -q -t "$tools" --stream "$q" >calls || true
		[ "$(jq -c '.[]' whole)" = "$(cat calls)" ]
	done
	for n in 3 30 60; do # no half call, and stderr says that one is missing
		needle-infer -t "$tools" --max-tokens $n "play some jazz" >whole 2>whole.err || true
		needle-infer -t "$tools" --max-tokens $n --stream "play some jazz" >calls 2>calls.err || true
		[ "$(jq -c '.[]' whole)" = "$(cat calls)" ]
		cmp whole.err calls.err
	done
	needle-infer -t "$tools" --max-tokens 3 --stream --trace "play some jazz" >calls 2>calls.err || true
	[ ! -s calls ]
	[[ $(<calls.err) == $'1.000000\t1\t<tool_call>\n'*"the token limit came before the end"* ]]
}

@test "--beam: valid answers, the same for any number of threads; 1 is greedy, none the same but for doubt" {
	needle-infer -q -t "$tools" --ground off --trace q.jsonl >itself
	needle-infer -q -t "$tools" --ground off --trace --beam 1 q.jsonl >greedy
	paste -d '\n' itself greedy | jq -nce '[inputs] as $a | [range(0; $a | length; 2) | $a[.] as $x | $a[. + 1] as $y
		| $x.calls == $y.calls or any($y.trace[]; .p < 0.5)] | all'
	needle-infer -q -t "$tools" --beam 4 -j 1 q.jsonl >four
	needle-infer -q -t "$tools" --beam 4 -j 3 q.jsonl >again
	cmp four again
	while IFS= read -r line; do valid "$(jq -c .calls <<<"$line")" "$tools"; done <four
	needle-infer -q -t "$tools" --beam 4 --trace --timings q.jsonl >traced
	diff <(jq -c '[.calls, .confidence]' four) <(jq -c '[.calls, .confidence]' traced)
	jq -se 'all(.timings.decode_tokens == (.trace | length) and (.trace[0].piece == "<tool_call>"))' traced
	run -1 cmp -s <(jq -c .calls greedy) <(jq -c .calls four)
}

@test "--ground: sources of the values; strict copies, and the schema says what is no copy" {
	jq -nc '[{name: "note", parameters: {text: {type: "string", required: true},
		colour: {type: "string", enum: ["red", "blue"], required: true}}}]' >t.json
	for seed in 31 32 33; do
		make_model "g$seed.safetensors" "$seed" 16 1 256 96
		for g in strict prefer off; do
			needle-infer -q -m "$BATS_FILE_TMPDIR/g$seed.safetensors" -t t.json --ground $g --trace <q.jsonl >$g.$seed
		done
	done
	jq -e -s 'all(.query as $q | (.calls | length) == (.sources | length)
		and all(.sources[]; keys == ["/colour", "/text"] and (.["/text"] == null
			or (.["/text"] | .[0] < .[1] and .[1] <= ($q | utf8bytelength)))))' off.* prefer.*
	jq -e -s 'all(.query as $q | all(.calls[].arguments.text; . as $t | $q | ascii_downcase | contains($t | ascii_downcase)))' strict.*
	run --separate-stderr needle-infer -q -t "$tools" --ground loose "play some jazz"
	[ "$status" -eq 2 ]
}

@test "--no-jump-ahead changes nothing but the time, where nothing is rounded" {
	for beam in 1 2 4; do
		needle-infer -q -t "$tools" --precision f32 --beam $beam --trace q.jsonl >with
		needle-infer -q -t "$tools" --precision f32 --beam $beam --trace --no-jump-ahead q.jsonl >without
		for file in with without; do jq -c '[.calls, .truncated, (.trace | map([.piece, .choices]))]' $file >$file.said; done
		cmp with.said without.said
	done
}

@test "--lines takes lines as they stand" {
	printf '%s\n' '{"not json' 'play some jazz' '' 'call Bob' | needle-infer -t "$tools" --lines >out
	[ "$(jq -r .query out)" = $'{"not json\nplay some jazz\ncall Bob' ]
	printf 'a\xff\nplay some jazz\n' >bad
	run --separate-stderr needle-infer -t "$tools" --lines bad
	[ "$status" -eq 1 ]
	jq -e '.error.line == 1' <<<"${lines[0]}"
	jq -e '.calls' <<<"${lines[1]}"
	printf 'play some jazz\n{"query":\n' >bad
	run --separate-stderr needle-infer -t "$tools" bad
	[ "$status" -eq 1 ]
	[ "${stderr_lines[0]}" = 'needle-infer: bad:1: expected an object, found text: queries as they stand need --lines' ]
	[[ ${stderr_lines[1]} == 'needle-infer: bad:2: invalid JSON at column '* ]]
}

@test "--no-grammar hands back what is no list of calls" {
	run --separate-stderr needle-infer -t "$tools" --no-grammar --max-tokens 20 q.jsonl
	[ "$status" -eq 0 ]
	jq -se 'all((.calls | type) == "array")' <<<"$output"
}

@test "-k offers the best tools only, however they are ranked" {
	for how in head bm25 fused; do
		best=$(needle-encode --tools "$tools" --rank=$how -k 3 "play some jazz" | cut -f 2)
		run --separate-stderr needle-infer -q -t "$tools" -k 3 --rank $how "play some jazz"
		valid "$output" "$tools"
		for name in $(jq -r '.[].name' <<<"$output"); do grep -qx "$name" <<<"$best"; done
	done
	# one tool, and at least one call: it is the best one's
	run --separate-stderr needle-infer -q -t "$tools" -k 1 --rank bm25 "play some jazz"
	[ "$(jq -r '.[].name' <<<"$output" | sort -u | grep -vx play_music)" = "" ]
	# nothing to rank by is no reason to offer more; a record's null no list of its own
	printf '{"query":"%s","tools":null}\n' "" " " "play some jazz" >bare.jsonl
	run --separate-stderr needle-infer -t "$tools" -k 1 --timings bare.jsonl
	[ "$(jq -s '[.[].timings.prefill_tokens] | .[0] == .[1] and .[2] > 0' <<<"$output")" = true ]
}

@test "an index answers as its tools do" {
	needle-encode --tools "$tools" --index x.index
	printf '%s\n' "play some jazz" "wake me up at six" >queries
	for args in "-k 2" "-k 99" "-k 3 --rank bm25"; do
		needle-infer -q -t "$tools" $args --lines queries >tools.out || true
		needle-infer -q --index x.index $args --lines queries >index.out || true
		[ "$(wc -l <index.out)" -eq 2 ]
		diff tools.out index.out
	done
	run needle-infer -q --index x.index "" # nothing to rank by: the first ones
	[ "$status" -le 1 ]
	diff <(needle-infer -q --index x.index "play some jazz") <(needle-infer -q -t "$tools" -k 5 "play some jazz")
	# a record's own tools come first
	jq -c '{query: "play some jazz", tools: .[2:4]}' "$tools" >own.jsonl
	diff <(needle-infer -q --index x.index own.jsonl) <(needle-infer -q own.jsonl)
}

@test "-k: records whose tools are partly those of the record before are answered as alone" {
	for pick in '.' '.[2:]' '.[1:] | reverse' '.[0:1]' '.[3:] + .[0:2]'; do
		jq -c "{query:\"play some jazz\", tools:($pick)}" "$tools"
	done >own.jsonl
	while read -r record; do
		needle-infer -q -k 3 - <<<"$record" || [ $? -eq 1 ]
	done <own.jsonl >alone
	needle-infer -q -j 1 -k 3 own.jsonl >all || [ $? -eq 1 ]
	[ "$(wc -l <all)" -eq 5 ]
	diff alone all
}

@test "a model without contrastive head ranks by words" {
	headless="$BATS_FILE_TMPDIR/headless.safetensors"
	run --separate-stderr needle-infer -q -m "$headless" -t "$tools" -k 2 "play some jazz"
	[ "$status" -le 1 ]
	[ "$output" = "$(needle-infer -q -m "$headless" -t "$tools" -k 2 --rank bm25 "play some jazz")" ]
	for how in head fused; do
		run --separate-stderr needle-infer -m "$headless" -t "$tools" -k 2 --rank $how "play some jazz"
		[ "$status" -eq 3 ]
		[[ $stderr == *"no contrastive head"* ]]
	done
	for args in "--rank bm25 -t $tools a" "--index x -t $tools a" "--rank best -k 2 -t $tools a"; do
		run --separate-stderr needle-infer $args
		[ "$status" -eq 2 ]
	done
	run --separate-stderr needle-infer --index "$tools" a
	[ "$status" -eq 3 ]
	[[ $stderr == "needle-infer: $tools: "* ]]
}

@test "--logits agrees with the NumPy reference" {
	numpy
	jq -c '.[0:2]' "$tools" >two.json
	query="wake me up at half past six"
	ids="$(needle-tokenize --plain --vocab "$testdata/vocab-512.model" <<<"$query") 5 $(needle-tokenize --plain --vocab "$testdata/vocab-512.model" <two.json)"
	for cpu in scalar avx512; do
		NEEDLE_CPU=$cpu needle-infer -t two.json --max-tokens 6 --logits ours.npy "$query"
		"${reference[@]}" logits "$NEEDLE_MODEL" "$ids" 6 >theirs.npy
		"${reference[@]}" compare ours.npy theirs.npy 1e-4
	done
}

@test "bad records stand in their place, the others are answered" {
	printf '%s\n' '{"query":"play some jazz"}' '{"query":' '[1]' '{"query":5}' '{}' \
		'{"query":"x","tools":{"a":1}}' '{"query":"x","tools":"["}' '{"query":"call Bob"}' >bad.jsonl
	run --separate-stderr needle-infer -t "$tools" bad.jsonl
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 8 ]
	for i in 0 7; do jq -e '.calls and (.error | not)' <<<"${lines[i]}"; done
	for i in 1 2 3 4 5 6; do jq -e --argjson n "$((i + 1))" '.error.line == $n and (.calls | not)' <<<"${lines[i]}"; done
	[[ $stderr == *"needle-infer: bad.jsonl:4: query: expected a string"* ]]
	run --separate-stderr needle-infer -t "$tools" --strict bad.jsonl
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "what ends a stream ends it also while no more input comes" {
	mkfifo in
	ends() { # STATUS OUT OPTION...
		timeout 60 needle-infer -q -t "$tools" "${@:3}" <in >"$2" 2>err &
		exec 4>in
		printf '%s\n' '{"query":"play some jazz"}' '{}' >&4
		status=0
		wait $! || status=$?
		exec 4>&-
		[ "$status" -eq "$1" ]
	}
	for n in 1 2; do
		ends 1 out --strict -j $n
		[ "$(wc -l <out)" -eq 1 ]
		[ ! -e /dev/full ] || ends 3 /dev/full -j $n
	done
}

@test "no tools at all is an error of the record" {
	run --separate-stderr needle-infer <<<'{"query":"x"}'
	[ "$status" -eq 1 ]
	jq -e '.error' <<<"$output"
}

@test "unusable files exit with 3" {
	: >empty.json
	echo '{"a":1}' >object.json
	echo '[{"name":' >broken.json
	for t in missing.json empty.json object.json broken.json /; do
		run --separate-stderr needle-infer -t "$t" "play some jazz"
		[ "$status" -eq 3 ]
		[ -z "$output" ]
		[[ $stderr == "needle-infer: $t"* ]]
	done
	for m in missing.safetensors empty.json "$testdata/golden/tiny.safetensors" /; do
		run --separate-stderr needle-infer -m "$m" -t "$tools" "play some jazz"
		[ "$status" -eq 3 ]
		[[ $stderr == "needle-infer: "* ]]
	done
	run --separate-stderr needle-infer -t "$tools" missing.jsonl
	[ "$status" -eq 3 ]
}

@test "a query that is not UTF-8 is refused" {
	run --separate-stderr needle-infer -t "$tools" $'call Mari\xe9'
	[ "$status" -eq 3 ] && [ -z "$output" ]
	[[ $stderr == *"the text is not UTF-8 at byte 10"* ]]
}

@test "a processor of the first generation runs it" {
	[ "$(uname -m)" = x86_64 ] || skip "for x86-64"
	qemu=$(command -v qemu-x86_64-static || command -v qemu-x86_64) || skip "no qemu-x86_64"
	! ldd "$top_builddir/needle-infer" | grep -q libasan || skip "sanitizers"
	NEEDLE_CPU=scalar needle-infer -q -t "$tools" "play some jazz" >scalar || [ $? -eq 1 ]
	"$qemu" -cpu qemu64 "$top_builddir/needle-infer" -q -t "$tools" "play some jazz" >old || [ $? -eq 1 ]
	cmp scalar old
}

@test "--refuse-bias moves the balance between a call and none" {
	[ "$(needle-infer --refuse-bias 100 -t "$tools" "play some jazz")" = "[]" ]
	called=$(needle-infer --refuse-bias off -t "$tools" "play some jazz")
	[ "$(needle-infer --refuse-bias -100 -t "$tools" "play some jazz")" = "$called" ]
	jq -e 'length > 0' <<<"$called"
}

@test "an enum's value may be short for a word of the query" {
	echo '[{"name":"pay","parameters":{"type":"object","required":["currency","half"],"properties":{
		"currency":{"enum":["USD","EUR","GBP"]},"half":{"enum":["AM","PM"]}}}}]' >pay.json
	said() { needle-infer -t pay.json --lexical-weight 100 --refuse-bias -100 "$1" | jq -rc '.[0].arguments | [.currency, .half]'; }
	[ "$(said "pay twenty euros in the morning")" = '["EUR","AM"]' ]
	[ "$(said "pay 1 pound tonight")" = '["GBP","PM"]' ]
	[ "$(said "pay dollars in the afternoon")" = '["USD","PM"]' ]
}

@test "an enum's value of several words by its capitals is said as one, and a number's name without its unit" {
	echo '[{"name":"ship","parameters":{"type":"object","required":["carrier"],"properties":{"carrier":{"enum":["UPS","FedEx","GLS"]},
		"depth_cm":{"type":"number"},"width_cm":{"type":"number"}}}}]' >ship.json
	said() { needle-infer -t ship.json --lexical-weight 100 --refuse-bias -100 "$1" | jq -rc '.[0].arguments'; }
	[ "$(said "ship by fedex" | jq -r .carrier)" = FedEx ]
	[ "$(said "ship by UPS, depth 7" | jq -c '[.carrier, has("depth_cm"), has("width_cm")]')" = '["UPS",true,false]' ]
	[ "$(said "ship by GLS, width 7" | jq -c '[.carrier, has("depth_cm"), has("width_cm")]')" = '["GLS",false,true]' ]
}

@test "days that are said by today's date are worked out" {
	echo '[{"name":"book_table","description":"Books a table at a restaurant.","parameters":{"type":"object",
		"properties":{"date":{"type":"string","format":"date"}},"required":["date"]}}]' >table.json
	day_of() { needle-infer -m "$top_srcdir/share/default.safetensors" -t table.json "$@" | jq -r '.[0].arguments.date'; }
	[ "$(day_of "today is Sunday 29 November 2026, book a table for next Friday")" = 2026-12-04 ]
	[ "$(day_of "book a table for the day after tomorrow (today: 2026-12-30)")" = 2027-01-01 ]
	[ "$(day_of --today 2026-11-29 "book a table for tomorrow")" = 2026-11-30 ]
	[ "$(day_of --today 2020-02-02 "it's 29 November 2026, book a table for tomorrow")" = 2026-11-30 ]
	[ "$(day_of --today 2026-11-29 "book a table for 3 May 2028")" = 2028-05-03 ]
	for now in "" "--today now"; do
		before=$(date -d tomorrow +%F) got=$(day_of $now "book a table for tomorrow")
		[ "$got" = "$before" ] || [ "$got" = "$(date -d tomorrow +%F)" ]
	done
}

@test "usage errors exit with 2" {
	for args in "word" "-t $tools two words" "-t $tools --stream" "-t $tools --logits x.npy" "--lines" "-t -" \
		"-t $tools --precision int3 word" "-t $tools --max-tokens 0 word" "-t $tools --min-confidence 2 word" \
		"-t $tools --stream --min-confidence 0.5 word" "-t $tools --strict word" "--beam 0" "--beam 17" \
		"-t $tools --refuse-bias never word" "-t $tools --refuse-bias 101 word" \
		"-t $tools --today tomorrow word" "-t $tools --today 2026-02-30 word" "-t $tools --today 2026-11-291 word" \
		"-t $tools --today 2026-1-29 word" "-t $tools --today +026-02-03 word" "-t $tools --today 0000-01-01 word" "-t $tools --lexical-weight -1 word" "-t $tools --lexical-weight much word" \
		"-t $tools --beam 2 --stream word" "-t $tools --beam 2 --no-grammar word" "-t $tools --stream --no-grammar word" \
		"-t $tools --no-grammar --ground strict word" "-t $tools --no-grammar --lexical-weight 2 word" \
		"-t $tools --no-grammar --refuse-bias 1 word" "-t $tools --no-grammar --today now word" "-t $tools --ground off --today now word" \
		"-t $tools -k 0 word" "-t $tools --min-confidence nan word" "-t $tools --min-confidence -1 word" \
		"-t $tools --logits x.npy --beam 2 word" "-t $tools --logits x.npy --ground off word" "-t $tools --logits x.npy -k 1 word" \
		"-t $tools q.jsonl q.jsonl" "-t $tools --logits x.npy q.jsonl two" "-t $tools --max-tokens 2x word" "-t $tools --beam word"; do
		run --separate-stderr needle-infer $args </dev/null
		[ "$status" -eq 2 ]
	done
}

@test "write errors are not ignored, a closed pipe is quiet" {
	run bash -c 'needle-infer -t "$1" q.jsonl 2>&1 >/dev/full' - "$tools"
	[ "$status" -eq 3 ]
	[[ $output == *"No space left"* ]]
	run bash -c 'needle-infer -t "$1" "play some jazz" --logits /dev/full 2>&1' - "$tools"
	[ "$status" -eq 3 ]
	run bash -c '{ needle-infer -q -t "$1" q.jsonl; } 2>&1 >&3 | cat' - "$tools" 3> >(:)
	[ -z "$output" ]
}

@test "a pipe streams: each record is answered before the next is sent" {
	mkfifo in out
	needle-infer -q -t "$tools" <in >out &
	exec 4>in 5<out
	for q in "play some jazz" "call Bob"; do
		jq -nc --arg q "$q" '{query: $q}' >&4
		IFS= read -r -t 60 line <&5
		jq -e --arg q "$q" '.query == $q and .calls' <<<"$line"
	done
	exec 4>&- 5<&-
	wait
}

@test "of an enum of currencies it is the one whose sign or name the query says" {
	echo '[{"name":"pay","parameters":{"type":"object","properties":{"currency":{"enum":["CHF","EUR","USD","GBP"]}},"required":["currency"]}}]' >t.json
	while read -r code query; do
		run -0 needle-infer -t t.json --lexical-weight 100 --refuse-bias off "pay $query"
		[[ $output == *"{\"name\":\"pay\",\"arguments\":{\"currency\":\"$code\"}}"* ]] || { echo "$query: $output"; false; }
	done <<-'END'
		USD $20
		EUR €20
		GBP 20£
		USD twenty bucks
		EUR a euro
		GBP ten quid
	END
}
