#!/usr/bin/env bats
# Whatever the schemas and whatever is chosen, answers are valid: judged by python3-jsonschema.
# NEEDLE_LONG=1 runs far more of the same (see tests/README.md).

load ../common
load ../cli/model

setup_file() {
	make_model one.st 11 32 2 512 400
	make_model two.st 12 16 1 256 400
	cd "$BATS_FILE_TMPDIR"
	local rounds=120
	[ -z "${NEEDLE_LONG-}" ] || rounds=4000
	NDL_TEST_CASES=cases.jsonl NDL_TEST_RECORDS=records.jsonl NDL_TEST_ROUNDS=$rounds \
		"$top_builddir/tests/unit/test_grammar_random" >log 2>&1
}

setup() {
	[ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip "no python3-jsonschema"
	cd "$BATS_FILE_TMPDIR"
}

judge() { /usr/bin/python3 "$top_srcdir/tests/property/validate.py" "$1"; }

@test "random schemas, random choices: every answer is valid" {
	run judge cases.jsonl
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *" 0 invalid"* ]]
}

@test "the judge sees what is wrong" {
	local tools='[{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string","format":"date"}},"required":["a"]}}]'
	for arguments in '{}' '{"a":1}' '{"a":"2023-02-29"}'; do
		echo "{\"tools\":$tools,\"calls\":[{\"name\":\"f\",\"arguments\":$arguments}]}" >wrong.jsonl
		run judge wrong.jsonl
		[ "$status" -eq 1 ]
	done
}

@test "random schemas, random weights, any budget: valid calls, or truncated and no half call" {
	local model n
	head -n "${NEEDLE_LONG:+10}20" records.jsonl >some.jsonl
	for model in one.st two.st; do
		for n in 1 2 9 40 100 399; do
			needle-infer -q -m $model --max-tokens $n some.jsonl
		done >answers.jsonl
		jq -se 'all(has("calls"))' answers.jsonl >/dev/null
		run judge answers.jsonl
		echo "$output"
		[ "$status" -eq 0 ]
		[[ $output != *" 0 truncated"* ]]
	done
}
