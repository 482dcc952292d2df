#!/bin/bash
# mix-public.sh - composed examples mixed with the public sets of share/DATA.md, without end.
#
# Usage: contrib/mix-public.sh FOLDER [OPTION OF needle-synth]...
#
# FOLDER holds NAME.jsonl.gz for some or all of the sets below; those that are missing are left
# out, with a word on standard error. Of every 187 examples about 100 are then composed and 25 are the
# corpus's requests. What is held out is dropped, see needle-synth(1).
set -euo pipefail

dir=${1:?usage: mix-public.sh FOLDER [OPTION OF needle-synth]...}
shift

# Weights: by how natural the wording is and how many different rows there are.
weights="sgd=0.10 topv2=0.06 seal_synth=0.06 hwu64=0.05 no_tool=0.05 snips=0.04 clinc150=0.04
	home_llm=0.04 composed_multi=0.04 own_synth=0.04 fb_mtod=0.03 seal_tools=0.03 ha_intents=0.02
	restaurant8k=0.01 llm_misc=0.01"
mix=()
for w in $weights; do
	file=$dir/${w%=*}.jsonl.gz
	if [[ -r $file ]]; then
		mix+=(--mix "$file=${w#*=}")
	else
		echo "mix-public.sh: $file is not there, mixing without it" >&2
	fi
done
exec needle-synth "${mix[@]}" "$@"
