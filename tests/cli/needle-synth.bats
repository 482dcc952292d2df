#!/usr/bin/env bats
# needle-synth: output, splits, options, malformed corpora, exit statuses.

load ../common

setup() {
	bats_require_minimum_version 1.5.0
	cd "$tmp"
	mkdir c
	cat >c/kitchen.jsonl <<'EOF'
{"lexicon":"dish","values":["pasta","rice","soup","stew","pie"]}
{"name":"set_timer","aliases":["start_timer"],"descriptions":["Set a timer."],"params":{"minutes":{"type":"number","required":true,"values":"@duration_minutes","descriptions":["Minutes."]},"label":{"type":"string","values":"dish","descriptions":["Name."]}},"phrases":["timer {minutes}","{label} timer {minutes}"]}
{"name":"stop_timer","aliases":["end_timer"],"descriptions":["Stop a timer."],"params":{"label":{"type":"string","values":"dish","descriptions":["Name."]}},"phrases":["stop the {label} timer","stop it"]}

{"name":"set_oven","aliases":["oven_mode"],"descriptions":["Set the oven."],"params":{"mode":{"type":"string","required":true,"enum":["fan_bake","grill"],"said":[["fan","fan_bake"],["grill","grill"]],"descriptions":["Mode."]},"dishes":{"type":"array","items":{"type":"string"},"values":"dish","descriptions":["What is in it."]},"place":{"type":"object","properties":{"rack":{"type":"integer","values":"@int:1-4"}},"descriptions":["Where."]}},"phrases":["oven on {mode}","{mode} for {dishes*}",{"t":"grill it on rack {place.rack}","args":{"mode":"grill"}}]}
{"refusals":["paint my fence","what is love"]}
EOF
}

# small ARG...: with the little corpus above
small() { needle-synth --corpus c --heldout /dev/null "$@"; }

# replace LINE TEXT: that line of the little corpus
replace() { sed -i "$1c\\$2" c/kitchen.jsonl; }

@test "examples are objects with query, tools, answers and meta" {
	run -0 --separate-stderr needle-synth -n 40
	[ -z "$stderr" ]
	[ "${#lines[@]}" -eq 40 ]
	jq -e -s 'all(.[]; (keys_unsorted == ["query", "tools", "answers", "meta"]) and (.query | length > 0)
		and (.tools | length >= 1 and length <= 8)
		and ((.tools | map(.name)) as $names | all(.answers[]; .name as $n | $names | index($n) != null)))' <<<"$output"
}

@test "every kind of slot fills, every call fits its tool" {
	small -n 400 >out
	jq -e -s 'map(.answers[]) | (map(select(.arguments.minutes)) | length > 0 and all(.[]; .arguments.minutes | type == "number"))' out
	jq -e -s '[.[].answers[].arguments | .mode // empty] | unique | . == ["fan_bake", "grill"]' out
	jq -e -s '[.[].answers[].arguments | .dishes // empty] | length > 0 and all(.[]; length >= 2)' out
	jq -e -s '[.[].answers[].arguments | .place // empty] | length > 0 and all(.[]; .rack >= 1 and .rack <= 4)' out
	jq -e -s '[.[] | .query as $q | .answers[].arguments | .label // empty | . as $l | select($q | contains($l) | not)] == []' out
	jq -e -s '[.[] | select(.answers == [])] | length > 20' out
	jq -e -s '[.[] | select(.answers | length > 1)] | length > 20' out
}

@test "meta tells what makes an example hard" {
	needle-synth -n 1500 -s 2 >out
	jq -e -s 'map(select(.meta.traits | index("opaque")))
		| length > 10 and all(.[]; .tools | all(.[]; .name | test("^[a-z]+_?[0-9]+$"))
			or all(.[]; .parameters | keys | all(.[]; test("^(arg_|param_|p_|field_|v)?[a-z]$"))))' out
	jq -e -s '(map(select(.meta.traits == ["context"]) | .query | length) | add / length) as $with
		| (map(select(.meta.traits == []) | .query | length) | add / length) as $plain | $with > 2 * $plain' out
	jq -e -s 'map(select(.meta.traits | index("dated"))) | length > 5
		and all(.[]; .query | test("20[0-9][0-9]|january|february|march|april|may|june|july|august|september|october|november|december"; "i"))' out
}

@test "the same seed gives the same bytes, another seed others" {
	needle-synth -n 200 -s 11 >a
	needle-synth --count 200 --seed 11 >b
	needle-synth -n 200 -s 12 >c2
	cmp a b
	run ! cmp -s a c2
	needle-synth -n 50 -s 11 | cmp - <(head -n 50 a)
}

@test "splits share no query, and train none with the held-out tools" {
	local split
	for split in train phrasing tool domain; do
		needle-synth -n 1500 --split "$split" --max-tools 3 >"$split"
		jq -r .query "$split" | sort -u >"$split.q"
		# an empty-handed refusal may be said in any split, a call belongs to one
		jq -r 'select(.answers != []) | .query' "$split" | sort -u >"$split.calls"
	done
	[ -z "$(comm -12 train.calls phrasing.calls)" ]
	[ -z "$(comm -12 train.calls tool.calls)" ]
	[ -z "$(comm -12 train.calls domain.calls)" ]
	# a tool is known by its descriptions: those of right held-out tools are never offered in training
	jq -r '(.answers | map(.name)) as $n | .tools[] | select(.name as $x | $n | index($x)) | .description // empty' tool | sort -u >held
	jq -r '.tools[].description // empty' train | sort -u >seen
	[ "$(wc -l <held)" -gt 50 ]
	[ "$(comm -12 held seen | wc -l)" -lt 8 ]
}

@test "--text gives three lines an example" {
	small -n 5 --text >out
	[ "$(wc -l <out)" -eq 15 ]
	sed -n '2~3p;3~3p' out | jq -e -s 'all(.[]; type == "array")'
}

@test "--domains and --list-domains" {
	run -0 needle-synth -n 60 --domains music,email
	jq -e -s 'map(.meta.domains[]) | unique - ["music", "email"] == []' <<<"$output"
	run -0 small --list-domains
	[ "$output" = "kitchen	3" ]
	run -0 needle-synth --list-domains
	[ "$(grep -c 'held out' <<<"$output")" -eq 2 ]
	run -2 --separate-stderr needle-synth -n 1 --domains music,nosuch
	[ "$stderr" = "needle-synth: there is no domain 'nosuch' in the corpus" ]
}

@test "--stats counts" {
	run -0 small -n 300 --stats
	grep -qx 'corpus tools	3' <<<"$output"
	grep -qx 'examples	300' <<<"$output"
	grep -qx 'distinct right tools	3' <<<"$output"
	grep -qx 'of these in the query	1.0000' <<<"$output"
}

@test "--max-tools limits the list" {
	run -0 needle-synth -n 100 --max-tools 1
	jq -e -s 'all(.[]; .tools | length == 1)' <<<"$output"
	run -0 needle-synth -n 200 --max-tools 16
	jq -e -s 'map(.tools | length) | max > 8' <<<"$output"
}

@test "held-out queries never come" {
	small -n 3000 >all
	jq -r .query all | grep -c -ix 'stop it' >before
	[ "$(cat before)" -gt 0 ]
	printf 'stop it' | sha1sum | cut -c1-16 >hashes
	needle-synth --corpus c --heldout hashes -n 3000 >without
	run -1 grep -ic '"query":"stop it[.!]*"' without
	echo nonsense >hashes
	run -3 --separate-stderr needle-synth --corpus c --heldout hashes -n 1
	[[ $stderr == *hashes:1:* ]]
}

@test "endless output stops quietly with its reader" {
	run -0 --separate-stderr bash -c 'set -o pipefail; needle-synth | head -n 3 | wc -l'
	[ "$output" -eq 3 ]
	[ -z "$stderr" ]
}

@test "a full disk exits with 3" {
	run -3 bash -c 'needle-synth -n 1000 >/dev/full'
	[[ $output == *"No space left on device" ]]
}

# bad LINE TEXT MESSAGE: with this line replaced the corpus is refused, naming file, line and reason
bad() {
	cp c/kitchen.jsonl keep
	replace "$1" "$2"
	run -3 --separate-stderr small -n 1
	mv keep c/kitchen.jsonl
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == "needle-synth: c/kitchen.jsonl:$1: "*"$3"* ]] || { echo "$stderr"; return 1; }
}

@test "malformed corpora are refused with file, line and reason" {
	bad 1 '{"lexicon":"dish","values":["pasta",' ''
	bad 1 '{"lexicon":"dish","values":[]}' 'expected a list of values'
	bad 1 '{"lexicon":"dish","values":["a",["b"]]}' 'pair'
	bad 1 '{"lexicon":"dish","values":["{@city"]}' "without '}'"
	bad 1 '{"lexicon":"dish","values":["{@city|shout}"]}' 'modifiers'
	bad 1 '["dish"]' 'no tool card'
	bad 3 '{"name":"Stop Timer"}' 'snake_case'
	bad 3 '{"name":"set_timer","aliases":["x"],"descriptions":["x"],"phrases":["x"]}' 'already'
	bad 3 '{"name":"x","aliases":["y"],"descriptions":[],"phrases":["x"]}' 'no descriptions'
	bad 3 '{"name":"x","aliases":["y"],"descriptions":["d"],"phrases":[]}' 'no phrases'
	bad 3 '{"name":"x","aliases":["y"],"descriptions":["d"],"phrases":["a {b}"]}' 'unknown slot {b}'
	bad 3 '{"name":"x","aliases":["y"],"descriptions":["d"],"phrases":["a {b"]}' 'lone brace'
	bad 3 '{"name":"x","aliases":["y"],"descriptions":["d"],"phrases":[{"t":"a","args":{"b":1}}]}' "unknown argument 'b'"
	bad 3 '{"name":"x","aliases":["y"],"descriptions":["d"],"colour":1,"phrases":["a"]}' "unknown key 'colour'"
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"text","descriptions":["d"]}},"phrases":["a"]}' '"type" must be'
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"string","descriptions":["d"]}},"phrases":["a"]}' 'no values'
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"array","values":"dish","descriptions":["d"]}},"phrases":["a"]}' 'items'
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"object","descriptions":["d"],"properties":{"a":{"type":"string","required":true,"values":"dish"},"b":{"type":"integer","values":"@int:1-4"}}}},"phrases":["a {p.b}"]}' "required 'p.a'"
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"integer","values":"@int:9-1","descriptions":["d"]}},"phrases":["a"]}' 'range'
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"string","required":true,"values":"dish","descriptions":["d"]}},"phrases":["a"]}' "required 'p' is missing"
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"string","enum":["u"],"descriptions":["d"]}},"phrases":[{"t":"a","args":{"p":"v"}}]}' 'type or enum'
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"string","values":"dish","descriptions":["d"]}},"phrases":["a {p=}"]}' 'some text'
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"integer","values":"@int:1-9","descriptions":["d"]}},"phrases":["a {p=1}"]}' 'without an enum'
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"integer","values":["five"],"descriptions":["d"]}},"phrases":["a {p}"]}' 'does not fit its type'
	bad 3 '{"name":"x","descriptions":["d"],"params":{"p":{"type":"string","enum":["u"],"values":"dish","descriptions":["d"]}},"phrases":["a {p}"]}' 'are a list'
	bad 3 '{"name":"x","descriptions":["d"],"phrases":[{"t":"a","arg":{}}]}' "unknown key 'arg'"
	bad 6 '{"refusals":"none"}' 'list of strings'
	replace 3 '{"name":"x","descriptions":["d"],"apart":["y"],"phrases":["a"]}'
	run -3 --separate-stderr small -n 1
	[ "$stderr" = "needle-synth: x: \"apart\" names 'y', for which there is no card" ]
}

@test "a phrase may give a slot its value, a card name those it must not be offered with" {
	cat >c/clock.jsonl <<'EOF'
{"name":"wake_up","descriptions":["d"],"params":{"at":{"type":"string","required":true,"values":["seven"],"descriptions":["d"]}},"phrases":["wake me {at=in An hour} please","wake me at {at}"],"apart":["let_sleep"]}
{"name":"let_sleep","descriptions":["d"],"phrases":["let me sleep on"]}
EOF
	small --domains clock -n 600 >out
	jq -e -s 'map(.answers[] | select(.name == "wake_up") | .arguments.at // empty | ascii_downcase) | unique
		| contains(["in an hour", "seven"])' out
	jq -e -s 'all(.[]; .query as $q | all(.answers[].arguments[]; . as $v | $q | contains($v)))' out
	jq -e -s 'map(select((.answers | length == 1) and (.answers[0].name == "wake_up"))) | length > 50
		and all(.[]; .tools | all(.name != "let_sleep"))' out
}

@test "contrib/public-corpus.py makes cards of utterances with intents and slots" {
	mkdir sets
	cat <<'EOF' | gzip >sets/canonical.jsonl.gz
{"query":"wake me at 7 am","calls":[{"intent":"alarm.create","slots":{"time":"7 am"}}],"source":"x"}
{"query":"set an alarm called Gym","calls":[{"intent":"alarm.create","slots":{"label":"Gym"}}],"source":"x"}
{"query":"7 am and 7 am","calls":[{"intent":"alarm.create","slots":{"time":"7 am"}}],"source":"x"}
{"query":"hush","calls":[{"intent":"alarm.stop","slots":{}}],"source":"x"}
{"query":"left out","calls":[{"intent":"alarm.stop","slots":{}}],"source":"x"}
EOF
	gzip >sets/schema_variants.json.gz <<'EOF'
{"alarm.create":{"names":["set_alarm","newAlarm"],"descriptions":["Set an alarm."],"confusable_with":["alarm"],"args":{
 "time":{"names":["time","at"],"type":"string","descriptions":["When."],"core":true},
 "label":{"names":["label"],"type":"string","descriptions":["Name."],"core":false}}},
"alarm.stop":{"names":["stop_alarm"],"descriptions":["Stop it."],"args":{}}}
EOF
	echo '{"query":"Left out!"}' >drop.jsonl
	run -0 --separate-stderr "$top_srcdir/contrib/public-corpus.py" sets out --drop drop.jsonl
	[ "$(jq -c '[.name, .phrases, (.params.time.required // false), .apart]' out/public_clock.jsonl)" = \
'["set_alarm",["wake me at {time=7 am}"],true,["stop_alarm","new_alarm"]]
["new_alarm",["set an alarm called {label=Gym}"],false,["stop_alarm","set_alarm"]]
["stop_alarm",["hush"],false,null]' ] || { cat out/public_clock.jsonl; return 1; }
	needle-synth --corpus out --heldout /dev/null -n 100 >made
	jq -e -s 'length == 100' made
}

@test "parts of invented tools: made and checked" {
	cat >c/invented.jsonl <<'EOF'
{"verb":"get","names":["get"],"say":["look up"],"describe":["Returns"]}
{"field":"place","type":"string","values":["Rome","Oslo"],"descriptions":["Where."],"adverb":["in {}"]}
{"field":"deep","type":"boolean","descriptions":["All of it."],"yes":["in depth"]}
{"object":"moss","said":["the moss"],"group":"woods","verb":"get","required":["place"],"optional":["deep"]}
{"object":"fern","said":["the fern"],"group":"woods","verb":"get","required":["place"]}
{"object":"bark","said":["the bark"],"group":"woods","verb":"get","required":["place"]}
{"object":"leaf","said":["the leaf"],"group":"woods","verb":"get","required":["place"]}
{"field":"keeper","type":"string","values":["ranger {@who}"],"descriptions":["Who."],"adverb":["by {}"]}
{"lexicon":"@who","values":["Ida","Bo"]}
{"object":"twig","said":["the twig"],"group":"woods","verb":"get","required":["place","keeper"]}
EOF
	small -n 2000 >out
	jq -e -s 'map(.answers[].arguments.keeper // empty) | length > 10 and all(.[]; test("^ranger (ida|bo)$"; "i"))' out
	jq -e -s 'map(.answers[] | select(.name | test("moss"))) | length > 10 and all(.[]; .arguments.place | test("^(rome|oslo)$"; "i"))' out
	jq -e -s 'map(.answers[] | select(.arguments.deep)) | length > 0' out
	run -0 small --list-domains
	[ "$output" = "kitchen	3" ]
	local line message
	while IFS='|' read -r line message; do
		printf '%s\n' "$line" >c/invented.jsonl
		run -3 --separate-stderr small -n 1
		[[ $stderr == "needle-synth: c/invented.jsonl:1: "*"$message"* ]] || { echo "$stderr"; return 1; }
	done <<'EOF'
{"verb":"get","names":["get"],"say":["look up"]}|needs "names", "say" and "describe"
{"verb":"get","names":["get"],"say":["look up"],"describe":["R"],"x":1}|unknown key 'x'
{"field":"f","type":"boolean","descriptions":["d"]}|needs "yes" or "no"
{"field":"f","type":"string","descriptions":["d"]}|no values
{"object":"o","said":["the o"],"group":"g","verb":"none"}|there is no verb 'none'
{"object":""}|a name of at most 60 letters
EOF
	printf '%s\n' '{"verb":"get","names":["get"],"say":["look up"],"describe":["Returns"]}' \
		'{"field":"f","type":"integer","values":[1,2],"descriptions":["d"],"with":["{}"]}' >c/invented.jsonl
	for i in 1 2; do
		sed -n "${i}p" c/invented.jsonl >c/later.jsonl
		run -3 --separate-stderr small -n 1
		[[ $stderr == "needle-synth: c/later.jsonl:1: "*"of this name already"* ]]
	done
}

@test "--mix draws files by weight, in canonical form, without what is held out" {
	cat >own.jsonl <<'EOF'
{"query":"do it","tools":[{"type":"function","function":{"name":"doIt","parameters":{"type":"object","properties":{}}}}],"answers":[{"name":"doIt","arguments":{}}],"source":"mine"}
{"query":"hidden away","tools":[],"answers":[]}
{"query":"broken","tools":[{"name":"a","parameters":{}}],"answers":[{"name":"b","arguments":{}}]}

{"query":"nothing","tools":[{"name":"a","parameters":{}}],"answers":"[]"}
EOF
	printf 'hidden away' | sha1sum | cut -c1-16 >hashes
	run -0 --separate-stderr needle-synth --corpus c --heldout hashes --mix own.jsonl=1 -n 1000
	[ "$stderr" = "needle-synth: own.jsonl: left out 1 records that are no examples (-v names them)" ]
	jq -e -s 'map(.meta.source // "composed") | group_by(.) | map({(.[0]): length}) | add
		| .composed > 440 and .composed < 560 and ((.mine - .own) | fabs) <= 1 and (keys | length == 3)' <<<"$output"
	jq -e -s 'map(select(.meta.source == "mine") | [.tools, .answers]) | unique
		== [[[{"name":"do_it","parameters":{}}], [{"name":"do_it","arguments":{}}]]]' <<<"$output"
	# the same bytes again, and files alone
	needle-synth -q --corpus c --heldout hashes --mix own.jsonl=1 -n 1000 | cmp - <(printf '%s\n' "$output")
	run -0 needle-synth -q --corpus c --heldout hashes --mix own.jsonl=3 --mix synth=0 -n 20 --text
	[ "${#lines[@]}" -eq 60 ]
	run -1 grep -v '^\[\|^do it$\|^nothing$' <<<"$output"
}

@test "--mix refuses what it cannot use" {
	run -2 small --mix own.jsonl
	run -2 small --mix own.jsonl=-1
	run -2 small --mix own.jsonl=1 --stats
	run -2 small --mix synth=0
	run -3 --separate-stderr small --mix nosuch.jsonl=1 -n 1
	[[ $stderr == *nosuch.jsonl* ]]
	echo nonsense >bad.jsonl
	run -3 --separate-stderr small -q --mix bad.jsonl=1 -n 1
	[[ $stderr == *"bad.jsonl: no records to mix in" ]]
}

# c/requests: 60 lists of three tools, 14 requests each
requests() {
	mkdir -p c/requests
	jq -n -c 'range(60) as $l
		| {tools: [{name: "set_lamp_\($l)", description: "Sets a lamp.", parameters: {
				where: {type: "string", required: true}, colour: {type: "string", enum: ["Red", "blue"]}}},
			{name: "ring_\($l)", parameters: {times: {type: "integer", required: true}}}, {name: "stop_\($l)", parameters: {}}]},
		(range(6) as $i | {q: "Lamp \($l) in Room \($i) to red", a: [["set_lamp_\($l)", {where: "Room \($i)", colour: "Red"}]]},
			{q: "Ring \($i) times with bell \($l).", a: [["ring_\($l)", {times: $i}]]}),
		{q: "who rang \($l)", a: []}, {q: "Stop \($l) and ring twice", a: [["stop_\($l)", {}], ["ring_\($l)", {times: 2}]]}' >c/requests/a.jsonl
}

@test "requests written by hand come with their lists, joined, without their tool, in lower case" {
	requests
	run -0 needle-synth --corpus c --mix synth=0 --mix requests=1 -n 2000
	# right tools are offered, copies are copied
	jq -e -s 'all(. as $r | .answers | all(.name as $n | any($r.tools[]; .name == $n)))' <<<"$output" >/dev/null
	jq -e -s 'all(. as $r | .answers | all(.arguments.where // "" | . as $w | $r.query | contains($w)))' <<<"$output" >/dev/null
	jq -e -s 'map(.answers[].arguments.colour // empty) | unique == ["Red"]' <<<"$output"
	jq -e -s 'map(select(.answers | length == 1)) | any(.query | test("room")) and any(.query | test("Room"))' <<<"$output"
	# of what has one call a seventh is joined, a twentieth refused
	jq -e -s 'map(select(.query | test("who rang|[Ss]top [0-9]+ and") | not))
		| map(.answers | length) | [(map(select(. == 2)) | length), (map(select(. == 0)) | length), length] as [$two, $none, $n]
		| $two > 0.08 * $n and $two < 0.18 * $n and $none > 0.02 * $n and $none < 0.08 * $n' <<<"$output"
	jq -e -s 'map(.tools | length) | group_by(.) | length == 3' <<<"$output"
	needle-synth --corpus c --mix synth=0 --mix requests=1 -n 2000 | cmp - <(printf '%s\n' "$output")
	run -0 needle-synth --corpus c --mix synth=0 --mix requests=1 --max-tools 1 -n 200
	jq -e -s 'all(.tools | length == 1) and any(.answers | length == 1)' <<<"$output" >/dev/null
	# beside what is composed, unless domains are chosen
	needle-synth --corpus c -n 1000 | jq -e -s 'map(select(.meta.source == "requests")) | length > 140 and length < 260'
	needle-synth --corpus c --split phrasing -n 200 | jq -e -s 'all(.meta.source == null)' >/dev/null
}

@test "requests are held out by list and by wording" {
	requests
	for split in train phrasing tool; do
		needle-synth --corpus c --mix synth=0 --mix requests=1 --split $split -n 3000 >$split.jsonl
		jq -r '.tools[].name' $split.jsonl | sed 's/.*_//' | sort -u >$split.lists
		jq -r 'select(.answers | length < 2) | .query | ascii_downcase' $split.jsonl | sort -u >$split.queries
	done
	[ "$(cat train.lists tool.lists | sort | uniq -d | wc -l)" -eq 0 ]
	[ "$(cat train.lists tool.lists | wc -l)" -eq 60 ]
	[ -s tool.lists ]
	[ "$(comm -12 train.queries phrasing.queries | wc -l)" -eq 0 ]
	[ -s phrasing.queries ]
	[ "$(comm -13 train.lists phrasing.lists | wc -l)" -eq 0 ]
	run -3 --separate-stderr needle-synth --corpus c --mix synth=0 --mix requests=1 --split domain -n 1
	[[ $stderr == *"no requests in this split"* ]]
	# hashes of queries that must not come
	jq -r '.q // empty' c/requests/a.jsonl | sed 1q | tr A-Z a-z | tr -d '\n' | sha1sum | cut -c1-16 >hashes
	needle-synth --corpus c --heldout hashes --mix synth=0 --mix requests=1 -n 3000 >with.jsonl
	run -1 grep -c '"query":"Lamp 0 in Room 0 to red"' with.jsonl
	grep -q '"query":"Lamp 0 in Room 1 to red"' with.jsonl
}

@test "requests: wrapped lists, and schemas that want their capitals" {
	mkdir -p c/requests
	cat >c/requests/a.jsonl <<'EOF'
{"tools":{"tools":[{"name":"ship","parameters":{"type":"object","properties":{"unit":{"const":"Kg"},"code":{"type":"string","pattern":"^[A-Z]{3}$"},"to":{"type":"object","properties":{"city":{"type":"string"}}}}}},{"name":"stop"}]}}
{"q":"Ship to SFO in Kg","a":[["ship",{"unit":"Kg","code":"SFO"}]]}
{"q":"Ship it to Paris","a":[["ship",{"to":{"city":"Paris"}}]]}
EOF
	run -0 needle-synth --corpus c --mix synth=0 --mix requests=1 -n 300
	jq -e -s 'map(select(.answers | length == 1)) | all(.answers[0].arguments as $a | .query
		| if $a.to then contains($a.to.city) else $a.code == "SFO" and contains("SFO") end) and any(.query | test("paris"))' <<<"$output"
	# none in a split is no fault where none was asked for; a file's first line is a list
	: >c/requests/a.jsonl
	needle-synth --corpus c -n 2 >/dev/null
	run -3 needle-synth --corpus c --mix requests=1 -n 2
	requests
	echo '{"q":"who sings","a":[]}' >c/requests/b.jsonl
	run -3 --separate-stderr needle-synth --corpus c -n 1
	[[ $stderr == *"b.jsonl:1: a request before any list of tools"* ]]
}

@test "texts of one's own tools: letters of all alphabets, a const, a form that a long description asks for" {
	jq -n -c '[{name: "order_a_drink", description: "Orders a drink.", parameters: {type: "object", properties: {
		drink: {type: "string", enum: ["café", "größe"]}, mode: {const: "fast"},
		date: {type: "string", description: ("The day. " * 25 + "In the form YYYY-MM-DD.")}}, required: ["drink", "mode", "date"]}}]' >own.json
	run -0 --separate-stderr needle-synth --tools own.json -n 200
	jq -e -s 'map(.answers[].arguments) | all(.mode == "fast" and (.drink | IN("café", "größe")) and (.date | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")))' <<<"$output"
	jq -n -c '[{name: "set_level", description: "Sets a level.", parameters: {type: "object", properties: {
		a: {type: "number", exclusiveMinimum: 0, maximum: 0.5}, b: {type: "integer", exclusiveMaximum: -150},
		c: {type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 500}, d: {const: true}}, required: ["a", "b", "c"]}}]' >level.json
	needle-synth --tools level.json -n 200 | jq -e -s 'map(.answers[].arguments) | all(.a > 0 and .a <= 0.5 and .b < -150 and .c > 0)
		and any(.c > 100)'
	jq -e -s 'map(select(.answers | length == 1)) | all(.query | test(" gr e|caf\\b(?!é)") | not)' <<<"$output"
}

@test "requests that fit no list are refused" {
	run -3 --separate-stderr needle-synth --corpus c --mix requests=1 -n 1
	[[ $stderr == *"c/requests"* ]]
	mkdir c/requests
	while IFS='|' read -r line reason; do
		printf '%s\n' '{"tools":[{"name":"ring","parameters":{"times":{"type":"integer","required":true}}}]}' '' "$line" '{"q":"stop","a":[]}' >c/requests/a.jsonl
		run -3 --separate-stderr needle-synth --corpus c --mix synth=0 --mix requests=1 -n 2
		[[ $stderr == "needle-synth: c/requests/a.jsonl:3: "*"$reason"* ]] || { echo "$line: $stderr"; false; }
	done <<'EOF'
{"q":"ring twice","a":[["ring",{"times":"two"}]]}|times
{"q":"ring twice","a":[["rong",{"times":2}]]}|rong
{"q":"ring twice","a":[["ring",{}]]}|times
{"q":"ring twice","a":[["ring"]]}|expected ["tool",{arguments}]
{"q":"ring twice","a":["ring",{"times":2}]}|expected ["tool",{arguments}]
{"q":"ring twice","a":{}}|a list "a"
{"q":"","a":[]}|a string "q"
{"q":"ring twice"}|expected {"tools":
{"q":"ring twice","a":[|expected
{"tools":[]}|expected 1 to 64
{"tools":{"a":1}}|expected
{"tools":[],"q":"x"}|expected {"tools":
EOF
	echo '{"q":"x","a":[]}' >c/requests/a.jsonl
	run -3 --separate-stderr needle-synth --corpus c -n 1
	[[ $stderr == *"a.jsonl:1: a request before any list of tools"* ]]
}

@test "of requests only those that are drawn are parsed" {
	mkdir c/requests
	printf '%s\n' '{"tools":[{"name":"ring","parameters":{}}]}' '{"q":"ring once","a":[["ring",{}]]}' '' \
		'{"tools":[{"name":"rung","parameters":{"step":5}}]}' '{"q":"step up","a":[["rung",{}]]}' >c/requests/a.jsonl
	for seed in 1 2 3 4 5 6 7 8; do
		run --separate-stderr needle-synth --corpus c --mix synth=0 --mix requests=1 --seed $seed -n 1
		echo "$status $stderr"
		run -3 --separate-stderr needle-synth --corpus c --mix synth=0 --mix requests=1 --seed $seed -n 2
		[[ $stderr == "needle-synth: c/requests/a.jsonl:4: "*step* ]]
	done >outcomes
	grep -q ^0 outcomes && grep -q ^3 outcomes
	needle-synth --corpus c --mix requests=0 -n 1
}

@test "hundreds of names, and a phrase of thousands of words" {
	mkdir large
	jq -nc '{name:"set_thing",descriptions:["d"],params:{o:{type:"object",descriptions:["o"],required:true,
		properties:{a:{type:"string",aliases:[range(300) | "p\(.)"],values:["one","two","three"]}}}},phrases:["set the thing to {o.a}"]},
		{name:"write_letter",descriptions:["d"],params:{city:{type:"string",descriptions:["c"],required:true,values:["Oslo","Rome"]}},
		phrases:["write" + ([range(5000) | " letters"] | add) + " to {city}"]}' >large/cards.jsonl
	run -0 needle-synth --corpus large --heldout /dev/null --mix requests=0 -n 100
	jq -e -s '[.[].answers[0].arguments.o // {} | keys[]] | unique | length > 20' <<<"$output"
}

@test "a lexicon that does not exist is refused" {
	sed -i 's/"values":"dish"/"values":"dishes"/' c/kitchen.jsonl
	run -3 --separate-stderr small -n 1
	[[ $stderr == *"there is no lexicon or built-in 'dishes'" ]]
	sed -i 's/"values":"dishes"/"values":["{@adjective} soup"]/' c/kitchen.jsonl
	run -3 --separate-stderr small -n 1
	[[ $stderr == *"there is no lexicon or built-in '@adjective'" ]]
}

@test "a missing, empty or useless folder exits with 3" {
	run -3 --separate-stderr needle-synth --corpus nosuch -n 1
	[[ $stderr == "needle-synth: cannot read the corpus folder nosuch: No such file or directory" ]]
	mkdir empty
	run -3 --separate-stderr needle-synth --corpus empty -n 1
	[[ $stderr == *"no tool cards in empty" ]]
	run -3 --separate-stderr needle-synth --heldout nosuch -n 1
	[[ $stderr == *nosuch* ]]
}

@test "templates that contain themselves end" {
	replace 1 '{"lexicon":"dish","values":["{@loop}{@loop}{@loop}"]}'
	echo '{"lexicon":"@loop","values":["{@loop}{@loop}{@loop}x"]}' >>c/kitchen.jsonl
	run -0 timeout 60 needle-synth --corpus c --heldout /dev/null -n 20
}

@test "usage errors exit with 2" {
	run -2 needle-synth -n x
	run -2 needle-synth -n -1
	run -2 needle-synth --max-tools 17
	run -2 needle-synth --split nosuch
	run -2 needle-synth --stats --text
	run -2 needle-synth file
}
