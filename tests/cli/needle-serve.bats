#!/usr/bin/env bats
# needle-serve: requests and replies over HTTP, who may ask, what is bounded.

load ../common
load model

setup_file() { make_model m.safetensors 1 32 2 512 96; }

setup() {
	bats_require_minimum_version 1.5.0
	command -v curl >/dev/null || skip "curl is not installed"
	cd "$tmp"
	ln -s "$BATS_FILE_TMPDIR/m.safetensors" m.safetensors
	cp "$testdata/tools.json" tools.json
}

teardown() {
	[ ! -s "$tmp/pid" ] || stop
}

# start OPTION...: a server at $url
start() {
	rm -f url
	needle-serve -m m.safetensors --listen 127.0.0.1:0 "$@" >url 2>log 3>&- &
	echo $! >pid
	for _ in {1..300}; do [ ! -s url ] || break; sleep 0.1; done
	if grep -q 'without libmicrohttpd' log; then
		rm pid
		skip "built without libmicrohttpd"
	fi
	url=$(cat url)
}

# stop: as a user does; the exit status is that of the server
stop() {
	local pid
	pid=$(cat pid)
	rm pid
	kill "$pid"
	wait "$pid"
}

# post PATH JSON [CURL-OPTION...]: the reply in $output, its status in $code
post() {
	local path=$1 body=$2
	shift 2
	code=$(curl -sS -o reply -w '%{http_code}' -d "$body" "$@" "$url$path")
	output=$(cat reply)
}

@test "infer: a record with its calls, those of needle-infer" {
	start
	jq -nc --slurpfile t tools.json '{id:7, query:"wake me up at half past six", tools:$t[0]}' >record
	post infer @record
	[ "$code" = 200 ]
	[ "$(jq -c '[.id, .query, (.calls|type), (.confidence|type), (.timings.prefill_tokens > 0)]' reply)" = \
		'[7,"wake me up at half past six","array","number",true]' ]
	[ "$(jq -c '[.calls, .confidence]' reply)" = "$(needle-infer -m m.safetensors record | jq -c '[.calls, .confidence]')" ]
	post infer @record # the tools of the request before are held, and the answer is the same
	[ "$(jq -c '[.calls, .confidence]' reply)" = "$(needle-infer -m m.safetensors record | jq -c '[.calls, .confidence]')" ]
	stop
}

@test "infer: days are said by the clock, or by --today" {
	ln -sf "$top_srcdir/share/default.safetensors" m.safetensors
	day_of() {
		post infer '{"query":"book a table for tomorrow","tools":[{"name":"book_table","description":"Books a table at a restaurant.",
			"parameters":{"type":"object","properties":{"date":{"type":"string","format":"date"}},"required":["date"]}}]}'
		jq -r '.calls[0].arguments.date' reply
	}
	start
	before=$(date -d tomorrow +%F) got=$(day_of)
	[ "$got" = "$before" ] || [ "$got" = "$(date -d tomorrow +%F)" ]
	stop
	start --today 2026-11-29
	[ "$(day_of)" = 2026-11-30 ]
}

@test "infer: tools of --tools" {
	start -t tools.json
	post infer '{"query":"play some jazz"}'
	[ "$code" = 200 ]
	[ "$(jq -c .calls reply)" = "$(needle-infer -m m.safetensors -t tools.json "play some jazz" || true)" ]
	post infer '{"query":"play some jazz","tools":[]}'
	[ "$(jq -c .calls reply)" = '[]' ]
	post /infer '{"query":"play some jazz","tools":[]}' # $url ends in a slash
	[ "$code" = 200 ]
	post //infer '{"query":"play some jazz","tools":[]}'
	[ "$code" = 404 ]
}

@test "chat: calls as OpenAI's clients read them" {
	start
	jq -nc --slurpfile t tools.json '{model:"m", tool_choice:"required", messages:[{role:"user",content:"play some jazz"}],
		tools:[$t[0][] | {type:"function", function:{name, description, parameters:{type:"object",
			properties:(.parameters|map_values(del(.required))), required:[.parameters|to_entries[]|select(.value.required).key]}}}]}' >ask
	post v1/chat/completions @ask
	[ "$code" = 200 ]
	jq -e '.object == "chat.completion" and .model == "m" and (.usage.total_tokens == .usage.prompt_tokens + .usage.completion_tokens)
		and .choices[0].message.role == "assistant" and .choices[0].message.content == null
		and (.choices[0].message.tool_calls | length) >= 1
		and (.choices[0].message.tool_calls | all(.type == "function" and (.function.arguments | fromjson | type) == "object"))' reply
	jq -r '.choices[0].message.tool_calls[].function.name' reply | while read -r name; do
		jq -e --arg n "$name" 'any(.[]; .name == $n)' tools.json
	done
	[[ $(jq -r '.choices[0].finish_reason' reply) =~ ^(tool_calls|length)$ ]]
}

@test "chat: a function by name, and no more than one call" {
	start
	for name in $(jq -r '.[].name' tools.json); do
		jq -nc --slurpfile t tools.json --arg n "$name" '{tool_choice:{type:"function",function:{name:$n}}, parallel_tool_calls:false,
			messages:[{role:"user",content:"hello"}], tools:$t[0]}' >ask
		post v1/chat/completions @ask
		[ "$(jq -c '[.choices[0].message.tool_calls[]?.function.name]' reply)" = "[\"$name\"]" ]
	done
}

@test "chat: a stream adds up to the reply" {
	start -t tools.json
	post v1/chat/completions '{"tool_choice":"required","messages":[{"role":"user","content":"hello"}]}'
	jq -c '[.choices[0].message.tool_calls[].function | [.name, .arguments]]' reply >whole
	post v1/chat/completions '{"tool_choice":"required","stream":true,"messages":[{"role":"user","content":"hello"}]}' -D headers
	grep -qi '^content-type: text/event-stream' headers
	[ "$(tail -n 2 reply | head -n 1)" = 'data: [DONE]' ]
	sed -n 's/^data: {/{/p' reply | jq -sc '[.[].choices[0].delta.tool_calls[]?] | group_by(.index) |
		map([(map(.function.name // "") | add), (map(.function.arguments) | add)])' >added
	diff whole added
}

@test "chat: nothing to ask, nothing to call" {
	start -t tools.json
	for body in '{"messages":[{"role":"user","content":"hello"}],"tool_choice":"none"}' \
		'{"messages":[{"role":"user","content":"hello"},{"role":"tool","content":"21"}]}'; do
		post v1/chat/completions "$body"
		[ "$(jq -c '.choices[0] | [.finish_reason, .message.content, .message.tool_calls]' reply)" = '["stop","",null]' ]
	done
}

@test "what is wrong with a request is told, with 400" {
	start
	while IFS='|' read -r path body says; do
		post "$path" "$body"
		[ "$code" = 400 ]
		[[ $(jq -r .error.message reply) == *"$says"* ]] || { echo "$body: $output"; false; }
	done <<'END'
infer|{"query":1}|query: expected a string
infer|{"query":"x"}|tools: expected a list
infer|{"query":"x","tools":[{"name":1}]}|tools[0]
infer|{"query":"x",|line 1: invalid JSON at column
infer|[]|query: expected a string
infer|"x"|query: expected a string
v1/chat/completions|{}|messages: expected
v1/chat/completions|{"messages":[{"role":"user","content":"x"}],"tools":[{"name":1}]}|tools[0]
v1/chat/completions|{"messages":[{"role":"user","content":"x"}],"tools":[],"tool_choice":"required"}|there are no tools
END
}

@test "paths, methods, models, health" {
	start
	[ "$(curl -s "${url}healthz")" = ok ]
	[ "$(curl -s "${url}v1/models" | jq -r '.data[].id')" = m ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' "${url}nothing")" = 404 ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' "${url}infer")" = 405 ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' -d x "${url}healthz")" = 405 ]
	[ "$(curl -s -I -o /dev/null -w '%{http_code}' "$url")" = 200 ]
	curl -s "$url" | cmp - "$top_srcdir/share/playground.html"
}

@test "the page asks only what the server answers, and loads nothing from elsewhere" {
	start
	curl -s -D headers -o page "$url"
	grep -qi "^content-security-policy: default-src 'none'" headers
	[ "$(grep -cE 'src=|href=|https?://|@import' page)" -eq 0 ]
	grep -o 'fetch("[^"]*"' page | grep -qx 'fetch("/infer"'
}

@test "the page shows integers as they came, also beyond 2^53" {
	command -v node >/dev/null || skip "no node"
	{
		grep -E '^const (read|show) = ' "$top_srcdir/share/playground.html"
		echo 'process.stdout.write(show(read(require("fs").readFileSync(0, "utf8"))))'
	} >page.js
	printf '{"a":[12345678901234567890,-9007199254740993,7,1.5],"b":"say \\"12345678901234567890\\" \\\\","c":"9007199254740993"}' >reply
	node page.js <reply | cmp - reply
	[ "$(echo 0.12345678901234567 | node page.js | cut -c1-10)" = 0.12345678 ]
}

@test "the model has the name of its file, whatever bytes that has" {
	local name
	for name in tuned-v1.2 "$(printf 'mod\xe9')" "$(printf 'ä%.0s' {1..40})"; do
		ln -s m.safetensors "$name.safetensors"
		start -m "$name.safetensors"
		curl -s "${url}v1/models" | jq -r '.data[].id' >>names
		stop
		: >url
	done
	printf '%s\n' tuned-v1.2 mod "$(printf 'ä%.0s' {1..31})" | diff - names
}

@test "chat: a function by name from tools of any dialect" {
	jq -c '{tools:[.[] | {name, description, inputSchema:{type:"object", properties:(.parameters|map_values(del(.required)))}}]}' \
		tools.json >mcp.json
	start -t mcp.json
	post v1/chat/completions '{"tool_choice":{"type":"function","function":{"name":"set_alarm"}},"parallel_tool_calls":false,
		"messages":[{"role":"user","content":"hello"}]}'
	[ "$(jq -c '[.choices[0].message.tool_calls[]?.function.name]' reply)" = '["set_alarm"]' ]
	post v1/chat/completions '{"tool_choice":{"type":"function","function":{"name":"no"}},"messages":[{"role":"user","content":"x"}]}'
	[[ $code = 400 && $(jq -r .error.message reply) == *"no tool is called 'no'"* ]]
}

@test "chat: a call that is required is made, however doubtful" {
	start -t tools.json --min-confidence 1
	post v1/chat/completions '{"messages":[{"role":"user","content":"hello"}]}'
	[ "$(jq -c '.choices[0].message.tool_calls' reply)" = null ]
	post v1/chat/completions '{"tool_choice":"required","messages":[{"role":"user","content":"hello"}]}'
	[ "$(jq -c '.choices[0].message.tool_calls | length > 0' reply)" = true ]
}

@test "metrics count what was asked" {
	start -t tools.json
	post infer '{"query":"hello"}'
	post infer '{"query":1}'
	curl -s "${url}metrics" >m
	grep -qx 'needle_requests_total{path="/infer",status="200"} 1' m
	grep -qx 'needle_requests_total{path="/infer",status="400"} 1' m
	grep -qx 'needle_answers_total 1' m
	[ "$(grep -v '^#' m | grep -cvE '^needle_[a-z_]+(\{[^}]*\})? [0-9.e+-]+$')" -eq 0 ]
}

@test "pages of other origins are refused, unless they are allowed" {
	start -t tools.json --allow-origin http://good.example
	post infer '{"query":"hello"}' -H 'Origin: http://evil.example'
	[ "$code" = 403 ]
	post infer '{"query":"hello"}' -H 'Origin: null'
	[ "$code" = 403 ]
	[ "$(jq -r '.error.message | length > 0' reply)" = true ]
	for host in evil.example 127.evil.example 127.0.0.1.evil.example; do
		post infer '{"query":"hello"}' -H "Host: $host"
		[ "$code" = 403 ]
	done
	for host in localhost LOCALHOST:1 127.0.1.1 '[::1]:80' good.example; do
		post infer '{"query":"hello"}' -H "Host: $host"
		[ "$code" = 200 ]
	done
	post infer '{"query":"hello"}' -H 'Origin: http://good.example' -D headers
	[ "$code" = 200 ]
	grep -qi '^access-control-allow-origin: http://good.example' headers
	post infer '{"query":"hello"}' -H "Origin: ${url%/}"
	[ "$code" = 200 ]
	[ "$(curl -s -D headers -o /dev/null -w '%{http_code}' -X OPTIONS -H 'Origin: http://good.example' \
		-H 'Access-Control-Request-Headers: content-type,x-stainless-lang' "${url}infer")" = 204 ]
	grep -qi '^access-control-allow-headers: content-type,x-stainless-lang' headers
	[ "$(curl -s -o /dev/null -w '%{http_code}' -X OPTIONS -H 'Origin: http://evil.example' "${url}infer")" = 403 ]
}

@test "a server in front that passes its name on is told of the option, and '*' admits it, too" {
	start -t tools.json
	post infer '{"query":"hello"}' -H 'Host: front.example'
	[ "$code" = 403 ]
	[[ $(jq -r .error.message reply) == *--allow-origin* ]]
	stop
	start -t tools.json --allow-origin '*'
	post infer '{"query":"hello"}' -H 'Host: front.example'
	[ "$code" = 200 ]
}

@test "a long request is refused, whether it says its length or not" {
	start -t tools.json --max-body 1000
	head -c 100000 /dev/zero | tr '\0' ' ' >long
	post infer @long
	[ "$code" = 413 ]
	[ "$(jq -r .error.message reply)" = "the request is too long" ]
	run curl -sS -o reply -w '%{http_code}' -H 'Transfer-Encoding: chunked' -H 'Expect:' -d @long "${url}infer"
	[[ $output != *200* ]]
	post infer '{"query":"hello"}'
	[ "$code" = 200 ]
}

@test "many at a time have the answers of one at a time" {
	start -t tools.json --parallel 2 --queue 100
	for i in {1..24}; do echo "{\"query\":\"wake me at $i\"}" >"q$i"; done
	for i in {1..24}; do
		curl -sS -d "@q$i" "${url}infer" | jq -c '[.query, .calls]' >"a$i" &
		wait_for+=($!)
	done
	wait "${wait_for[@]}"
	cat a{1..24} >all
	cat q{1..24} | needle-infer -m m.safetensors -t tools.json | jq -c '[.query, .calls]' | diff - all
}

@test "no queue: who finds the server busy is told to come again" {
	start -t tools.json --queue 0
	for i in {1..12}; do
		curl -sS -o /dev/null -w '%{http_code}\n' -d '{"query":"hello"}' "${url}infer" >>codes &
		wait_for+=($!)
	done
	wait "${wait_for[@]}"
	[ "$(wc -l <codes)" -eq 12 ]
	grep -qx 200 codes
	[ "$(grep -cvxE '200|503' codes)" -eq 0 ]
}

@test "answers under way are finished when it is told to stop" {
	start -t tools.json --queue 100
	for i in {1..10}; do
		curl -sS -o "r$i" -w '%{http_code}\n' -d '{"query":"hello"}' "${url}infer" >>codes &
		wait_for+=($!)
	done
	for _ in {1..100}; do
		[ "$(curl -s "${url}metrics" | sed -n 's/^needle_waiting //p')" -lt 3 ] || break
	done
	stop
	wait "${wait_for[@]}" || true # those that came when it had stopped listening
	grep -qx 200 codes
	for i in {1..10}; do
		[ ! -s "r$i" ] || jq -e .calls "r$i" >/dev/null
	done
}

@test "SIGTERM ends it with 0; an address in use and bad options are told" {
	start
	run -3 needle-serve -m m.safetensors --listen "$(basename "$url")"
	stop
	run -2 needle-serve -m m.safetensors --listen 127.0.0.1:x
	[[ $output == *--listen* ]]
	run -2 needle-serve -m m.safetensors --listen 8080
	[[ $output == *"the port alone is ':8080'"* ]]
	for origin in http://localhost:3000/ localhost ''; do
		run -2 needle-serve -m m.safetensors --allow-origin "$origin"
		[[ $output == *"expected SCHEME://HOST"* ]]
	done
	run -2 needle-serve -m m.safetensors operand
	run -2 needle-serve -m m.safetensors --rank bm25
	run -2 needle-serve -m m.safetensors --today now --ground off
	run -3 needle-serve -m m.safetensors -t none.json
	[[ $output == *none.json* ]]
	run -3 needle-serve -m none.safetensors
}
