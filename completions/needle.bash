# bash completion for the needle commands; written by completions/update
# shellcheck shell=bash

_needle_reply() {
	local word
	COMPREPLY=()
	while IFS= read -r word; do
		COMPREPLY+=("$word")
	done < <(compgen "$@" -- "$cur")
}

_needle_tokenize() {
	options="--pieces --json --count --decode --plain --strict --vocab --train --output --vocab-size --coverage --max-piece-length --split-digits --split-spaces --model --threads --quiet --verbose --help --version"
	case $1 in
	--vocab) _needle_reply -f ;;
	-o | --output) _needle_reply -f ;;
	--vocab-size) : ;;
	--coverage) : ;;
	--max-piece-length) : ;;
	-m | --model) _needle_reply -f ;;
	-j | --threads) : ;;
	*) return 1 ;;
	esac
}

_needle_encode() {
	options="--states --tools --rank --index --top-tools --text --lenient --precision --strict --model --threads --quiet --verbose --help --version"
	case $1 in
	--states) _needle_reply -f ;;
	--tools) _needle_reply -f ;;
	--index) _needle_reply -f ;;
	-k | --top-tools) : ;;
	--precision) _needle_reply -W "int8 f32" ;;
	-m | --model) _needle_reply -f ;;
	-j | --threads) : ;;
	*) return 1 ;;
	esac
}

_needle_infer() {
	options="--tools --input --lines --top-tools --rank --index --min-confidence --ground --today --refuse-bias --lexical-weight --beam --max-tokens --stream --timings --trace --no-jump-ahead --no-grammar --lenient --precision --logits --strict --model --threads --quiet --verbose --help --version"
	case $1 in
	-t | --tools) _needle_reply -f ;;
	-i | --input) _needle_reply -f ;;
	-k | --top-tools) : ;;
	--rank) _needle_reply -W "head bm25 fused" ;;
	--index) _needle_reply -f ;;
	--min-confidence) : ;;
	--ground) _needle_reply -W "strict prefer off" ;;
	--today) : ;;
	--refuse-bias) : ;;
	--lexical-weight) : ;;
	--beam) : ;;
	--max-tokens) : ;;
	--precision) _needle_reply -W "int8 f32" ;;
	--logits) _needle_reply -f ;;
	-m | --model) _needle_reply -f ;;
	-j | --threads) : ;;
	*) return 1 ;;
	esac
}

_needle_finetune() {
	options="--output --tools --init --vocab --layers --d-model --epochs --max-steps --batch-size --accumulate --lr --muon-lr --weight-decay --clip-norm --schedule --warmup --decay --average --qat-every --qat-embedding --qat-group --qat-embedding-group --contrastive-every --contrastive-weight --z-weight --weights --max-enc-len --max-dec-len --lora-rank --freeze --teacher-model --teacher-weight --teacher-temperature --curriculum --keep-order --loosen --seed --shuffle-buffer --precision --val --eval-every --val-calls --score --log --checkpoint-every --resume --dump-tokens --heldout --strict --model --threads --quiet --verbose --help --version"
	case $1 in
	-o | --output) _needle_reply -f ;;
	-t | --tools) _needle_reply -f ;;
	--init) _needle_reply -f ;;
	--vocab) _needle_reply -f ;;
	--layers) : ;;
	--d-model) : ;;
	--epochs) : ;;
	--max-steps) : ;;
	--batch-size) : ;;
	--accumulate) : ;;
	--lr) : ;;
	--muon-lr) : ;;
	--weight-decay) : ;;
	--clip-norm) : ;;
	--schedule) : ;;
	--warmup) : ;;
	--decay) : ;;
	--average) : ;;
	--qat-every) : ;;
	--qat-group) _needle_reply -W "32 64 128" ;;
	--qat-embedding-group) _needle_reply -W "32 64 128" ;;
	--contrastive-every) : ;;
	--contrastive-weight) : ;;
	--z-weight) : ;;
	--weights) : ;;
	--max-enc-len) : ;;
	--max-dec-len) : ;;
	--lora-rank) : ;;
	--freeze) : ;;
	--teacher-model) _needle_reply -f ;;
	--teacher-weight) : ;;
	--teacher-temperature) : ;;
	--curriculum) : ;;
	--loosen) : ;;
	--seed) : ;;
	--shuffle-buffer) : ;;
	--precision) : ;;
	--val) _needle_reply -f ;;
	--eval-every) : ;;
	--val-calls) : ;;
	--score) : ;;
	--log) _needle_reply -f ;;
	--checkpoint-every) : ;;
	--dump-tokens) _needle_reply -f ;;
	--heldout) _needle_reply -f ;;
	-m | --model) _needle_reply -f ;;
	-j | --threads) : ;;
	*) return 1 ;;
	esac
}

_needle_quantize() {
	options="--output --bits --embedding-bits --bf16 --group --embedding-group --method --calibrate --tools --check --precision --vocab --to --prefix --info --diff --json --threads --quiet --verbose --help --version"
	case $1 in
	-o | --output) _needle_reply -f ;;
	--bits) _needle_reply -W "4 8 16 32" ;;
	--embedding-bits) _needle_reply -W "4 8 16 32" ;;
	--group) _needle_reply -W "32 64 128" ;;
	--embedding-group) _needle_reply -W "32 64 128" ;;
	--method) _needle_reply -W "rtn mse gptq" ;;
	--calibrate) _needle_reply -f ;;
	-t | --tools) _needle_reply -f ;;
	--check) _needle_reply -f ;;
	--precision) _needle_reply -W "int8 f32" ;;
	--vocab) _needle_reply -f ;;
	--to) _needle_reply -W "model safetensors" ;;
	--prefix) : ;;
	-j | --threads) : ;;
	*) return 1 ;;
	esac
}

_needle_eval() {
	options="--model --tools --by --json --fail-under --fail-over --failures --precision --ground --refuse-bias --lexical-weight --beam --today --lenient --top-tools --rank --recall --calibrate --strict --threads --quiet --verbose --help --version"
	case $1 in
	-m | --model) _needle_reply -f ;;
	-t | --tools) _needle_reply -f ;;
	--by) : ;;
	--fail-under) : ;;
	--fail-over) : ;;
	--failures) _needle_reply -f ;;
	--precision) _needle_reply -W "int8 f32" ;;
	--ground) _needle_reply -W "strict prefer off" ;;
	--refuse-bias) : ;;
	--lexical-weight) : ;;
	--beam) : ;;
	--today) : ;;
	-k | --top-tools) : ;;
	--rank) _needle_reply -W "head bm25 fused" ;;
	--calibrate) _needle_reply -f ;;
	-j | --threads) : ;;
	*) return 1 ;;
	esac
}

_needle_synth() {
	options="--count --corpus --domains --heldout --list-domains --max-tools --mix --seed --split --stats --tools --teacher --teacher-cache --teacher-model --teacher-price --teacher-rate --text --threads --quiet --verbose --help --version"
	case $1 in
	-n | --count) : ;;
	--corpus) _needle_reply -d ;;
	--domains) : ;;
	--heldout) _needle_reply -f ;;
	--max-tools) : ;;
	--mix) _needle_reply -f ;;
	-s | --seed) : ;;
	--split) _needle_reply -W "all train phrasing value tool domain" ;;
	--tools) _needle_reply -f ;;
	--teacher) : ;;
	--teacher-cache) _needle_reply -f ;;
	--teacher-model) : ;;
	--teacher-price) : ;;
	--teacher-rate) : ;;
	-j | --threads) : ;;
	*) return 1 ;;
	esac
}

_needle_bench() {
	options="--json --compare --kernels --filter --time --prompt --answer --records --train --shape --model --threads --quiet --verbose --help --version"
	case $1 in
	--compare) _needle_reply -f ;;
	-f | --filter) : ;;
	--time) : ;;
	--prompt) : ;;
	--answer) : ;;
	--records) : ;;
	--shape) _needle_reply -f ;;
	-m | --model) _needle_reply -f ;;
	-j | --threads) : ;;
	*) return 1 ;;
	esac
}

_needle_serve() {
	options="--listen --allow-origin --parallel --queue --max-body --timeout --tools --top-tools --rank --min-confidence --ground --today --lenient --precision --model --threads --quiet --verbose --help --version"
	case $1 in
	--listen) : ;;
	--allow-origin) : ;;
	--parallel) : ;;
	--queue) : ;;
	--max-body) : ;;
	--timeout) : ;;
	-t | --tools) _needle_reply -f ;;
	-k | --top-tools) : ;;
	--rank) _needle_reply -W "head bm25 fused" ;;
	--min-confidence) : ;;
	--ground) _needle_reply -W "strict prefer off" ;;
	--today) : ;;
	--precision) _needle_reply -W "int8 f32" ;;
	-m | --model) _needle_reply -f ;;
	-j | --threads) : ;;
	*) return 1 ;;
	esac
}

_needle() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${1##*/} options
	COMPREPLY=()
	# "=" is a word of its own: --model=x is three
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if ! "_needle_${command#needle-}" "$prev" && [[ $cur == -* ]]; then
		_needle_reply -W "$options"
	fi
}
complete -o filenames -o bashdefault -o default -F _needle needle-tokenize needle-encode needle-infer needle-finetune needle-quantize needle-eval needle-synth needle-bench needle-serve
