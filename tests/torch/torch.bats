#!/usr/bin/env bats
# contrib/torch: the same model, recipe and files as our own trainer.

load ../common
load ../cli/model

setup_file() {
	bats_require_minimum_version 1.5.0
	for python in python3 /usr/bin/python3; do
		! "$python" -c 'import torch, numpy' 2>/dev/null || break
	done
	"$python" -c 'import torch, numpy' 2>/dev/null || python=
	export python OMP_NUM_THREADS=1
}

setup() {
	[ -n "$python" ] || skip "no PyTorch"
	cd "$tmp"
	make_model base.safetensors 3
	base="$BATS_FILE_TMPDIR/base.safetensors"
	make_examples >d.jsonl
	data="--val d.jsonl --batch-size 4 --epochs 2"
	needle-finetune -q -m "$base" $data --dump-tokens d.tokens d.jsonl
	train=("$python" "$top_srcdir/contrib/torch/needle_train.py" -m "$base")
	recipe="--lr 3e-4 --muon-lr 0.01 --warmup 0.2 --decay 0.3 --qat-every 3 --qat-embedding --contrastive-every 2"
}

# near A B BOUND: whether all tensors of two model files differ by less (relative root mean square)
near() {
	needle-quantize --diff --json "$1" "$2" >diff.json || true
	cat diff.json
	jq -e --argjson bound "$3" '[.tensors[] | .rms < $bound] | length > 20 and all' diff.json
}

@test "one batch: the loss and every gradient of our trainer" {
	needle-finetune -q -m "$base" --val d.jsonl --batch-size 16 --epochs 1 --dump-tokens big.tokens d.jsonl
	"${train[@]}" big.tokens -o unused --steps 1 --micro 3 --grads grads.safetensors
	"$top_builddir/tests/torch/compare" "$base" big.tokens grads.safetensors
}

@test "a whole run, killed and resumed, ends where ours ends" {
	needle-finetune -q -m "$base" $data $recipe --val-calls 0 --score 0 --precision f32 d.jsonl -o ours.safetensors
	"${train[@]}" $recipe --steps 12 --checkpoint-every 5 --val d.tokens --log log d.tokens -o whole.safetensors
	[ "$(tail -n 1 log | jq '.step == 12 and .val_loss > 0')" = true ]
	near ours.safetensors whole.safetensors 0.001
	cp "$base" part.safetensors.state # rubbish is no state
	run "${train[@]}" $recipe --steps 12 --resume d.tokens -o part.safetensors
	[ "$status" -ne 0 ]
	"${train[@]}" $recipe --steps 12 --checkpoint-every 1 d.tokens -o part.safetensors 2>/dev/null &
	rm part.safetensors.state
	for _ in $(seq 3000); do
		[ -e part.safetensors.state ] && break
		sleep 0.02
	done
	kill -9 $! || true
	wait $! || true
	[ -e part.safetensors ] || "${train[@]}" $recipe --steps 12 --resume d.tokens -o part.safetensors
	cmp whole.safetensors part.safetensors
	needle-finetune -q -m "$base" $data $recipe --accumulate 2 --max-steps 4 --val-calls 0 --score 0 --precision f32 d.jsonl -o ours.safetensors
	needle-finetune -q -m "$base" $data --accumulate 2 --max-steps 4 --dump-tokens - d.jsonl |
		"${train[@]}" $recipe --accumulate 2 --steps 4 - -o theirs.safetensors
	near ours.safetensors theirs.safetensors 0.001
}

@test "contrib/bench-train.sh holds the two against each other" {
	echo '{"vocab_size":512,"d_model":32,"num_heads":2,"num_kv_heads":1,"num_encoder_layers":1,"num_decoder_layers":1}' >c.json
	PATH="$top_builddir:$PATH" run "$top_srcdir/contrib/bench-train.sh" 1 1 c.json "$testdata/vocab-512.model"
	[[ "$output" != *"reference BLAS"* ]] || skip "PyTorch on the reference BLAS"
	[ "$status" -eq 0 ]
	[[ "$output" =~ "times the tokens/s of PyTorch" ]]
}

@test "a run with a teacher of another shape ends where ours ends" {
	make_model teacher.safetensors 5 64 3
	teacher="$BATS_FILE_TMPDIR/teacher.safetensors" how="--teacher-weight 0.6 --teacher-temperature 1.5"
	needle-finetune -q -m "$base" $data $recipe --val-calls 0 --score 0 --precision f32 --teacher-model "$teacher" $how d.jsonl -o ours.safetensors
	"${train[@]}" $recipe --steps 12 --teacher "$teacher" $how d.tokens -o theirs.safetensors
	near ours.safetensors theirs.safetensors 0.001
}

@test "two processes do what one does with twice the batches a step" {
	"$python" -c 'import torch.distributed as d; assert d.is_available() and d.is_gloo_available()' 2>/dev/null ||
		"$python" -c 'import torch.distributed as d; d.ProcessGroupGloo' 2>/dev/null || skip "PyTorch without Gloo"
	"${train[@]}" $recipe --steps 3 --accumulate 2 d.tokens -o one.safetensors
	# what torchrun does: Debian's 1.13 cannot under Python 3.11
	export MASTER_ADDR=127.0.0.1 MASTER_PORT=$((20000 + RANDOM % 20000)) WORLD_SIZE=2
	RANK=1 LOCAL_RANK=1 "${train[@]}" $recipe --steps 3 d.tokens -o two.safetensors &
	RANK=0 LOCAL_RANK=0 "${train[@]}" $recipe --steps 3 d.tokens -o two.safetensors
	wait $!
	near one.safetensors two.safetensors 0.0001
}

@test "what it cannot read it names" {
	needle-quantize -q "$base" -o int4.safetensors
	run "$python" "$top_srcdir/contrib/torch/needle_train.py" -m int4.safetensors --steps 1 d.tokens -o x.safetensors
	[ "$status" -ne 0 ]
	[[ "$output" == *"needle-quantize --bits 32"* ]]
	head -c 1000 d.tokens >cut.tokens
	run "${train[@]}" --steps 9 cut.tokens -o x.safetensors
	[ "$status" -ne 0 ]
	[[ "$output" == *"ends in the middle of a batch"* ]]
	run "${train[@]}" --steps 9 d.jsonl -o x.safetensors
	[ "$status" -ne 0 ]
	[[ "$output" == *"not a token file"* ]]
	[ ! -e x.safetensors ]
}

@test "contrib/average-models.py: the mean of models; other shapes and nonsense are refused" {
	average() { "$python" "$top_srcdir/contrib/average-models.py" "$@"; }
	make_model other.safetensors 4
	make_model wide.safetensors 4 16 1 256 96
	other="$BATS_FILE_TMPDIR/other.safetensors"
	average "$base=1" "$base=3" >same.safetensors
	cmp "$base" same.safetensors
	average "$base=1" "$other=1" >mean.safetensors
	needle-quantize --diff --json mean.safetensors "$base" >one.json || true
	needle-quantize --diff --json mean.safetensors "$other" >two.json || true
	jq -se '[.[].tensors | map(.worst)] | transpose | all(.[0] - .[1] | fabs < 1e-5) and (map(.[0]) | add > 0.01)' one.json two.json
	run ! average "$base=1" "$BATS_FILE_TMPDIR/wide.safetensors=1"
	run ! average "$base"
	run ! average
}
