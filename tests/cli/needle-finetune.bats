#!/usr/bin/env bats
# needle-finetune: learning, stopping, resuming, bad input.

load ../common
load model

setup() {
	bats_require_minimum_version 1.5.0
	cd "$tmp"
	vocab=vocab.model # a name without blanks: $new is split into words
	ln -s "$testdata/vocab-512.model" $vocab
	cat >c.json <<-'E'
		{"vocab_size":512,"d_model":32,"num_heads":2,"num_kv_heads":1,"num_encoder_layers":1,
		 "num_decoder_layers":1,"contrastive_dim":8}
	E
	make_examples >d.jsonl
	new="needle-finetune -q --init c.json --vocab $vocab --val d.jsonl --batch-size 4"
}

# until_there FILE... : for seconds at most
until_there() {
	local f
	for f; do
		for _ in {1..1000}; do
			[ -e "$f" ] && break
			sleep 0.01
		done
	done
}

@test "it learns: the loss falls" {
	run -0 $new --epochs 10 --lr 0.003 --log log.tsv d.jsonl -o m.safetensors
	[ -s m.safetensors ]
	[ ! -e m.safetensors.state ]
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

# Validation loss of a model that a step at a rate of 0 has left as it is; further options may grow it.
loss_of() {
	needle-finetune -q -m "$@" --max-steps 1 --lr 0 --muon-lr 0 --contrastive-every 1 --eval-every 1 --val d.jsonl --log "$BATS_TEST_TMPDIR/l" \
		d.jsonl -o "$BATS_TEST_TMPDIR/same" >/dev/null
	awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } END { print $at["val_loss"], $at["contrastive"] }' "$BATS_TEST_TMPDIR/l"
}

@test "--d-model grows a model that at first answers nearly as the old one, and learns on" {
	$new --epochs 20 --lr 0.003 --contrastive-every 2 d.jsonl -o a.safetensors
	needle-finetune -q -m a.safetensors --d-model 96 --max-steps 0 --val d.jsonl d.jsonl -o b.safetensors
	needle-quantize --info b.safetensors | grep -q 'd_model = 96'
	read -r old contrast < <(loss_of a.safetensors)
	read -r new new_contrast < <(loss_of b.safetensors)
	awk -v a="$old" -v b="$new" -v c="$contrast" -v d="$new_contrast" 'BEGIN { exit !(a > 0 && (a - b)^2 < (0.02 * a)^2 && (c - d)^2 < (0.02 * c)^2) }'
	needle-finetune -q -m a.safetensors --d-model 64 --layers 2,1 --epochs 20 --lr 0.003 --muon-lr 0.01 --val d.jsonl d.jsonl -o c.safetensors
	needle-quantize --info c.safetensors | grep -q 'num_encoder_layers = 2'
	read -r new _ < <(loss_of c.safetensors)
	awk -v a="$old" -v b="$new" 'BEGIN { exit !(b < a) }'
	for d in 48 16; do
		run -3 needle-finetune -q -m a.safetensors --d-model $d d.jsonl -o c.safetensors
		[[ $output == *"a.safetensors: the model has a d_model of 32: --d-model takes a multiple of it"* ]]
	done
	run -2 needle-finetune -q --init tiny.json --vocab vocab.model --d-model 64 d.jsonl -o c.safetensors
	[[ $output == *"--d-model grows a model"* ]]
}

# NEEDLE_LONG=1 kills it 200 times.
@test "killed with -9 at any moment, it loses no step that was saved and ends on the same bytes" {
	local rounds=3 last=0 at
	[ -z "${NEEDLE_LONG-}" ] || rounds=200
	new="$new --epochs 6 --average 0.9 --qat-every 3 --qat-embedding --contrastive-every 2"
	$new d.jsonl -o whole.safetensors
	for ((i = 0; i < rounds; i++)); do
		${new/ -q/} --checkpoint-every 1 --resume d.jsonl -o broken.safetensors 2>err &
		pid=$!
		while [ ! -e broken.safetensors.state ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
		sleep "0.$(printf %03d $((RANDOM % 150)))"
		kill -9 $pid 2>/dev/null || true
		wait $pid || true
		if [ -e broken.safetensors ]; then # it was faster
			cmp whole.safetensors broken.safetensors
			rm broken.safetensors
			last=0
			continue
		fi
		at=$(sed -n 's/.*resuming after step //p' err)
		[ "${at:=$last}" -ge "$last" ] # nothing: killed before it could tell
		last=$at
	done
	run -0 $new --resume d.jsonl -o broken.safetensors
	cmp whole.safetensors broken.safetensors
}

@test "a run whose warm-up is over can be resumed with another length, during it not" {
	$new --max-steps 100000 --warmup 0.00001 --log run.tsv d.jsonl -o m.safetensors &
	pid=$!
	until_it_runs
	kill -TERM $pid
	wait $pid || true
	run -3 --separate-stderr $new --max-steps 100000 --warmup 0.9 --resume d.jsonl -o m.safetensors
	[[ "$stderr" == *"warmup is 90000, but the saved run had 1 and is at step "* ]]
	run -0 $new --max-steps 1000 --warmup 0.002 --log run.tsv --resume d.jsonl -o m.safetensors
	[ "$(tail -n 1 run.tsv | cut -f1)" -eq 1000 ]
}

@test "while its rate falls a run can be resumed to end sooner, not later" {
	$new --max-steps 100000 --warmup 0 --decay 1 --log run.tsv d.jsonl -o m.safetensors &
	pid=$!
	until_it_runs
	kill -TERM $pid
	wait $pid || true
	run -3 --separate-stderr $new --max-steps 200000 --warmup 0 --decay 1 --resume d.jsonl -o m.safetensors
	[[ "$stderr" == *"too far on at step "*" to take longer"* ]]
	run -0 $new --max-steps 1000 --warmup 0 --decay 1 --log run.tsv --resume d.jsonl -o m.safetensors
	[ -e m.safetensors ]
	[ ! -e m.safetensors.state ]
	[ "$(tail -n 1 run.tsv | cut -f1)" -eq 1000 ]
}

@test "a stream is taken up where it was left" {
	endless() { while cat d.jsonl; do :; done 2>/dev/null; }
	endless | $new --max-steps 30 --shuffle-buffer 10 - -o whole.safetensors
	$new --max-steps 30 --shuffle-buffer 10 --checkpoint-every 5 - -o part.safetensors < <(endless) &
	until_there part.safetensors.state
	kill -9 $! || true
	wait $! || true
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

# stopped PID: a run, by SIGTERM, and says so
stopped() {
	local status=0
	until_it_runs
	kill -TERM "$1"
	wait "$1" || status=$?
	[ "$status" -eq 1 ]
}

@test "SIGTERM saves the state and exits with 1" {
	$new --epochs 100000 --log run.tsv d.jsonl -o m.safetensors &
	stopped $!
	[ -s m.safetensors.state ] && [ ! -e m.safetensors ]
}

@test "a resumed run must have the options of the saved one" {
	$new --epochs 100000 --warmup 0 --log run.tsv d.jsonl -o m.safetensors &
	pid=$!
	until_it_runs
	kill -INT $pid
	kill -TERM $pid 2>/dev/null || true
	wait $pid || true
	[ -e m.safetensors.state ]
	run -3 --separate-stderr $new --epochs 100000 --warmup 0 --seed 9 --resume d.jsonl -o m.safetensors
	[[ "$stderr" == *"seed is 9, but the saved run had 1"* ]]
	run -3 --separate-stderr $new --epochs 100000 --warmup 0 --max-enc-len 300 --resume d.jsonl -o m.safetensors
	[[ "$stderr" == *"max_enc_len is 300, but the saved run had 1024"* ]]
	rm run.tsv
	$new --epochs 90000 --warmup 0 --resume --log run.tsv d.jsonl -o m.safetensors & # another length is no other run so far
	stopped $!
	echo rubbish >m.safetensors.state
	run -3 --separate-stderr $new --epochs 100000 --resume d.jsonl -o m.safetensors
	[[ "$stderr" == *m.safetensors.state* ]]
}

@test "a run killed while its result is scored is not lost" {
	new="$new --epochs 6 --checkpoint-every 5"
	$new d.jsonl -o whole.safetensors
	$new d.jsonl -o part.safetensors &
	until_there part.safetensors
	kill -9 $! 2>/dev/null || true
	wait $! || true
	run -0 --separate-stderr ${new/ -q/} --resume d.jsonl -o part.safetensors
	[[ "$stderr" == *"resuming after step "* ]] || [[ "$stderr" == *"no state to resume from"* ]] # it was faster
	cmp whole.safetensors part.safetensors
	[ ! -e part.safetensors.state ] && [ ! -e part.safetensors.best ]
}

@test "a stream that is waited for, or ends with the run, is taken up at the step that was saved" {
	local long="$new --max-steps 12 --shuffle-buffer 8"
	cat d.jsonl d.jsonl d.jsonl >rows.jsonl
	$long - -o whole.safetensors <rows.jsonl
	mkfifo rows
	# shellcheck disable=SC2094
	$long --checkpoint-every 1 rows -o part.safetensors &
	pid=$!
	exec 7>rows
	head -n 26 rows.jsonl >&7
	until_there part.safetensors.state
	sleep 0.5 # it waits for rows now
	kill -INT $pid # ends the wait
	status=0
	wait $pid || status=$?
	exec 7>&-
	[ "$status" -eq 1 ]
	rm rows && mkfifo rows
	cat rows.jsonl >rows &
	$long --resume rows -o part.safetensors
	cmp whole.safetensors part.safetensors
}

@test "a resumed run must draw its rows by the weights that it began with" {
	head -n 12 d.jsonl >a.jsonl
	tail -n 12 d.jsonl >b.jsonl
	local long="$new --warmup 0 --val-calls 0 --score 0"
	$long --max-steps 100000 --checkpoint-every 1 a.jsonl=2 b.jsonl -o m.safetensors &
	until_there m.safetensors.state
	kill -9 $!
	wait $! || true
	run -3 --separate-stderr $long --max-steps 1 --resume a.jsonl b.jsonl=2 -o m.safetensors
	[[ $stderr == *"cannot resume: data_weights is 1,2, but the saved run had 2,1" ]]
	$long --max-steps 1 --resume a.jsonl=2 b.jsonl=1 -o m.safetensors
}

@test "the state of a run that is not done is not replaced" {
	$new --max-steps 4 --checkpoint-every 1 d.jsonl -o m.safetensors & # stopped, or done: then the state is gone
	pid=$!
	while [ ! -e m.safetensors.state ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
	kill -9 $pid 2>/dev/null || true
	wait $pid || true
	[ -e m.safetensors.state ] || { rm m.safetensors; echo x >m.safetensors.state; }
	cp m.safetensors.state before
	run -3 --separate-stderr $new --max-steps 4 d.jsonl -o m.safetensors
	[[ $stderr == *"m.safetensors.state: an earlier run is not done: --resume goes on"* ]]
	cmp before m.safetensors.state
}

@test "an output that cannot be written is found before training; a link stays one" {
	mkdir folder
	for out in folder no/such/m.safetensors; do
		run -3 --separate-stderr $new --epochs 3 --log log.tsv d.jsonl -o "$out"
		[ -n "$stderr" ]
		[ "$(cat log.tsv 2>/dev/null | wc -l)" -le 1 ]
	done
	mkdir store && echo >store/real.safetensors && ln -s store/real.safetensors link.safetensors
	$new --epochs 2 --val-calls 4 d.jsonl -o link.safetensors
	[ -L link.safetensors ]
	[ "$(stat -c %s store/real.safetensors)" -gt 1000 ]
	run -2 $new --log - d.jsonl -o m.safetensors
}

@test "with --val, too, it tells what there is of each tool" {
	run -0 --separate-stderr ${new/ -q/} --max-steps 1 d.jsonl -o m.safetensors
	[[ $stderr == *" training  tool"*"set_alarm"*"under 120 examples"* ]]
}

# Training loss at a rate of 0: of the model as this step sees it.
seen_loss() {
	needle-finetune -q -m "$@" --max-steps 1 --lr 0 --muon-lr 0 --precision f32 --contrastive-every 0 --log l --val d.jsonl d.jsonl -o same.safetensors >/dev/null
	awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR == 2 { print $at["ce"] }' l
}

@test "steps through INT4 see the weights as files of the same groups hold them" {
	sed 's/"d_model":32/"d_model":128/' c.json >wide.json
	$new --init wide.json --epochs 5 --lr 0.003 --qat-every 0 d.jsonl -o a.safetensors
	sed 's/"d_model":32/"d_model":96/' c.json >odd.json # where 128 and 64 become 32
	$new --init odd.json --epochs 5 --lr 0.003 --qat-every 0 d.jsonl -o odd.safetensors
	needle-quantize -q odd.safetensors -o q.safetensors
	needle-quantize -q q.safetensors --bits 32 -o f.safetensors
	[ "$(seen_loss odd.safetensors --qat-every 1 --qat-embedding | cut -c1-5)" = "$(seen_loss f.safetensors --qat-every 0 | cut -c1-5)" ]
	for groups in "64 128" "32 64"; do
		read -r kernel embedding <<<"$groups"
		needle-quantize -q a.safetensors --group "$kernel" --embedding-group "$embedding" -o q.safetensors
		needle-quantize -q q.safetensors --bits 32 -o f.safetensors
		fake=$(seen_loss a.safetensors --qat-every 1 --qat-embedding --qat-group "$kernel" --qat-embedding-group "$embedding")
		stored=$(seen_loss f.safetensors --qat-every 0)
		other=$(seen_loss a.safetensors --qat-every 1 --qat-embedding --qat-group 128 --qat-embedding-group 32)
		awk -v a="$fake" -v b="$stored" -v c="$other" 'BEGIN { exit !(a > 0 && (a - b)^2 < ((c - b) / 5)^2) }'
	done
	run -2 needle-finetune -q -m a.safetensors --qat-group 48 d.jsonl -o c.safetensors
	[[ $output == *"--qat-group"*32*64*128* ]]
	run -2 needle-finetune -q -m a.safetensors --qat-embedding-group 64 d.jsonl -o c.safetensors
	[[ $output == *"--qat-embedding-group needs --qat-embedding"* ]]
}

@test "fine-tuning starts from a model and keeps its vocabulary" {
	$new --epochs 4 --lr 0.003 d.jsonl -o base.safetensors
	run -0 needle-finetune -q -m base.safetensors --epochs 2 --log log.tsv --val d.jsonl d.jsonl -o tuned.safetensors
	echo "set an alarm for 9" >t
	cmp <(needle-tokenize -m base.safetensors t) <(needle-tokenize -m tuned.safetensors t)
	run -2 needle-finetune --vocab "$vocab" -m base.safetensors d.jsonl -o x.safetensors
}

@test "rows without tools use those of --tools, in a file and in a stream" {
	jq -c '.tools' d.jsonl | head -n 2 | jq -cs 'add' >tools.json
	jq -c 'del(.tools)' d.jsonl >bare.jsonl
	jq -c --slurpfile t tools.json '{tools:$t[0]} + .' bare.jsonl >full.jsonl
	$new --max-steps 3 full.jsonl -o full.safetensors
	$new --max-steps 3 -t tools.json bare.jsonl -o bare.safetensors
	cmp full.safetensors bare.safetensors
	jq -c '{tools: null} + .' bare.jsonl >null.jsonl
	$new --max-steps 3 -t tools.json null.jsonl -o bare.safetensors
	cmp full.safetensors bare.safetensors
	$new --max-steps 3 - <full.jsonl -o full.safetensors
	$new --max-steps 3 -t tools.json - <bare.jsonl -o bare.safetensors
	cmp full.safetensors bare.safetensors
	run -3 --separate-stderr $new --max-steps 3 null.jsonl -o x.safetensors
	[[ "$stderr" == *"null.jsonl:1: tools: missing"* ]]
	run -3 --separate-stderr $new --max-steps 3 bare.jsonl -o x.safetensors
	[[ "$stderr" == *"bare.jsonl:1: tools: missing"* ]]
	run -3 $new --max-steps 3 -t none.json bare.jsonl -o x.safetensors
	echo '[{"name":1}]' >odd.json
	run -3 --separate-stderr $new --max-steps 3 -t odd.json bare.jsonl -o x.safetensors
	[[ "$stderr" == *"odd.json: "* ]] && [ "$(wc -l <<<"$stderr")" -eq 1 ]
}

@test "low-rank training moves the matrices alone, frozen parts stay, and both resume" {
	$new --max-steps 3 d.jsonl -o base.safetensors --val-calls 0
	tune="needle-finetune -q -m base.safetensors --val d.jsonl --val-calls 0 --score 0 --batch-size 4 --epochs 2"
	changed() { needle-quantize --diff --json base.safetensors "$1" | jq -r '.tensors[] | select(.rms > 0) | .name' | sort; }
	$tune --lora-rank 2 d.jsonl -o lora.safetensors
	[ "$(changed lora.safetensors | grep -c '_attn/.*_proj/kernel$')" -eq 12 ]
	[ "$(changed lora.safetensors | wc -l)" -eq 12 ]
	$tune --freeze embedding,decoder,contrastive d.jsonl -o frozen.safetensors
	[ -n "$(changed frozen.safetensors)" ]
	[ -z "$(changed frozen.safetensors | grep -v '^encoder/')" ]
	$tune --lora-rank 2 --checkpoint-every 1 d.jsonl -o part.safetensors &
	until_there part.safetensors.state
	kill -9 $! || true
	wait $! || true
	[ -e part.safetensors ] || $tune --lora-rank 2 --resume d.jsonl -o part.safetensors
	cmp lora.safetensors part.safetensors
	run -2 $tune --freeze tail d.jsonl -o x.safetensors
}

@test "a teacher: what it knows is learnt, whatever the threads, the kill, and the format it is stored in" {
	$new --max-steps 60 --lr 0.003 --val-calls 0 --score 0 d.jsonl -o large.safetensors
	sed 's/"d_model":32/"d_model":16/' c.json >small.json
	taught="needle-finetune -q --init small.json --vocab $vocab --val d.jsonl --val-calls 0 --score 0 --batch-size 4 --teacher-model"
	$taught large.safetensors --teacher-weight 1 --max-steps 60 --lr 0.003 --log log.tsv d.jsonl -o small.safetensors
	# the divergence falls, and with it a loss that the run has never looked at
	tail -n +2 log.tsv | awk -F '\t' 'NR == 1 { kl = $19; ce = $3 } END { exit !($19 > 0 && $19 < kl / 2 && $3 < ce * 0.8) }'
	$taught large.safetensors --max-steps 8 -j 1 d.jsonl -o a.safetensors
	$taught large.safetensors --max-steps 8 -j 3 --checkpoint-every 1 d.jsonl -o b.safetensors &
	until_there b.safetensors.state
	kill -9 $! || true
	wait $! || true
	[ -e b.safetensors ] || $taught large.safetensors --max-steps 8 --resume d.jsonl -o b.safetensors
	cmp a.safetensors b.safetensors
	# no part of the loss, no trace; another format, another teacher
	$taught large.safetensors --teacher-weight 0 --max-steps 8 d.jsonl -o none.safetensors
	${taught% --teacher-model} --max-steps 8 d.jsonl -o untaught.safetensors
	cmp none.safetensors untaught.safetensors
	run -1 cmp -s a.safetensors none.safetensors
	needle-quantize -q large.safetensors -o int4.safetensors
	$taught int4.safetensors --max-steps 8 d.jsonl -o c.safetensors
	run -1 cmp -s a.safetensors c.safetensors
}

@test "a teacher that will not do, and one exchanged for another" {
	$new --max-steps 1 --val-calls 0 --score 0 d.jsonl -o large.safetensors
	{ cat "$top_srcdir/LICENSE"; cut -d'"' -f4 d.jsonl; } >text
	needle-tokenize -q --train text -o other.model --vocab-size 512
	needle-finetune -q --init c.json --vocab other.model --val d.jsonl --val-calls 0 --score 0 --max-steps 0 d.jsonl -o alien.safetensors
	run -3 --separate-stderr $new --max-steps 1 --teacher-model alien.safetensors d.jsonl -o m.safetensors
	[[ "$stderr" == "needle-finetune: alien.safetensors: the teacher has another vocabulary: piece "* ]]
	needle-tokenize -q --train text -o few.model --vocab-size 400
	needle-finetune -q --init <(sed s/512/400/ c.json) --vocab few.model --val d.jsonl --val-calls 0 --score 0 --max-steps 0 d.jsonl \
		-o few.safetensors
	run -3 --separate-stderr $new --max-steps 1 --teacher-model few.safetensors d.jsonl -o m.safetensors
	[ "$stderr" = "needle-finetune: few.safetensors: the teacher's vocabulary has 400 pieces, the learner's 512: they must be the same" ]
	for f in d.jsonl missing.st; do
		run -3 --separate-stderr $new --max-steps 1 --teacher-model $f d.jsonl -o m.safetensors
		[[ "$stderr" == "needle-finetune: $f: "* ]]
		[ "${#stderr_lines[@]}" -eq 1 ]
	done
	run -2 $new --teacher-weight 0.5 d.jsonl -o m.safetensors
	run -2 $new --teacher-model large.safetensors --teacher-weight 1.5 d.jsonl -o m.safetensors
	run -2 $new --teacher-model large.safetensors --teacher-temperature 0 d.jsonl -o m.safetensors
	[ ! -e m.safetensors ]
	# resuming takes the same teacher, as strong as it was
	$new --epochs 100000 --warmup 0 --decay 0 --val-calls 0 --score 0 --teacher-model large.safetensors --log run.tsv d.jsonl -o t.safetensors &
	pid=$!
	until_it_runs
	kill -TERM $pid
	wait $pid || true
	again="$new --epochs 100000 --warmup 0 --decay 0 --val-calls 0 --score 0 --resume d.jsonl -o t.safetensors"
	needle-quantize -q large.safetensors -o int4.safetensors
	run -3 --separate-stderr $again --teacher-model int4.safetensors
	[[ "$stderr" == *"cannot resume: teacher is "*", but the saved run had "* ]]
	run -3 --separate-stderr $again --teacher-model large.safetensors --teacher-temperature 3
	[[ "$stderr" == *"cannot resume: teacher_temperature is 3, but the saved run had 2" ]]
	run -3 --separate-stderr $again
	[[ "$stderr" == *"cannot resume: teacher is none, but the saved run had "* ]]
}

@test "files are weighted, pipes mixed" {
	grep love d.jsonl >love.jsonl
	grep -v love d.jsonl >other.jsonl
	run -0 --separate-stderr needle-finetune --init c.json --vocab "$vocab" --val d.jsonl --score 0 --max-steps 0 \
		love.jsonl=3.5 other.jsonl -o m.safetensors
	[[ "$stderr" =~ (4[0-8])" examples for training" ]] # 8 of love, three or four times, and 16 others
	run -0 $new --max-steps 5 --shuffle-buffer 4 <(cat love.jsonl) <(while cat other.jsonl; do :; done 2>/dev/null)=4 \
		-o m.safetensors
	$new --max-steps 5 --curriculum 1 d.jsonl -o short.safetensors
	$new --max-steps 5 d.jsonl -o mixed.safetensors
	run -1 cmp -s short.safetensors mixed.safetensors
	run -2 $new --max-steps 5 love.jsonl=much -o m.safetensors
	run -3 $new --max-steps 5 nothing.jsonl=2 -o m.safetensors
	run -0 --separate-stderr needle-finetune --init c.json --vocab "$vocab" --val d.jsonl --score 0 --max-steps 0 \
		d.jsonl d.jsonl=3 -o m.safetensors
	[[ "$stderr" == *"96 examples for training"* ]]
	run -0 --separate-stderr ${new/ -q/} --max-steps 5 d.jsonl <(cat love.jsonl) -o m.safetensors
	[[ "$stderr" == *"is read to its end, for not all inputs are pipes"* ]]
}

@test "of a stream it is told what was dropped" {
	run -0 --separate-stderr ${new/ -q/} --max-steps 9 --max-dec-len 24 <(cat d.jsonl; echo no json) -o m.safetensors
	[[ "$stderr" =~ "of 25 rows 1 were bad and 0 held out; "[1-9][0-9]*" answers over 24 tokens, 0 prompts" ]]
	run -0 --separate-stderr ${new/ -q/} --max-steps 2 - -o m.safetensors <d.jsonl
	[[ "$stderr" != *"were bad"* ]]
}

@test "each part of the recipe has its switch" {
	local how
	new="$new --max-steps 20 --lr 0.003 --score 0"
	$new d.jsonl -o plain.safetensors
	for how in "--z-weight 1" "--clip-norm 0.001" "--clip-norm 0" "--weight-decay 0" "--keep-order" "--contrastive-every 1" \
		"--schedule constant" "--warmup 1" "--decay 1" "--qat-every 1" "--average 0.5" "--accumulate 2" "--loosen 1" "--weights name=0,key=3"; do
		$new $how d.jsonl -o "m.safetensors"
		run -1 cmp -s plain.safetensors m.safetensors
	done
	$new --contrastive-every 1 --contrastive-weight 5 d.jsonl -o heavy.safetensors
	$new --contrastive-every 1 d.jsonl -o m.safetensors
	run -1 cmp -s heavy.safetensors m.safetensors
	loss() { $new --weights "$1" --log log.tsv d.jsonl -o m.safetensors && sed -n 2p log.tsv | cut -f3; }
	[ "$(jq -n "$(loss name=0,value=0,key=0,structure=1) < 0.8 * $(loss name=2,value=4)")" = true ]
}

@test "products in bfloat16 learn as those in float32 do" {
	for p in f32 bf16; do
		$new --epochs 8 --lr 0.003 --score 0 --precision $p --log $p.tsv d.jsonl -o $p.safetensors
		tail -n 1 $p.tsv | cut -f12
	done >losses
	jq -se '.[0] > 0 and (.[0] - .[1] | fabs) < 0.03 * .[0]' losses
	run -1 cmp -s f32.safetensors bf16.safetensors
}

@test "the time left is that of the steps that are left, also of a resumed run" {
	$new --max-steps 100000 --warmup 0 --log run.tsv d.jsonl -o m.safetensors &
	stopped $!
	script -qec "timeout -s INT 5 ${new/ -q/} --max-steps 100000 --warmup 0 --resume d.jsonl -o m.safetensors" typescript >/dev/null || true
	grep -ao '[0-9]*:[0-9][0-9] left' typescript | tail -n 1 >left
	[ "$(cut -d : -f 1 left)" -ge 1 ] # thousands of steps to go
	script -qec "$new --max-steps 2 d.jsonl -o n.safetensors" quiet >/dev/null
	run -1 grep -a ' left' quiet
}

@test "one example is enough to go on, and told to be few" {
	head -n 1 d.jsonl >one.jsonl
	run -0 --separate-stderr needle-finetune --init c.json --vocab "$vocab" --max-steps 1 one.jsonl -o m.safetensors
	[[ "$stderr" == *"1 steps are few"* ]] && [[ "$stderr" == *"0 examples for validation"* ]]
	[ -s m.safetensors ]
}

@test "before the first step it says what the data are, and what is wrong with them" {
	run -0 --separate-stderr needle-finetune --init c.json --vocab "$vocab" --max-steps 1 --max-enc-len 40 --max-dec-len 24 \
		--score 0 d.jsonl -o m.safetensors
	[[ "$stderr" == *"1 steps of 32 examples"* ]]
	[[ "$stderr" == *"18 examples for training, 0.6 steps an epoch; 3 for validation, 3 for the test; 0 bad rows"* ]]
	[[ "$stderr" =~ 6\ +1\ +1\ +play ]]
	[[ "$stderr" =~ 6\ +1\ +1\ +\(no\ call\) ]]
	[[ "$stderr" == *"are refusals"* ]]
	[[ "$stderr" == *"rows are dropped"* ]]
	[[ "$stderr" == *"2 tools have under 120 examples (play, set_alarm)"* ]]
	[[ "$stderr" == *"3 examples for validation say little"* ]]
	[[ "$stderr" == *"1 steps are few"* ]]
	sed 's/"play"/"pl\\u001b[31may"/g' d.jsonl >steering.jsonl # a name is text from anywhere
	run -0 --separate-stderr needle-finetune --init c.json --vocab "$vocab" --max-steps 0 --score 0 steering.jsonl -o m.safetensors
	[[ "$stderr" == *" pl?[31may"* && "$stderr" != *$'\e[31m'* ]]
	grep -v love d.jsonl >eager.jsonl
	run -0 --separate-stderr needle-finetune --init c.json --vocab "$vocab" --max-steps 1 --score 0 eager.jsonl -o m.safetensors
	[[ "$stderr" == *"no example refuses"* ]]
}

@test "the model with the best calls is kept, also over a kill, and scored against the base and in INT4" {
	options="--epochs 12 --lr 0.01 --eval-every 6 --val-calls 8 --score 4"
	run -0 --separate-stderr $new $options --log log.tsv d.jsonl -o whole.safetensors
	[ "$(head -n 2 <<<"$output" | tail -n 1)" = $'metric\ttuned\ttuned INT4' ]
	[ "$(wc -l <<<"$output")" -eq 15 ]
	[ ! -e whole.safetensors.best ]
	[ ! -e whole.safetensors.trial ]
	[ ! -e whole.safetensors.state ]
	# the first of the lines with the highest call_f1 and, among these, the lowest loss
	best=$(tail -n +2 log.tsv | awk -F '\t' '$17 != "" { print $17 "\t" $12 "\t" $1 }' | sort -k1,1nr -k2,2n | head -n 1 | cut -f3)
	[ "$(metadata whole.safetensors | jq -r '."training.step"')" = "$best" ]
	[ "$(sed -n 1p log.tsv | cut -f 14-18)" = $'val_name_f1\tval_arg_recall\tval_arg_precision\tval_call_f1\tval_exact_match' ]
	awk -F '\t' 'NR > 1 && $17 != "" { for (i = 14; i <= 18; i++) if ($i + 0 < 0 || $i + 0 > 1) exit 1; n += $18 > 0 } END { exit !n }' log.tsv
	$new $options --checkpoint-every 5 d.jsonl -o part.safetensors &
	pid=$!
	until_there part.safetensors.best part.safetensors.state
	kill -9 $pid
	wait $pid || true
	$new $options --resume d.jsonl -o part.safetensors
	cmp whole.safetensors part.safetensors
}

@test "base and tuned model are scored each as it is" {
	$new --epochs 12 --lr 0.01 --score 0 d.jsonl -o old.safetensors
	local scores
	scores=$(needle-finetune -q -m old.safetensors --val d.jsonl --max-enc-len 16 --max-steps 0 d.jsonl -o new.safetensors)
	awk -F '\t' 'NR > 1 && $2 != $3 { exit 1 }' <<<"$scores" && return 1 || true
}

@test "a result does not take its base's place, and takes the mode of the file whose place it takes" {
	$new --max-steps 1 --score 0 d.jsonl -o base.safetensors
	ln base.safetensors same.safetensors
	run -2 --separate-stderr needle-finetune -q -m base.safetensors --max-steps 1 d.jsonl -o same.safetensors
	[[ $stderr == *"base.safetensors is to be read and to be overwritten"* ]]
	install -m 600 /dev/null tuned.safetensors
	needle-finetune -q -m base.safetensors --val d.jsonl --val-calls 2 --score 0 --max-steps 1 d.jsonl -o tuned.safetensors
	[ "$(stat -c %a tuned.safetensors)" = 600 ]
}

# metadata FILE: the metadata of a safetensors file
metadata() { tail -c +9 "$1" | head -c "$(od -An -tu8 -N8 "$1")" | jq .__metadata__; }

# poison FILE: the first number of the embedding becomes the largest float
poison() {
	local size start
	size=$(od -An -tu8 -N8 "$1")
	start=$(tail -c +9 "$1" | head -c "$size" | jq '."embedding/embedding".data_offsets[0]')
	printf '\377\377\177\177' | dd of="$1" bs=1 seek=$((8 + size + start)) conv=notrunc status=none
}

@test "a loss that is no number stops the run, and what was good stays" {
	$new --max-steps 2 d.jsonl -o sick.safetensors
	poison sick.safetensors
	run -3 --separate-stderr needle-finetune -m sick.safetensors --batch-size 4 --val-calls 0 d.jsonl -o m.safetensors
	[[ "$stderr" == *"not a number at step 1"* ]]
	[[ "$stderr" == *"m.safetensors.state holds the state after step 0"* ]]
	[ -s m.safetensors.state ] && [ ! -e m.safetensors ]
	local size start # of the steps and of the place in the data: nothing was done, nothing is drawn
	size=$(od -An -tu8 -N8 m.safetensors.state)
	start=$(tail -c +9 m.safetensors.state | head -c "$size" | jq '."state/data".data_offsets[0]')
	[ "$(od -An -tu8 -N16 -j $((8 + size + start)) m.safetensors.state | tr -d ' ')" = 00 ]
}

@test "a disk that fills up leaves the earlier state whole" {
	$new --epochs 100000 --checkpoint-every 1 d.jsonl -o m.safetensors &
	pid=$!
	until_there m.safetensors.state
	kill -TERM $pid
	wait $pid || true
	cp m.safetensors.state before
	full() ( # no file may grow over 64 KiB, and the program lives to see it
		trap '' XFSZ
		ulimit -f 64
		"$@"
	)
	run -3 --separate-stderr full $new --epochs 100000 --checkpoint-every 1 --resume d.jsonl -o m.safetensors
	[[ "$stderr" == *"m.safetensors.state"* ]]
	cmp before m.safetensors.state
	[ "$(find . -name 'm.safetensors*' | wc -l)" -eq 1 ]
}

@test "a run that ends at an error keeps its steps, also at the very end" {
	local long="$new --max-steps 9 --shuffle-buffer 1 --strict --checkpoint-every 0 --val-calls 0 --score 0"
	cat d.jsonl d.jsonl | $long - -o whole.safetensors
	run -3 --separate-stderr $long - -o m.safetensors < <(cat d.jsonl - <<<'no json')
	[[ "$stderr" == *"<stdin>:25: "* ]]
	[ -s m.safetensors.state ]
	[ ! -e m.safetensors ]
	run -0 --separate-stderr $long -v --resume - -o m.safetensors < <(cat d.jsonl d.jsonl)
	[[ "$stderr" != *"step 6:"* ]]
	cmp whole.safetensors m.safetensors
	# the base, which is scored at the end, goes away meanwhile
	cp whole.safetensors base.safetensors
	local tune="needle-finetune -m base.safetensors --batch-size 4 --max-steps 2 --val d.jsonl --val-calls 0"
	run -3 $tune --log log.tsv <(until_there log.tsv; rm base.safetensors; cat d.jsonl) -o n.safetensors
	[[ "$output" == *"base.safetensors"* && "$output" == *"n.safetensors.state holds the state after step 2"* ]]
	cp whole.safetensors base.safetensors
	$tune -q --resume <(cat d.jsonl) -o n.safetensors
	[ -s n.safetensors ]
	[ ! -e n.safetensors.state ]
}

@test "an output without neighbours has no state beside it" {
	mkfifo pipe
	echo "not of a run" >pipe.state
	cat pipe >got.safetensors &
	$new --max-steps 2 --checkpoint-every 1 d.jsonl -o pipe
	wait
	$new --max-steps 2 d.jsonl -o m.safetensors --score 0 --val-calls 0
	needle-quantize --diff m.safetensors got.safetensors
	[ "$(cat pipe.state)" = "not of a run" ]
}

@test "what an earlier run left beside the model is not a file to begin with, for it is removed" {
	$new --max-steps 1 --score 0 d.jsonl -o m.safetensors
	for kept in state best trial; do
		mv m.safetensors m.safetensors.$kept
		run -2 needle-finetune -q -m m.safetensors.$kept d.jsonl -o m.safetensors
		[[ "$output" == *"m.safetensors.$kept is to be read and to be overwritten"* ]]
		run -2 needle-finetune -q -m none --teacher-model m.safetensors.$kept d.jsonl -o m.safetensors
		mv m.safetensors.$kept m.safetensors
	done
	run -2 $new --log n.safetensors d.jsonl -o n.safetensors
}

@test "the log can be drawn" {
	$new --epochs 6 --val-calls 4 --score 0 --log log.tsv d.jsonl -o m.safetensors
	"$top_srcdir/contrib/plot-log.sh" log.tsv >plot.svg
	[ "$(grep -c '<polyline' plot.svg)" -ge 4 ]
	run -1 grep -qi nan plot.svg
	[ "$(tail -n 1 plot.svg)" = "</svg>" ]
	run -1 "$top_srcdir/contrib/plot-log.sh" d.jsonl
}

@test "confidence is fitted to the validation examples" {
	cat d.jsonl d.jsonl >val.jsonl
	run -0 --separate-stderr needle-finetune -v --init c.json --vocab "$vocab" --val val.jsonl --batch-size 4 \
		--epochs 30 --lr 0.003 d.jsonl -o m.safetensors
	needle-quantize --info m.safetensors | grep -q confidence || [[ "$stderr" == *"confidence is not fitted"* ]]
	run -0 --separate-stderr needle-finetune -v --init c.json --vocab "$vocab" --val d.jsonl --max-steps 1 d.jsonl -o n.safetensors
	[ -z "$(needle-quantize --info n.safetensors | grep confidence)" ] # too few
}

@test "bad records are reported with their line, skipped, or fatal with --strict" {
	{ sed -n 1p d.jsonl; echo '{"query":1}'; echo 'no json'; sed -n 2,12p d.jsonl; } >mixed.jsonl
	run -0 --separate-stderr needle-finetune --init c.json --vocab "$vocab" --max-steps 1 mixed.jsonl -o m.safetensors
	[[ "$stderr" == *"mixed.jsonl:2: "* ]]
	[[ "$stderr" == *"mixed.jsonl:3: "* ]]
	[[ "$stderr" == *"2 bad rows"* ]]
	run -3 --separate-stderr $new --strict --max-steps 1 mixed.jsonl -o n.safetensors
	[[ "$stderr" == *"mixed.jsonl:2: "* ]] && [ ! -e n.safetensors ]
}

@test "answers that do not fit the tools are bad records" {
	cat >bad.jsonl <<-'E'
		{"query":"q","tools":[{"name":"a","parameters":{}}],"answers":[{"name":"b","arguments":{}}]}
		{"query":"q","tools":[{"name":"a","parameters":{}}],"answers":[{"name":"a","arguments":{"x":1}}]}
		{"query":"q","tools":[{"name":"a","parameters":{"x":{"type":"integer","maximum":9}}}],"answers":[{"name":"a","arguments":{"x":10}}]}
		{"query":"q","tools":[{"name":"a","parameters":{"x":"any"}}],"answers":[{"name":"a","arguments":{"x":[[[[[1]]]]]}}]}
		{"query":"q","tools":[{"name":"a","parameters":{"x":{"type":"string","required":true}}}],"answers":[{"name":"a"}]}
	E
	run -3 --separate-stderr needle-finetune --init c.json --vocab "$vocab" bad.jsonl -o m.safetensors
	[[ "$stderr" == *"bad.jsonl:1: "* ]]
	[[ "$stderr" == *"bad.jsonl:2: "* ]]
	[[ "$stderr" == *"no usable examples"* ]]
	[[ "$stderr" == *"bad.jsonl:3: answers[0]: a: /arguments/x: above the maximum"* ]]
	[[ "$stderr" == *"bad.jsonl:4: "* ]] && [[ "$stderr" == *"bad.jsonl:5: "* ]]
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
	run -3 --separate-stderr $new --max-steps 9 - -o m.safetensors < <(printf 'x\ny\n')
	[[ "$stderr" == *"no usable examples"* ]]
	[ ! -e m.safetensors ]
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
	run -2 needle-finetune d.jsonl -o -
	run -2 needle-finetune --init c.json d.jsonl -o m.safetensors
	run -2 needle-finetune --weights value d.jsonl -o m.safetensors
	run -2 needle-finetune --weights colour=2 d.jsonl -o m.safetensors
	run -2 needle-finetune --batch-size 0 d.jsonl -o m.safetensors
	run -2 needle-finetune --lr nan d.jsonl -o m.safetensors
	run -2 needle-finetune - d.jsonl -o m.safetensors
	run -2 needle-finetune --freeze embedding,encoder,decoder,contrastive d.jsonl -o m.safetensors
	run -2 needle-finetune --lora-rank 4 --freeze encoder,decoder d.jsonl -o m.safetensors
	run -2 needle-finetune --no-such-option
}
