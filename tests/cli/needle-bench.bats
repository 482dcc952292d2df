#!/usr/bin/env bats
# needle-bench: form of its output, options, bad input, exit statuses.

bats_require_minimum_version 1.5.0
load ../common

# Everything here measures as little as it can: values are not looked at, only form.

fast="--time 1 --threads 1"

setup() {
	export NEEDLE_CPU=scalar
	cd "$tmp"
}

@test "bench: a table with a header, a row each, units" {
	run -0 needle-bench --kernels $fast --filter inner
	[[ "${lines[0]}" =~ ^"# processor "[a-z0-9]+", integer products scalar, 1 threads"$ ]]
	[[ "${lines[1]}" == what*kernel*threads*result ]]
	[[ "${lines[2]}" =~ ^"inner loop"\ +scalar\ +1\ +[0-9.]+\ GFLOP/s$ ]]
	[ "${#lines[@]}" -eq 3 ]
}

@test "bench: --json is one object whose rows have every field" {
	needle-bench --kernels $fast --filter "one row" --json > out.json
	run -0 jq -e '(.rows | length) == 5 and all(.rows[];
		.kernel == "scalar" and .threads == 1 and .value > 0 and .unit == "us")' out.json
}

@test "bench: levels up to NEEDLE_CPU, rising" {
	NEEDLE_CPU=avx2 needle-bench --kernels $fast --filter inner --json > out.json
	run -0 jq -r '.rows[0].kernel' out.json
	[ "$output" = scalar ]
	run -0 jq -e 'all(.rows[]; .kernel == "scalar" or .kernel == "avx2")' out.json
}

@test "bench: --compare shows the earlier value and the change" {
	needle-bench --kernels $fast --filter inner --json |
		jq -c '.rows[0].value = 0.5' > before.json
	run -0 needle-bench --kernels $fast --filter inner --compare before.json
	[[ "$output" =~ GFLOP/s\ +0.5\ +[0-9.]+x$ ]]
}

@test "bench: --compare shows a dash for a row that was not there" {
	echo '{"rows":[{"name":"inner loop"},7,null]}' > before.json
	run -0 needle-bench --kernels $fast --filter inner --compare before.json
	[[ "$output" =~ GFLOP/s\ +-\ +-$ ]]
}

@test "bench: a filter that nothing matches measures nothing" {
	run -0 needle-bench --kernels $fast --filter nosuchrow --json
	[ "$(jq -c .rows <<< "$output")" = '[]' ]
}

@test "bench: without any model the kernels are measured and a warning says so" {
	NEEDLE_MODEL='' run -0 --separate-stderr needle-bench $fast --filter inner
	if [ -n "$stderr" ]; then
		[[ "$stderr" == *"measured the kernels only"* ]]
	fi
	[[ "$output" == *"inner loop"* ]]
}

@test "bench: --quiet silences that warning" {
	NEEDLE_MODEL='' run -0 --separate-stderr needle-bench -q $fast --filter inner
	[ -z "$stderr" ]
}

@test "bench: a model that is not there, or not a model, is 3 with its name" {
	run -3 --separate-stderr needle-bench -m nosuch.safetensors $fast --filter nosuchrow
	[[ "$stderr" == needle-bench:*nosuch.safetensors* ]]
	echo hello > bad.safetensors
	run -3 --separate-stderr needle-bench -m bad.safetensors $fast --filter nosuchrow
	[[ "$stderr" == needle-bench:*bad.safetensors* ]]
}

@test "bench: a file to compare with that is missing, empty, malformed or something else is 3" {
	: > empty.json
	printf '{\n"rows": [\n}' > bad.json
	echo '[1]' > list.json
	for f in nosuch.json empty.json bad.json list.json; do
		run -3 --separate-stderr needle-bench --kernels $fast --filter inner --compare "$f"
		[[ "$stderr" == needle-bench:*"$f"* ]]
		[ -z "$output" ]
	done
	run -3 --separate-stderr needle-bench --kernels $fast --filter inner --compare bad.json
	[[ "$stderr" == *bad.json:3:* ]]
}

@test "bench: usage errors are 2" {
	run -2 needle-bench --nosuch
	run -2 needle-bench --time 0
	run -2 needle-bench --time 5x
	run -2 needle-bench --prompt -1
	run -2 needle-bench --records 0
	run -2 needle-bench stray
	run -2 needle-bench --json --compare x.json
}

@test "bench: a full disk is 3, a closed pipe quiet" {
	[ -c /dev/full ] || skip "no /dev/full"
	run -3 bash -c "needle-bench --kernels $fast --filter inner > /dev/full"
	[[ "$output" == *"cannot write"* ]]
	run -0 bash -c "set -o pipefail; needle-bench --kernels $fast --filter inner | true"
	[ -z "$output" ]
}

@test "bench: --train measures a training step of a given shape" {
	echo '{"vocab_size":64,"d_model":16,"num_heads":2,"num_kv_heads":1,"num_encoder_layers":1,"num_decoder_layers":1,
		"contrastive_dim":0}' >c.json
	needle-bench --train --shape c.json $fast --json >out.json
	run -0 jq -e '[.rows[].name] | index("training step") == 0 and index("inner loop") == null' out.json
	run -0 jq -e '.rows[] | select(.name == "training, tokens") | .value > 0 and .unit == "tokens/s"' out.json
	run -2 needle-bench --shape c.json
	run -3 needle-bench --train --shape none.json
}

@test "bench: answers, the grammar's part and a search are measured" {
	load model
	make_model m.safetensors 1 32 2 256 40
	for f in "search," "answers," "grammar," "opening an index" "request,"; do
		needle-bench -m "$BATS_FILE_TMPDIR/m.safetensors" $fast --filter "$f" --answer 4 --prompt 8 --json
	done >out.json
	run -0 jq -ce '.rows[] | [.name, .unit, .value > 0]' out.json
	[ "${lines[0]}" = '["search, 10000 tools","ms",true]' ]
	[ "${lines[1]}" = '["answers, jumping ahead","tokens/s",true]' ]
	[ "${lines[2]}" = '["answers, a step a token","tokens/s",true]' ]
	[ "${lines[3]}" = '["grammar, part of decoding","%",true]' ]
	[ "${lines[4]}" = '["opening an index, 10000 tools","ms",true]' ]
	[ "${lines[5]}" = '["request, 10000 tools","ms",true]' ]
	TMPDIR=$BATS_TEST_TMPDIR/none run -3 needle-bench -m "$BATS_FILE_TMPDIR/m.safetensors" $fast --filter request
	[[ $output == *"none/needle-bench."* ]]
}

# rows NAME...: all of them are in out.json with something above 0
rows() {
	local name
	for name; do
		jq -e --arg name "$name" 'any(.rows[]; .name == $name and .value > 0)' out.json >/dev/null || {
			echo "missing: $name"
			return 1
		}
	done
}

@test "bench: one call and a batch are processes of their own" {
	load model
	make_model m.safetensors 1 32 2 256 40
	m="$BATS_FILE_TMPDIR/m.safetensors"
	needle-bench -m "$m" $fast --filter "one call" --json >out.json
	rows "one call, prompt" "one call, answer" "one call, median" "one call, 90th percentile" "one call, processor time" \
		"one call, peak memory"
	run -0 jq -e --arg sum "$(sha256sum "$m" | cut -d " " -f 1)" '.model.sha256 == $sum and .threads == 1' out.json
	run -0 jq -e '[.rows[] | {(.name): .value}] | add | ."one call, median" <= ."one call, 90th percentile"
		and ."one call, peak memory" < 60' out.json
	needle-bench -m "$m" $fast --filter batch --records 3 --json >out.json
	rows batch "batch, share of processors" "batch, peak memory"
	run -0 jq -e 'all(.rows[]; .unit != "%" or .value <= 101)' out.json
}

@test "bench: peaks, integer products and what decoding reads" {
	load model
	make_model m.safetensors 1 32 2 256 40
	needle-bench --kernels $fast --filter peak, --json >out.json
	rows "peak, float32" "peak, integers"
	needle-bench --kernels $fast --filter x512x8192 --json >out.json
	rows "integers 1x512x8192 INT4" "integers 1x512x8192 INT4, share" "integers 1x512x8192 INT8, share"
	needle-bench -m "$BATS_FILE_TMPDIR/m.safetensors" $fast --answer 2 --filter "decode, " --json >out.json
	rows "decode, weights read" "decode, share of reading"
	needle-bench -m "$BATS_FILE_TMPDIR/m.safetensors" $fast --answer 2 --filter tokens --json >out.json
	rows "prefill, 50 tokens" "prefill, 200 tokens"
	needle-bench -m "$BATS_FILE_TMPDIR/m.safetensors" $fast --answer 2 --filter "decode after" --json >out.json
	rows "decode after 200, 1 a step"
}

@test "bench: --compare warns when the processor or its kernels are others" {
	needle-bench --kernels $fast --filter nosuchrow --json >before.json
	run -0 --separate-stderr needle-bench --kernels $fast --filter nosuchrow --compare before.json
	[ -z "$stderr" ]
	for key in processor integers; do
		jq ".$key = \"other\"" before.json >other.json
		run -0 --separate-stderr needle-bench --kernels $fast --filter nosuchrow --compare other.json
		[[ "$stderr" == *"measured on another processor, or with other kernels"* ]]
	done
}

@test "bench: --compare warns when the model is another" {
	load model
	make_model m.safetensors 1 32 2 256 40
	make_model n.safetensors 2 32 2 256 40
	needle-bench -m "$BATS_FILE_TMPDIR/m.safetensors" $fast --filter nosuchrow --json >before.json
	run -0 --separate-stderr needle-bench -m "$BATS_FILE_TMPDIR/n.safetensors" $fast --filter nosuchrow --compare before.json
	[[ "$stderr" == *"measured with another model"* ]]
	run -0 --separate-stderr needle-bench -m "$BATS_FILE_TMPDIR/m.safetensors" $fast --filter nosuchrow --compare before.json
	[ -z "$stderr" ]
}
