#!/usr/bin/env bats
# needle-finetune: learning, stopping, resuming, bad input.

load ../common

setup() {
	bats_require_minimum_version 1.5.0
	cd "$tmp"
	vocab="$testdata/vocab-512.model"
	cat >c.json <<-'E'
		{"vocab_size":512,"d_model":32,"num_heads":2,"num_kv_heads":1,"num_encoder_layers":1,
		 "num_decoder_layers":1,"contrastive_dim":8}
	E
	for i in 1 2 3 4 5 6 7 8; do
		cat <<-E
			{"query":"set an alarm for $i","tools":[{"name":"set_alarm","parameters":{"time":{"type":"string","required":true}}}],"answers":[{"name":"set_alarm","arguments":{"time":"$i"}}]}
			{"query":"play song $i","tools":[{"name":"play","parameters":{"song":{"type":"string","required":true}}},{"name":"stop","parameters":{}}],"answers":[{"name":"play","arguments":{"song":"song $i"}}]}
			{"query":"what is love $i","tools":[{"name":"stop","parameters":{}}],"answers":[]}
		E
	done >d.jsonl
	new="needle-finetune -q --init c.json --vocab $vocab --val d.jsonl --batch-size 4"
}

@test "it learns: the loss falls" {
	run -0 $new --epochs 10 --lr 0.003 --log log.tsv d.jsonl -o m.safetensors
	[ -s m.safetensors ] && [ ! -e m.safetensors.state ]
	first=$(sed -n 2p log.tsv | cut -f3)
	last=$(tail -n 1 log.tsv | cut -f12)
	[ "$(jq -n "$last < $first * 0.5")" = true ]
}

@test "the same seed gives the same file, for any number of threads; another seed another" {
	$new --max-steps 4 -j 1 d.jsonl -o a.safetensors
	$new --max-steps 4 -j 3 d.jsonl -o b.safetensors
	$new --max-steps 4 --seed 2 d.jsonl -o c.safetensors
	cmp a.safetensors b.safetensors
	! cmp -s a.safetensors c.safetensors
}

@test "--layers grows a model that at first answers as the old one" {
	$new --epochs 10 --lr 0.003 d.jsonl -o a.safetensors
	needle-finetune -q -m a.safetensors --layers 3,2 --max-steps 0 --val d.jsonl d.jsonl -o b.safetensors
	needle-quantize --info b.safetensors | grep -q 'num_encoder_layers = 3'
	for m in a b; do
		needle-infer -m $m.safetensors --logits $m.npy -t <(jq -c '.tools' d.jsonl | head -n 1) "set an alarm for 3" >/dev/null || true
	done
	cmp a.npy b.npy
	run -2 needle-finetune -q -m a.safetensors --layers 3 d.jsonl -o c.safetensors
	run -3 needle-finetune -q -m b.safetensors --layers 1,1 d.jsonl -o c.safetensors
	[[ $output == *"3 encoder and 2 decoder layers"* ]]
}

@test "killed with -9 at any step, it resumes to the same bytes" {
	$new --epochs 6 --average 0.9 --qat-every 3 --contrastive-every 2 d.jsonl -o whole.safetensors
	for i in 1 2 3; do
		$new --epochs 6 --average 0.9 --qat-every 3 --contrastive-every 2 --checkpoint-every 1 --resume \
			d.jsonl -o broken.safetensors &
		pid=$!
		for _ in $(seq 1000); do
			[ -e broken.safetensors.state ] && break
			sleep 0.01
		done
		sleep 0.0$((i * 2))
		kill -9 $pid 2>/dev/null || true
		wait $pid || true
	done
	run -0 $new --epochs 6 --average 0.9 --qat-every 3 --contrastive-every 2 --resume d.jsonl -o broken.safetensors
	cmp whole.safetensors broken.safetensors
}

@test "a stream is taken up where it was left" {
	endless() { while cat d.jsonl; do :; done 2>/dev/null; }
	endless | $new --max-steps 30 --shuffle-buffer 10 - -o whole.safetensors
	(endless | exec $new --max-steps 30 --shuffle-buffer 10 --checkpoint-every 5 - -o part.safetensors) &
	for _ in $(seq 1000); do
		[ -e part.safetensors.state ] && break
		sleep 0.01
	done
	pkill -9 -f "part.safetensors" || true
	wait || true
	endless | $new --max-steps 30 --shuffle-buffer 10 --resume - -o part.safetensors
	cmp whole.safetensors part.safetensors
}

# until the log has lines: the machine may be slow, and signals are caught by then
until_it_runs() {
	for _ in {1..600}; do
		[ -e run.tsv ] && [ "$(wc -l <run.tsv)" -ge 2 ] && return
		sleep 0.1
	done
	return 1
}

@test "SIGTERM saves the state and exits with 1" {
	$new --epochs 100000 --log run.tsv d.jsonl -o m.safetensors &
	pid=$!
	until_it_runs
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 1 ]
	[ -s m.safetensors.state ] && [ ! -e m.safetensors ]
}

@test "a resumed run must have the options of the saved one" {
	$new --epochs 100000 --warmup 0 --log run.tsv d.jsonl -o m.safetensors &
	pid=$!
	until_it_runs
	kill -INT $pid
	kill -TERM $pid
	wait $pid || true
	[ -e m.safetensors.state ]
	run -3 --separate-stderr $new --epochs 100000 --warmup 0 --seed 9 --resume d.jsonl -o m.safetensors
	[[ "$stderr" == *"seed is 9, but the saved run had 1"* ]]
	(sleep 0.5; pkill -TERM -f "m.safetensors --warmup") &
	run -1 $new --epochs 90000 --resume d.jsonl -o m.safetensors --warmup 0 # another length is no other run so far
	run -3 --separate-stderr $new --max-steps 2 --resume d.jsonl -o m.safetensors --warmup 0
	[[ "$stderr" == *"too far on"* ]]
	echo rubbish >m.safetensors.state
	run -3 --separate-stderr $new --epochs 100000 --resume d.jsonl -o m.safetensors
	[[ "$stderr" == *m.safetensors.state* ]]
}

@test "fine-tuning starts from a model and keeps its vocabulary" {
	$new --epochs 4 --lr 0.003 d.jsonl -o base.safetensors
	run -0 needle-finetune -q -m base.safetensors --epochs 2 --log log.tsv --val d.jsonl d.jsonl -o tuned.safetensors
	echo "set an alarm for 9" >t
	cmp <(needle-tokenize -m base.safetensors t) <(needle-tokenize -m tuned.safetensors t)
	run -2 needle-finetune --vocab "$vocab" -m base.safetensors d.jsonl -o x.safetensors
}

@test "bad records are reported with their line, skipped, or fatal with --strict" {
	{ sed -n 1p d.jsonl; echo '{"query":1}'; echo 'no json'; sed -n 2,12p d.jsonl; } >mixed.jsonl
	run -0 --separate-stderr needle-finetune --init c.json --vocab "$vocab" --max-steps 1 mixed.jsonl -o m.safetensors
	[[ "$stderr" == *"mixed.jsonl:2: "* ]] && [[ "$stderr" == *"mixed.jsonl:3: "* ]]
	run -3 --separate-stderr $new --strict --max-steps 1 mixed.jsonl -o n.safetensors
	[[ "$stderr" == *"mixed.jsonl:2: "* ]] && [ ! -e n.safetensors ]
}

@test "answers that do not fit the tools are bad records" {
	cat >bad.jsonl <<-'E'
		{"query":"q","tools":[{"name":"a","parameters":{}}],"answers":[{"name":"b","arguments":{}}]}
		{"query":"q","tools":[{"name":"a","parameters":{}}],"answers":[{"name":"a","arguments":{"x":1}}]}
	E
	run -3 --separate-stderr needle-finetune --init c.json --vocab "$vocab" bad.jsonl -o m.safetensors
	[[ "$stderr" == *"bad.jsonl:1: "* ]] && [[ "$stderr" == *"bad.jsonl:2: "* ]] && [[ "$stderr" == *"no usable examples"* ]]
}

@test "missing, empty and unreadable inputs are exit 3" {
	: >empty
	for input in none.jsonl empty /; do
		run -3 --separate-stderr $new "$input" -o m.safetensors
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		[[ "$stderr" != *"$input: $input"* ]]
	done
	run -3 needle-finetune --init none.json --vocab "$vocab" d.jsonl -o m.safetensors
	run -3 needle-finetune --init c.json --vocab empty d.jsonl -o m.safetensors
	run -3 needle-finetune -m d.jsonl d.jsonl -o m.safetensors
	echo '{"vocab_size":512,"d_model":33}' >odd.json
	run -3 needle-finetune --init odd.json --vocab "$vocab" d.jsonl -o m.safetensors
}

@test "a full disk is exit 3" {
	run -3 --separate-stderr $new --max-steps 1 d.jsonl -o /dev/full
	[[ "$stderr" == *"/dev/full"* ]]
	run -3 --separate-stderr $new --max-steps 1 d.jsonl -o no/such/folder/m.safetensors
}

@test "usage errors are exit 2" {
	run -2 needle-finetune d.jsonl
	run -2 needle-finetune -o m.safetensors
	run -2 needle-finetune --init c.json d.jsonl -o m.safetensors
	run -2 needle-finetune --weights value d.jsonl -o m.safetensors
	run -2 needle-finetune --weights colour=2 d.jsonl -o m.safetensors
	run -2 needle-finetune --batch-size 0 d.jsonl -o m.safetensors
	run -2 needle-finetune --lr nan d.jsonl -o m.safetensors
	run -2 needle-finetune - d.jsonl -o m.safetensors
	run -2 needle-finetune --no-such-option
}
