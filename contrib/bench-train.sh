#!/bin/bash
# bench-train.sh - the same training step by needle-bench --train and by contrib/torch (Debian: python3-torch,
# python3-numpy, libopenblas0-pthread), in turn; prints the tokens a second of both, their ratio, and the most memory each held.
#
#   contrib/bench-train.sh [THREADS [ROUNDS [CONFIG.json VOCAB.model]]]
#
# The shape is by default that of the published model: d = 512, 12 + 8 layers; the batch 32 examples of 190 tokens of
# prompt and 45 of answer. Of each program the best round counts. The needle programs and the python3 that has
# PyTorch are taken from the PATH. A step takes seconds: all of it takes minutes.
set -euo pipefail
export LC_ALL=C
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
threads=${1:-$(nproc)} rounds=${2:-1} shape=${3-} vocab=${4:-$top/share/vocab.model}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

for python in python3 /usr/bin/python3; do
	! "$python" -c 'import torch, numpy' 2>/dev/null || break
done
"$python" -c 'import torch, numpy' || exit 3

if [ -z "$shape" ]; then
	shape=$dir/shape.json
	echo '{"vocab_size":8192,"d_model":512,"num_heads":8,"num_kv_heads":4,"num_encoder_layers":12,"num_decoder_layers":8}' >"$shape"
fi
echo '{"query":"stop","tools":[{"name":"stop","parameters":{}}],"answers":[{"name":"stop","arguments":{}}]}' >"$dir/row.jsonl"
needle-finetune -q --init "$shape" --vocab "$vocab" --max-steps 0 --score 0 --val "$dir/row.jsonl" "$dir/row.jsonl" -o "$dir/model"

for ((i = 0; i < rounds; i++)); do
	PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=$threads "$python" "$top/contrib/torch/needle_bench.py" "$dir/model" "$threads" 1 >>"$dir/torch" # first: it may refuse
	needle-bench --train -j "$threads" --shape "$shape" --json >>"$dir/ours"
done

best() { jq -s "$2" "$dir/$1"; }
row() { printf '[.[].rows[] | select(.name == "%s" and .threads == %d).value]' "$1" "$threads"; }
printf '%-16s %12s %12s\n' "$threads threads" "tokens/s" "peak MiB"
ours=$(best ours "$(row "training, tokens") | max")
torch=$(best torch '[.[].tokens_per_s] | max')
printf '%-16s %12.0f %12.0f\n' needle-bench "$ours" "$(best ours '[.[].rows[] | select(.name == "peak memory of this program").value] | min')"
printf '%-16s %12.0f %12.0f\n' PyTorch "$torch" "$(best torch '[.[].peak_mib] | min')"
printf 'needle-bench makes %.2f times the tokens/s of PyTorch\n' "$(jq -n "$ours / $torch")"
