#!/usr/bin/env bats
# needle-eval: tables, JSON, groups, limits, failures, bad input, exit statuses.

load ../common
load model

setup() {
	bats_require_minimum_version 1.5.0
	cd "$tmp"
	cat >calls.jsonl <<-'END'
		{"query":"stop it","tools":[{"name":"stop","parameters":{}}],"answers":[{"name":"stop","arguments":{}}],"calls":[{"name":"stop","arguments":{}}],"meta":{"kind":"a"},"confidence":0.9}
		{"query":"play jazz","tools":[{"name":"play","parameters":{"what":{"type":"string"}}}],"answers":"[{\"name\":\"play\",\"arguments\":{\"what\":\"jazz\"}}]","calls":[{"name":"play","arguments":{"what":"rock"}}],"meta":{"kind":"b"},"confidence":0.2}

		{"query":"hm","tools":[],"answers":[],"calls":[],"meta":{"kind":"a"},"confidence":0.8}
	END
}

@test "the table shows each metric for all and by number of calls" {
	run -0 --separate-stderr needle-eval calls.jsonl
	[ -z "$stderr" ]
	grep -Eq '^ +all +0 calls +1 call$' <<<"$output"
	grep -Eq '^records +3 +1 +2$' <<<"$output"
	grep -Eq '^exact_match +0\.6667 +1\.0000 +0\.5000$' <<<"$output"
	grep -Eq '^call_f1 +0\.5000 +- +0\.5000$' <<<"$output"
	grep -Eq '^name_f1 +1\.0000 +- +1\.0000$' <<<"$output"
	grep -Eq '^value_grounded +0\.0000 ' <<<"$output"
	grep -Eq '^refusal_recall +1\.0000 +1\.0000 +-$' <<<"$output"
	grep -q 'calibration error  0.1667, area under the ROC curve  1.0000' <<<"$output"
}

@test "--json writes the same numbers" {
	run -0 --separate-stderr needle-eval --json calls.jsonl
	[ "${#lines[@]}" -eq 1 ]
	jq -e '[.records,.bad,.call_f1,.by_calls."0".call_f1,.by_calls."1".records] == [3,0,0.5,null,2]' <<<"$output"
	jq -e '.calibration | [.records,.auroc,.bins[2].right,.bins[3].right] == [3,1,0,null]' <<<"$output"
	[ "$(jq 'has("by")' <<<"$output")" = false ]
}

@test "--by groups by a field inside, sorted; records without it are (none)" {
	echo '{"answers":[],"calls":[],"meta":{"kind":7}}' >>calls.jsonl
	echo '{"answers":[],"calls":[],"meta":3}' >>calls.jsonl
	run -0 needle-eval --by meta.kind --json calls.jsonl
	jq -e '.by | [.field, (.groups | keys_unsorted), .groups.a.records, .groups.b.exact_match] ==
		["meta.kind", ["(none)","7","a","b"], 2, 0]' <<<"$output"
	run -0 needle-eval --by meta.kind calls.jsonl
	grep -Eq '^meta\.kind +records +exact_match' <<<"$output"
	grep -Eq '^b +1 +0\.0000' <<<"$output"
}

@test "standard input, - and compressed files are read alike" {
	want=$(needle-eval calls.jsonl)
	[ "$(needle-eval <calls.jsonl)" = "$want" ]
	[ "$(needle-eval - <calls.jsonl)" = "$want" ]
	gzip -k calls.jsonl
	[ "$(needle-eval calls.jsonl.gz)" = "$want" ]
}

@test "--fail-under and --fail-over set the exit status, after the table" {
	run -0 needle-eval --fail-under exact_match=0.66 --fail-under name_f1=1 --fail-over param_miss=0 calls.jsonl
	run -1 --separate-stderr needle-eval --fail-under call_f1=0.8 calls.jsonl
	[ "$stderr" = 'needle-eval: call_f1 is 0.5000, under 0.8' ]
	grep -q '^records' <<<"$output"
	run -1 --separate-stderr needle-eval --fail-over exact_match=0.5 calls.jsonl
	[ "$stderr" = 'needle-eval: exact_match is 0.6667, over 0.5' ]
	run -1 --separate-stderr needle-eval -q --fail-under exact_match=0.9 calls.jsonl
	[ -z "$stderr" ]
	# undefined does not pass
	run -1 needle-eval --fail-under call_f1=0 <<<'{"answers":[],"calls":[]}'
}

@test "--failures writes the records that are no exact match, unchanged" {
	run -0 needle-eval --failures miss.jsonl calls.jsonl
	cmp miss.jsonl <(sed -n 2p calls.jsonl)
	run -3 --separate-stderr needle-eval --failures no/such/dir calls.jsonl
	[ -z "$output" ]
	if [ -e /dev/full ]; then
		run -3 needle-eval --failures /dev/full calls.jsonl
		grep -q '^exact_match' <<<"$output" # what was computed is not lost
	fi
}

@test "null is no list of tools" {
	run -0 needle-eval --json <<<'{"tools":null,"answers":[],"calls":[]}'
	jq -e '[.records, .bad, .schema_valid] == [1, 0, null]' <<<"$output"
	make_model m.safetensors 1 32 2 512 64
	run -1 --separate-stderr needle-eval -m "$BATS_FILE_TMPDIR/m.safetensors" <<<'{"query":"a","tools":null,"answers":[]}'
	[[ $stderr == *"tools: missing"* ]]
}

@test "--failures into what a link names, or into stdout" {
	printf '%s\n' '{"query":"x","tools":[{"name":"a"}],"answers":[{"name":"a"}],"calls":[]}' >one.jsonl
	echo old >target
	ln -s target link
	needle-eval -q --failures link one.jsonl >/dev/null
	[ -L link ]
	cmp one.jsonl target
	ln -s /proc/self/fd/1 out
	needle-eval --failures out one.jsonl >all
	[ -L out ] && grep -q '^exact_match' all && grep -qFx "$(cat one.jsonl)" all
}

@test "-t gives the tools of all records" {
	echo '[{"name":"stopNow","parameters":{}}]' >tools.json
	echo '{"answers":[{"name":"stopNow"}],"calls":[{"name":"stop_now","arguments":{"x":1}}]}' >one.jsonl
	run -0 needle-eval --json one.jsonl
	jq -e '[.name_f1,.param_haluc,.schema_valid] == [0,null,null]' <<<"$output"
	run -0 needle-eval --json -t tools.json one.jsonl
	jq -e '[.name_f1,.param_haluc,.schema_valid] == [1,1,0]' <<<"$output"
	echo '[{' >tools.json
	run -3 needle-eval -t tools.json one.jsonl
	echo '[{"title":1}]' >tools.json
	run -3 --separate-stderr needle-eval -t tools.json one.jsonl
	[[ $stderr == "needle-eval: tools.json: "* ]]
}

@test "a group's name cannot steer the terminal" {
	echo '{"answers":[],"calls":[],"meta":{"kind":"x\u001b[2J\ny"}}' >>calls.jsonl
	run -0 needle-eval --by meta.kind calls.jsonl
	grep -q '^x?\[2J?y  *1 ' <<<"$output"
	needle-eval --by meta.kind --json calls.jsonl | jq -e '.by.groups | has("x\u001b[2J\ny")'
}

@test "a confidence that is no probability makes a bad record" {
	for bad in 1.5 -0.1; do echo '{"answers":[],"calls":[],"confidence":'$bad'}'; done >>calls.jsonl
	run -1 --separate-stderr needle-eval --json calls.jsonl
	[ "$stderr" = "needle-eval: calls.jsonl:5: confidence: expected a number from 0 to 1
needle-eval: calls.jsonl:6: confidence: expected a number from 0 to 1" ]
	jq -e '[.records, .bad, .calibration.records] == [3,2,3]' <<<"$output"
}

@test "bad records are named by line, counted and do not stop the others" {
	{
		echo '{"answers":[]'
		cat calls.jsonl
		echo '[1]'
		echo '{"answers":{},"calls":[]}'
		echo '{"answers":[]}'
	} >bad.jsonl
	run -1 --separate-stderr needle-eval --json bad.jsonl
	jq -e '[.records,.bad] == [3,4]' <<<"$output"
	[ "${#stderr_lines[@]}" -eq 4 ]
	[[ ${stderr_lines[0]} == 'needle-eval: bad.jsonl:1: invalid JSON '* ]]
	[ "${stderr_lines[1]}" = 'needle-eval: bad.jsonl:6: expected an object, found an array' ]
	[ "${stderr_lines[2]}" = 'needle-eval: bad.jsonl:7: answers: expected an array, found an object' ]
	[ "${stderr_lines[3]}" = 'needle-eval: bad.jsonl:8: calls: missing, and no model was given to make them' ]
	run -1 --separate-stderr needle-eval --strict bad.jsonl
	[ "${#stderr_lines[@]}" -eq 2 ] # the bad line, and that nothing was scored
	run -1 needle-eval bad.jsonl
	grep -q '^not scored: 4 bad records$' <<<"$output"
}

@test "--strict stops at once, also while no more input comes; what follows counts nowhere" {
	make_model m.safetensors 1 32 2 512 64
	mkfifo in
	stops() { # BAD-RECORD OPTION...
		timeout 60 needle-eval --strict --json "${@:2}" <in >out 2>err &
		exec 4>in
		printf '%s\n' '{"query":"a","tools":[],"answers":[],"calls":[]}' "$1" '{"query":"a","tools":[],"answers":[],"calls":[]}' >&4
		status=0
		wait $! || status=$?
		exec 4>&-
		[ "$status" -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && [ "$(jq .records out)" -eq 1 ]
	}
	stops '{"answers":'
	stops '{"calls":[]}'
	stops '{"answers":' -m "$BATS_FILE_TMPDIR/m.safetensors"
	seq -f '{"query":"a","tools":[],"answers":[],"line":%.0f}' 200 | sed '100s/.*/{"query":5,"tools":[],"answers":[]}/' >some.jsonl
	run -1 --separate-stderr needle-eval --strict --json -m "$BATS_FILE_TMPDIR/m.safetensors" some.jsonl
	[ "$(jq .records <<<"$output")" -eq 100 ] # a call that fails is scored, as a wrong one
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "calls that did not parse count as such" {
	printf '%s\n' '{"answers":[],"calls":"[{"}' '{"answers":[],"error":{"message":"x"}}' '{"answers":[],"calls":[]}' >p.jsonl
	run -0 needle-eval --json p.jsonl
	jq -e '[.records,.parse_rate * 3,.exact_match * 3,.refusal_precision] == [3,1,1,1]' <<<"$output"
}

@test "that no record has calls is said once" {
	for i in {1..70}; do echo '{"query":"a","answers":[]}'; done >q.jsonl
	run -1 --separate-stderr needle-eval q.jsonl
	[ -z "$output" ]
	[ "$stderr" = 'needle-eval: q.jsonl:1: calls: missing, and no model was given to make them
needle-eval: no records to score: 70 without calls, which -m MODEL makes' ]
	{ cat q.jsonl calls.jsonl; echo '{"answers":[]}'; } >mixed.jsonl
	run -1 --separate-stderr needle-eval --json mixed.jsonl
	jq -e '[.records, .bad] == [3,71]' <<<"$output"
	[ "$stderr" = 'needle-eval: mixed.jsonl:1: calls: missing, and no model was given to make them
needle-eval: mixed.jsonl:75: calls: missing, and no model was given to make them
needle-eval: 69 more records at the beginning have no calls' ]
}

@test "empty, missing and damaged files" {
	run -1 --separate-stderr needle-eval /dev/null
	[ -z "$output" ]
	[ "$stderr" = 'needle-eval: no records to score' ]
	run -3 --separate-stderr needle-eval no-such-file
	[[ $stderr == 'needle-eval: no-such-file: '* ]]
	gzip -c calls.jsonl | head -c 60 >cut.gz
	run -3 --separate-stderr needle-eval cut.gz
	[[ $stderr == 'needle-eval: cut.gz: '* ]]
	run -3 needle-eval .
}

@test "usage errors" {
	run -2 needle-eval a b
	run -2 needle-eval --fail-under call_f1
	run -2 needle-eval --fail-under nothing=1
	run -2 needle-eval --fail-under call_f1=x
	run -2 needle-eval --fail-under call_f1=2
	run -2 needle-eval --by
}

@test "a full disk and a closed pipe" {
	if [ -e /dev/full ]; then
		run -3 bash -c 'needle-eval calls.jsonl >/dev/full'
	fi
	run -0 bash -c 'needle-eval calls.jsonl | true; exit "${PIPESTATUS[0]}"'
	for _ in {1..3000}; do sed -n 2p calls.jsonl; done >miss.jsonl
	run -0 --separate-stderr bash -c 'needle-eval -q --failures - miss.jsonl | head -n 1 >first; exit "${PIPESTATUS[0]}"'
	[ -z "$stderr" ]
}

@test "-m that is no model" {
	run -3 --separate-stderr needle-eval -m no-such-model calls.jsonl
	[[ $stderr == *no-such-model* ]]
	[ -z "$output" ]
	run -3 needle-eval -m calls.jsonl calls.jsonl
}

# a model that has seen a few records: it makes calls, mostly wrong ones
tiny_model() {
	cat >c.json <<-'END'
		{"vocab_size":512,"d_model":32,"num_heads":2,"num_kv_heads":1,"num_encoder_layers":1,
		 "num_decoder_layers":1,"contrastive_dim":8}
	END
	for i in 1 2 3 4 5 6; do
		echo '{"query":"wake me at '$i'","tools":[{"name":"setAlarm","parameters":{"at":{"type":"integer"}}}],"answers":[{"name":"setAlarm","arguments":{"at":'$i'}}]}'
		echo '{"query":"what is love '$i'","tools":[{"name":"stop","parameters":{}}],"answers":[],"calls":[{"name":"old"}]}'
	done >d.jsonl
	needle-finetune -q -j 1 --init c.json --vocab "$testdata/vocab-512.model" --val d.jsonl --batch-size 4 \
		--max-steps 5 --lr 0.003 d.jsonl -o m.safetensors >log 2>&1
}

@test "-m makes the calls first, the same for any number of threads" {
	tiny_model
	run -0 --separate-stderr needle-eval -j 1 -m m.safetensors --json --failures miss1 d.jsonl
	jq -e '.records == 12 and .parse_rate == 1 and .calibration.records == 12' <<<"$output"
	[ "$(needle-eval -j 3 -m m.safetensors --json --failures miss3 d.jsonl)" = "$output" ]
	cmp miss1 miss3
	# what -m says is what would be said of its own calls
	jq -e '.exact_match * 12 + ($misses | length) == 12' --slurpfile misses miss1 <<<"$output"
	needle-eval --json miss1 | jq -e '.exact_match == 0'
	run -1 grep '"old"' miss1 # earlier calls are forgotten
}

@test "-m: a record whose calls cannot be made is reported and scored as wrong" {
	tiny_model
	{
		echo '{"query":7,"tools":[],"answers":[]}'
		echo '{"query":"x","tools":[{"name":"a","parameters":{"x":{"type":"string","if":{}}}}],"answers":[]}'
		echo '{"query":"x","answers":[]}'
		sed -n 2p d.jsonl
	} >bad.jsonl
	run -1 --separate-stderr needle-eval -j 1 -m m.safetensors --json bad.jsonl
	jq -e '.records == 4 and .bad == 0 and .parse_rate == 0.25' <<<"$output"
	[ "${stderr_lines[0]}" = 'needle-eval: bad.jsonl:1: query: expected a string, found an integer' ]
	[[ ${stderr_lines[1]} == 'needle-eval: bad.jsonl:2: '*'/parameters/x/if'* ]]
	[ "${stderr_lines[2]}" = 'needle-eval: bad.jsonl:3: tools: missing' ]
	run -1 --separate-stderr needle-eval -j 1 -m m.safetensors --lenient --json bad.jsonl
	jq -e '.parse_rate == 0.5' <<<"$output"
	echo '[{"name":"stop","parameters":{}}]' >tools.json
	run -0 --separate-stderr needle-eval -j 1 -m m.safetensors -t tools.json --json <<<'{"query":"x","answers":[]}'
	jq -e '.parse_rate == 1' <<<"$output"
}

@test "--calibrate writes the model with a fitted confidence, which is then applied" {
	make_model m.safetensors 1 32 2 512 64
	model="$BATS_FILE_TMPDIR/m.safetensors"
	# queries that the model refuses and others that it answers, so that "[]" is right for some
	for i in {1..60}; do jq -nc --arg q "query $i" '{query: $q, answers: []}'; done >q.jsonl
	needle-eval --refuse-bias off -q -m "$model" -t "$testdata/tools.json" --failures missed.jsonl q.jsonl >/dev/null
	jq -c 'if .query | test("[13579]$") then .answers = .calls else . end | del(.calls, .confidence)' missed.jsonl >mixed.jsonl
	[ "$(wc -l <mixed.jsonl)" -ge 30 ]
	run -0 --separate-stderr needle-eval --refuse-bias off -m "$model" -t "$testdata/tools.json" --calibrate new.safetensors mixed.jsonl
	[[ $stderr == "needle-eval: log-odds of confidence: "* ]]
	needle-quantize --info new.safetensors | grep -q '^ *confidence'
	run -1 needle-quantize -q --diff "$model" new.safetensors
	[[ $output == "config: confidence null -> "*$'\ndifferent' ]] # and nothing else is
	needle-eval --refuse-bias off --json -m new.safetensors -t "$testdata/tools.json" mixed.jsonl >after
	needle-eval --refuse-bias off --json -m "$model" -t "$testdata/tools.json" mixed.jsonl >before
	[ "$(jq .exact_match before)" = "$(jq .exact_match after)" ]
	jq -e --slurpfile b before '.calibration.ece < 0.2 and .calibration.ece <= $b[0].calibration.ece' after
	# all wrong: nothing to fit, nothing written
	run -1 --separate-stderr needle-eval --refuse-bias off -m "$model" -t "$testdata/tools.json" --calibrate none.safetensors missed.jsonl
	[[ $stderr == *"right and wrong"* ]]
	[ ! -e none.safetensors ]
	run -2 needle-eval --calibrate x.safetensors calls.jsonl
	run -2 needle-eval -m "$model" -t "$testdata/tools.json" --failures same --calibrate same mixed.jsonl
	run -2 needle-eval --ground strict calls.jsonl
	run -2 needle-eval --refuse-bias 1 calls.jsonl
}

@test "a damaged confidence in the model file is an error" {
	make_model m.safetensors 1 32 2 512 64
	/usr/bin/python3 - "$BATS_FILE_TMPDIR/m.safetensors" <<-'END'
		import json, sys
		raw = open(sys.argv[1], "rb").read()
		n = int.from_bytes(raw[:8], "little")
		header = json.loads(raw[8:8 + n])
		header["__metadata__"]["confidence"] = "[1,-2,3]"
		text = json.dumps(header).encode()
		open("bad.safetensors", "wb").write(len(text).to_bytes(8, "little") + text + raw[8 + n:])
	END
	run -3 --separate-stderr needle-eval -m bad.safetensors calls.jsonl
	[[ $stderr == *"confidence"* ]]
}

@test "--recall scores retrieval" {
	make_model m.safetensors 1 32 2 512 64
	model="$BATS_FILE_TMPDIR/m.safetensors"
	{
		echo '{"query":"play some jazz music","answers":[{"name":"play_music","arguments":{}}]}'
		echo '{"query":"xyzzy","answers":[]}' # nothing to find
		jq -nc --slurpfile t "$testdata/tools.json" '{query: "xyzzy", answers: ([$t[0][7, 1].name | {name: .}] | tojson)}'
	} >q.jsonl
	run -0 --separate-stderr needle-eval --recall --rank bm25 --json -m "$model" -t "$testdata/tools.json" q.jsonl
	# the first is found at once; of the third one, whose tools all score 0, the second of the list
	[ "$(jq -c '[.records, .tools, ."recall@1", ."recall@3", ."recall@10", .mrr]' <<<"$output")" = '[2,10,0.5,0.75,1,0.75]' ]
	diff <(needle-eval -j 1 --recall -m "$model" -t "$testdata/tools.json" q.jsonl) \
		<(jq -c --slurpfile t "$testdata/tools.json" '.tools = $t[0]' q.jsonl | needle-eval -j 3 --recall -m "$model")
	jq -c '.answers |= if type == "array" then map({type: "function", function: .}) else . end' q.jsonl >openai.jsonl
	diff <(needle-eval --recall -m "$model" -t "$testdata/tools.json" q.jsonl) \
		<(needle-eval --recall -m "$model" -t "$testdata/tools.json" openai.jsonl)
	run -1 --separate-stderr needle-eval --recall -m "$model" -t "$testdata/tools.json" <<<'{"query":"a","answers":[{"name":"b"}]}'
	[[ $stderr == *"<stdin>:1: answers[0]: calls no tool of the list"* ]]
	recall=(needle-eval --recall --rank bm25 -m "$model" -t "$testdata/tools.json")
	run -0 --separate-stderr "${recall[@]}" --fail-under recall@3=0.75 --fail-over mrr=0.75 q.jsonl
	[ -z "$stderr" ]
	run -1 --separate-stderr "${recall[@]}" --fail-under recall@3=0.76 --fail-under recall@10=1 q.jsonl
	[ "$stderr" = "needle-eval: recall@3 is 0.7500, under 0.76" ]
	run -1 --separate-stderr "${recall[@]}" --json --fail-over mrr=0.7 q.jsonl
	jq -e '.mrr == 0.75' <<<"$output"
	for limit in recall@2=1 exact_match=1 recall@5 recall@5=2; do run -2 "${recall[@]}" --fail-under $limit q.jsonl; done
	run -2 needle-eval --fail-under mrr=1 q.jsonl
	run -2 needle-eval --recall q.jsonl
	for args in "-k 2" "--beam 2" "--ground off" "--by x"; do run -2 needle-eval --recall -m "$model" $args q.jsonl; done
}

@test "-k scores a model behind retrieval, and -m the records that needle-infer makes" {
	make_model m.safetensors 1 32 2 512 64
	model="$BATS_FILE_TMPDIR/m.safetensors"
	echo '{"query":"play some jazz","answers":[{"name":"none"}],"trace":[],"timings":1}' >q.jsonl
	needle-infer -m "$model" -t "$testdata/tools.json" -k 2 --rank bm25 q.jsonl >calls.out || true
	diff <(needle-eval --json -m "$model" -t "$testdata/tools.json" -k 2 --rank bm25 --failures made q.jsonl) \
		<(needle-eval --json -t "$testdata/tools.json" --failures given calls.out)
	[ -s made ]
	cmp made given
}

@test "the default model on a day that is said by --today" {
	model=$top_srcdir/share/default.safetensors
	[ -f "$model" ] || skip "no default model"
	jq -nc '{query: "book a table for tomorrow", tools: [{name: "book_table", description: "Books a table at a restaurant.",
		parameters: {date: {type: "string", format: "date", required: true}}}],
		answers: [{name: "book_table", arguments: {date: "2026-11-30"}}]}' >day.jsonl
	needle-eval -m "$model" --today 2026-11-29 --json day.jsonl | jq -e '.exact_match == 1'
	needle-eval -m "$model" --today 2026-11-28 --json day.jsonl | jq -e '.exact_match == 0'
	run -2 needle-eval --today now day.jsonl
	run -2 needle-eval -m "$model" --today now --ground off day.jsonl
}

@test "the default model on requests written by hand" {
	model=$top_srcdir/share/default.safetensors
	[ -f "$model" ] || skip "no default model"
	run -0 --separate-stderr needle-eval -m "$model" --json "$top_srcdir/testdata/handwritten.jsonl"
	[ -z "$stderr" ]
	jq -e '.records == 500 and .schema_valid == 1 and .exact_match > 0.5' <<<"$output"
}
