#!/bin/sh
# bench-tokenize.sh - times encoding and decoding of one file by needle-tokenize and by
# spm_encode and spm_decode (Debian: sentencepiece), in turn; prints medians and their ratio.
#
#   contrib/bench-tokenize.sh VOCAB.model TEXT [RUNS]
#
# The times are of whole processes, loading included. needle-tokenize is taken from the PATH.
set -eu

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
	echo "usage: $0 VOCAB.model TEXT [RUNS]" >&2
	exit 2
fi
vocab=$1 text=$2 runs=${3:-7}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM # a plain sh runs no EXIT trap for a signal

# seconds NAME COMMAND... : runs it once, appends the wall-clock time to NAME
seconds() {
	name=$1
	shift
	begin=$(date +%s%N)
	"$@"
	end=$(date +%s%N)
	echo $(((end - begin) / 1000)) >>"$dir/$name"
}

spm_enc() { spm_encode --model="$vocab" --output_format=id <"$text" >"$dir/spm.ids"; }
our_enc() { needle-tokenize --vocab "$vocab" "$text" >"$dir/our.ids"; }
spm_dec() { spm_decode --model="$vocab" --input_format=id <"$dir/spm.ids" >"$dir/spm.text"; }
our_dec() { needle-tokenize --vocab "$vocab" -d "$dir/our.ids" >"$dir/our.text"; }
median() { sort -n "$dir/$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2 }'; }

i=0
while [ "$i" -lt "$runs" ]; do
	seconds spm-encode spm_enc
	seconds our-encode our_enc
	seconds spm-decode spm_dec
	seconds our-decode our_dec
	i=$((i + 1))
done
cmp "$dir/spm.ids" "$dir/our.ids"
cmp "$dir/spm.text" "$dir/our.text"
echo "$(wc -c <"$text") bytes, $(wc -w <"$dir/our.ids") tokens, same output, median of $runs runs"
for what in encode decode; do
	awk -v what="$what" -v spm="$(median spm-$what)" -v our="$(median our-$what)" 'BEGIN {
		printf "%s: SentencePiece %.1f ms, needle-tokenize %.1f ms, %.2f times as fast\n",
			what, spm / 1000, our / 1000, spm / our }'
done
