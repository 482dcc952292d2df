#!/usr/bin/env bats
# needle-synth --tools and --teacher: data for one's own tools.

load ../common

setup() {
	bats_require_minimum_version 1.5.0
	cd "$tmp"
	cat >tools.json <<'EOF'
[{"type":"function","function":{"name":"getWeather","description":"Get the weather forecast for a city.","parameters":{"type":"object",
  "properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":3,"maximum":9},
  "units":{"type":"string","enum":["metric","imperial"]},"hourly":{"type":"boolean"}},"required":["city"]}}},
 {"name":"send_sms","description":"Sends a text message to a contact.","parameters":{
  "to":{"type":"string","description":"Recipient","required":true},"text":{"type":"string","required":true}}},
 {"name":"create_ticket","description":"Creates a ticket.","input_schema":{"type":"object","properties":{
  "title":{"type":"string"},"labels":{"type":"array","items":{"type":"string"}},"due":{"type":"string","format":"date"},
  "reporter":{"type":"object","properties":{"name":{"type":"string"},"email":{"type":"string"}},"required":["name"]}},
  "required":["title"]}},
 {"name":"stop","parameters":{}},
 {"name":"matrix_op","description":"Multiply.","parameters":{"type":"object","properties":{
  "m":{"type":"array","items":{"type":"array","items":{"type":"number"}}}},"required":["m"]}}]
EOF
	jq -c .[:1] tools.json >weather.json
	mkdir -p t
	: >t/requests
}

teardown() {
	[ ! -e t/pid ] || kill "$(cat t/pid)"
}

# serve: starts the stand-in with the files in t; its address in $url
serve() {
	"$top_srcdir/tests/cli/teacher.py" t 3>&- >t/log 2>&1 &
	echo $! >t/pid
	for _ in {1..900}; do [ ! -e t/port ] || break; sleep 0.1; done
	url=http://127.0.0.1:$(cat t/port)/v1
}

teach() { needle-synth --tools weather.json --teacher "$url" --teacher-model m --teacher-rate 60000 "$@"; }

# good N...: a model's answer of one good example for each N
good() {
	local n
	echo CONTENT
	for n in "$@"; do
		printf '{"query":"weather in Town%s","answers":[{"name":"get_weather","arguments":{"city":"Town%s"}}]}\n' "$n" "$n"
	done | jq -s .
}

needs_curl() {
	if needle-synth --teacher x --teacher-model m -n 0 2>&1 | grep -q 'without libcurl'; then
		skip "built without libcurl"
	fi
}

@test "--tools makes valid examples for these tools alone" {
	run -0 --separate-stderr needle-synth --tools tools.json -n 600
	[ "$stderr" = "needle-synth: tools.json: no request can be made for matrix_op; it is only offered beside others" ]
	printf '%s\n' "$output" >out
	jq -e -s 'map(.tools[].name) | unique == ["create_ticket","get_weather","matrix_op","send_sms","stop"]' out
	jq -e -s 'map(.answers[].name) | unique == ["create_ticket","get_weather","send_sms","stop"]' out
	jq -e -s 'map(.answers | length) | group_by(.) | map(length) | .[0] > 80 and .[1] > 300 and .[2] > 40' out
	# what the schemas say holds
	jq -e -s '[.[].answers[].arguments.days // empty] | length > 20 and all(.[]; . >= 3 and . <= 9)' out
	jq -e -s '[.[].answers[].arguments.due // empty] | length > 10 and all(.[]; test("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))' out
	jq -e -s '[.[].answers[].arguments.reporter // empty] | length > 10 and all(.[]; .name)' out
	# strings are words of the query
	jq -e -s '[.[] | .query as $q | .answers[].arguments | (.city, .to, .text, .title, .reporter.name) // empty
		| select(. as $s | $q | contains($s) | not)] == []' out
	# few come twice, and the same seed gives the same bytes
	[ "$(jq -r .query out | sort -u | wc -l)" -gt 590 ]
	needle-synth -q --tools tools.json -n 600 | cmp - out
	# a record of each is what needle-finetune takes
	jq -c 'select(.answers | length > 0) | {query, tools, answers}' out | head -n 40 >gold
	run -0 --separate-stderr needle-synth --mix gold=1 --mix synth=0 -n 40
	[ -z "$stderr" ]
}

@test "--tools refuses what it cannot use" {
	echo '[]' >empty.json
	run -3 --separate-stderr needle-synth --tools empty.json -n 1
	[ "$stderr" = "needle-synth: empty.json: the list of tools is empty" ]
	echo '[{"name":"x",' >bad.json
	run -3 --separate-stderr needle-synth --tools bad.json -n 1
	[[ $stderr == "needle-synth: bad.json:"* ]]
	echo '[{"name":"x","parameters":{"type":"object","properties":{"a":{"type":"string","pattern":"^z+$"}},"required":["a"]}}]' >hard.json
	run -3 --separate-stderr needle-synth --tools hard.json -n 1
	[[ $stderr == "needle-synth: hard.json: "* ]]
	run -3 needle-synth --tools nosuch.json -n 1
	run -2 needle-synth --tools tools.json --domains music
	run -2 needle-synth --tools tools.json --split phrasing
	run -0 needle-synth -q --tools tools.json --split value -n 5
}

@test "long names in any letters are cut between letters, and bounds beyond what is counted are not met" {
	local long
	long=$(printf '\u00e9%.0s' {1..150})
	jq -nc --arg n "x$long" '[{name:"set_level",parameters:{type:"object",properties:{($n):{type:"string"},
		("y"+$n):{type:"string",enum:[$n,"zz "+$n]}},required:[$n,"y"+$n]}}]' >long.json
	run -0 --separate-stderr needle-synth --tools long.json -n 100
	[ -z "$stderr" ] && [[ $output != *$'\ufffd'* ]]
	jq -e -s 'any(.[]; .answers[0].name == "set_level")' <<<"$output"
	echo '[{"name":"x","parameters":{"type":"object","properties":{"a":{"type":"integer","minimum":1e19}},"required":["a"]}}]' >high.json
	run -3 --separate-stderr needle-synth --tools high.json -n 1
	[[ $stderr == "needle-synth: high.json: no request can be made"* ]]
}

@test "a catalogue of thousands" {
	jq -nc '[range(3500) | {name:"tool_\(.)",parameters:{type:"object",properties:([range(10) | {key:"p\(.)",value:{type:"boolean"}}] | from_entries),
		required:["p0"]}}]' >many.json
	run -0 needle-synth --tools many.json -n 5
}

@test "--teacher keeps what holds and counts the rest" {
	needs_curl
	cat >t/1 <<'EOF'
CONTENT
Here they are:
```json
[{"query":"what is it like in Bergen","answers":[{"name":"get_weather","arguments":{"city":"Bergen"}}]},
 {"query":"what is it like in Bergen","answers":[{"name":"get_weather","arguments":{"city":"Bergen"}}]},
 {"query":"and in Oslo","answers":[{"name":"get_weather","arguments":{"city":"Tromsø"}}]},
 {"query":"for 20 days in Rome","answers":[{"name":"get_weather","arguments":{"city":"Rome","days":20}}]},
 {"query":"fly me there","answers":[{"name":"book_flight","arguments":{}}]},
 {"question":"no"}, 7,
 {"query":"hidden away","answers":[]},
 {"query":"make me a sandwich","answers":[]}]
```
EOF
	printf 'CONTENT\nI would rather not.\n' >t/2
	good 1 2 3 4 5 6 >t/last
	printf 'hidden away' | sha1sum | cut -c1-16 >hashes
	serve
	export NEEDLE_TEACHER_KEY=secret
	run -0 --separate-stderr teach --heldout hashes --teacher-price 2,4 -n 5
	[ "$(jq -r .query <<<"$output" | tr '\n' ,)" = "what is it like in Bergen,make me a sandwich,weather in Town1,weather in Town2,weather in Town3," ]
	jq -e -s 'all(.[]; .meta.source == "teacher" and (.tools | length > 0)) and (.[0].answers[0].name == "get_weather")' <<<"$output"
	[ "${#stderr_lines[@]}" -eq 3 ]
	[ "${stderr_lines[0]}" = "needle-synth: 5 examples kept; dropped: 1 no JSON, 2 wrong shape, 2 not what the schema allows, 1 a value that is not in the query, 1 repeated, 1 held out" ]
	[ "${stderr_lines[1]}" = "needle-synth: 3 requests sent, 0 of them again, 0 answers from the cache; 3000 tokens read, 1500 written" ]
	[ "${stderr_lines[2]}" = "needle-synth: cost: 0.0120" ]
	[ "$(cut -f1,2 t/requests | sort -u)" = "/v1/chat/completions	Bearer secret" ]
	cut -f3 t/requests | jq -e -s 'all(.[]; .model == "m" and (.messages | length == 2) and (.messages[1].content | contains("get_weather")))'
}

@test "--teacher tries again, and resumes from its cache" {
	needs_curl
	printf '500\nout of order\n' >t/1
	printf '429\nslowly\n' >t/2
	good 1 2 >t/3
	good 3 4 >t/last
	serve
	run -0 --separate-stderr teach --teacher-cache answers -n 2
	[ "${stderr_lines[1]}" = "needle-synth: 3 requests sent, 2 of them again, 0 answers from the cache; 1000 tokens read, 500 written" ]
	printf '%s\n' "$output" >first
	printf '{"asked":"12' >>answers # as if stopped while writing
	run -0 --separate-stderr teach --teacher-cache answers -n 4
	[ "${stderr_lines[1]}" = "needle-synth: 1 requests sent, 0 of them again, 1 answers from the cache; 2000 tokens read, 1000 written" ]
	head -n 2 <<<"$output" | cmp - first
	[ "$(wc -l <t/requests)" -eq 4 ]
	# all of it is there now: nothing is asked
	run -0 --separate-stderr teach --teacher-cache answers -n 4
	[[ ${stderr_lines[1]} == "needle-synth: 0 requests sent"* ]]
}

@test "--teacher writes what it has while it waits for more" {
	needs_curl
	good 1 2 >t/1
	printf '500\nout of order\n' >t/last
	serve
	needle-synth --tools weather.json --teacher "$url" --teacher-model m --teacher-rate 60000 -n 3 >examples 2>errors &
	for _ in {1..100}; do
		[ ! -s examples ] || break
		sleep 0.1
	done
	kill -9 $!
	wait $! || true
	[ "$(jq -r .query examples)" = $'weather in Town1\nweather in Town2' ]
}

@test "--teacher gives up where trying again is no use" {
	needs_curl
	printf '401\nbad key\n' >t/last
	serve
	run -3 --separate-stderr teach -q -n 1
	[[ $stderr == "needle-synth: http://127.0.0.1:"*"status 401: bad key"* ]]
	[ "$(wc -l <t/requests)" -eq 1 ]
	printf 'CONTENT\nno\n' >t/last
	run -3 --separate-stderr teach -q -n 1
	[ "$stderr" = "needle-synth: 20 answers in a row held no usable example" ]
	printf '200\n{"choices":3}\n' >t/last
	run -3 teach -q -n 1
	run -3 --separate-stderr needle-synth --teacher gopher://x --teacher-model m -n 1
	[[ $stderr == "needle-synth: gopher://x/chat/completions: "* ]]
}

@test "--teacher usage errors exit with 2" {
	run -2 needle-synth --teacher-model m -n 1
	needs_curl
	run -2 needle-synth --teacher http://127.0.0.1:9 -n 1
	run -2 needle-synth --teacher http://127.0.0.1:9 --teacher-model m
	run -2 needle-synth --teacher http://127.0.0.1:9 --teacher-model m -n 1 --stats
	run -2 needle-synth --teacher http://127.0.0.1:9 --teacher-model m -n 1 --teacher-price 3
	run -2 needle-synth --teacher http://127.0.0.1:9 --teacher-model m -n 1 --teacher-rate 0
}
