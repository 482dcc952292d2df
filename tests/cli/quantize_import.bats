#!/usr/bin/env bats
# needle-quantize reads what others write: upstream's pickles, flattened trees, needle-rs, archives.

load ../common

setup() {
	bats_require_minimum_version 1.5.0
	[ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import numpy' 2>/dev/null || skip "no NumPy"
	cd "$tmp"
}

upstream() { /usr/bin/python3 "$top_srcdir/tests/reference/upstream.py" "$@"; }

# floats FILE: as upstream's tree, every value kept, in floats.st
floats() { needle-quantize -q --to safetensors "$1" -o floats.st; }

# says FILE TEXT: it is refused with one line that holds TEXT
says() {
	run --separate-stderr needle-quantize --bits 8 "$1" -o refused.st
	[ "$status" -eq 3 ] && [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ] && [ ! -e refused.st ] ||
		{ echo "$1: $status: $stderr"; return 1; }
	[[ $stderr == "needle-quantize: "*"$2"* ]] || { echo "$1: $stderr"; return 1; }
}

@test "pickles of every protocol, type and memory layout give the tree that Python reads" {
	local protocol dtype form make=() equal=()
	for protocol in 2 3 4 5; do
		for dtype in f2 f4 bf16; do
			make+=(-- make "$dtype-$protocol.pkl" "protocol=$protocol" "dtype=$dtype" form=mixed)
			equal+=(-- equal "${dtype/bf16/f4}-$protocol.pkl" "$dtype-$protocol.st" "$dtype")
		done
	done
	for form in fortran swapped axes numpy2; do
		make+=(-- make "$form-5.pkl" "form=$form" protocol=5 bare=1)
		equal+=(-- equal f4-5.pkl "$form-5.st")
	done
	upstream "${make[@]:1}"
	for form in *.pkl; do
		needle-quantize -q --to safetensors "$form" -o "${form%pkl}st"
	done
	upstream "${equal[@]:1}"
}

@test "a pickle's configuration, and that its tools are shown as given, are recorded" {
	upstream make a.pkl dtype=f2
	needle-quantize -q a.pkl --vocab "$testdata/vocab-512.model" -o a.st
	needle-quantize --info --json a.st | jq -e '.config == {"vocab_size":512,"d_model":32,"num_heads":4,"num_kv_heads":2,
		"num_encoder_layers":2,"num_decoder_layers":2,"contrastive_dim":16,"max_enc_len":1024,"max_dec_len":512,
		"rope_theta":10000.0,"tools_format":"ascii"} and .metadata.quantization == "int4" and (.metadata | has("step") | not)'
	needle-infer -q -m a.st -t "$testdata/tools.json" --max-tokens 40 hello >calls || [ "$?" -eq 1 ]
	jq -e 'type == "array"' calls
}

@test "without a contrastive head, or without its temperature" {
	upstream make a.pkl head=0 -- make b.pkl -- spoil b.pkl c.pkl log_temp drop
	floats a.pkl
	upstream equal a.pkl floats.st
	needle-quantize -q --bits 32 c.pkl -o c.st
	needle-quantize --info --json c.st | jq -e '.config.contrastive_dim == 16 and any(.tensors[]; .name == "log_temp")'
}

@test "round trips are exact: pickle, model file, tree, and back, in F16 and F32" {
	local dtype bits sep
	for dtype in f2 f4; do
		[ $dtype = f2 ] && bits=16 || bits=32
		upstream make a.pkl dtype=$dtype form=mixed -- tree a.pkl slash.st / -- tree a.pkl dot.st .
		needle-quantize -q --bits $bits a.pkl -o a.st
		needle-quantize -q --bits $bits --to safetensors a.st -o b.st
		upstream equal a.pkl b.st
		needle-quantize -q --bits $bits b.st -o c.st
		cmp a.st c.st
		# the tree comes back in one type, as upstream keeps it
		needle-quantize --info --json b.st | jq -e --arg t "F$bits" '[.tensors[].dtype] | unique == [$t]'
		for sep in slash dot; do
			needle-quantize -q --bits $bits $sep.st -o d.st
			needle-quantize --diff a.st d.st
		done
	done
}

@test "round trips are exact in BF16 too" {
	upstream make a.pkl dtype=bf16
	needle-quantize -q --bf16 a.pkl -o a.st
	needle-quantize -q --bf16 --to safetensors a.st -o b.st
	needle-quantize --info --json b.st | jq -e '[.tensors[].dtype] | unique == ["BF16"]'
	needle-quantize --diff a.pkl b.st
	needle-quantize -q --bf16 b.st -o c.st
	cmp a.st c.st
}

@test "needle-rs files: the dequantised values, and with vocab.txt the same tokens" {
	command -v spm_export_vocab >/dev/null || skip "no sentencepiece"
	spm_export_vocab --model="$testdata/vocab-512.model" --output=v.vocab --output_format=vocab
	upstream make a.pkl -- rs rs.st vocab.txt a.pkl v.vocab
	needle-quantize -q --bits 32 --vocab vocab.txt rs.st -o rs32.st
	needle-quantize -q --bits 32 --vocab "$testdata/vocab-512.model" a.pkl -o a32.st
	cat >check.py <<'PY'
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
import upstream as u, needle_numpy as n
want, (got, meta) = {k: np.asarray(v, np.float64) for k, v in u.flat(u.load("a.pkl")["params"])}, n.load("rs32.st")
for k, w in want.items():
    g = got[k]
    assert g.shape == w.shape, k
    if k.endswith("_proj/kernel") and "contrastive" not in k:
        for a, b in zip(w, g):
            q, s = u.quantise(a.astype(np.float32))
            codes = np.empty((2 * len(q), q.shape[1]), np.int8)
            codes[0::2], codes[1::2] = q & 15, q >> 4
            codes = (codes ^ 8) - 8
            assert (b == (codes * np.repeat(s, 32, axis=0)).astype(np.float32)).all(), k
    elif k == "embedding/embedding":
        assert ((w.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32) == g).all()
    elif k != "log_temp":
        assert (w.astype(np.float32) == g).all(), k
assert meta["num_heads"] == "4" and meta["tools_format"] == "ascii"
PY
	/usr/bin/python3 check.py "$top_srcdir/tests/reference"
	for m in rs32.st a32.st; do
		needle-tokenize -m $m "$top_srcdir/LICENSE"
		printf '<tools> é ☃\t\n' | needle-tokenize -m $m
		seq 0 511 | needle-tokenize -m $m -d
	done | tr '\0' 0 >both
	[ "$(head -n "$(($(wc -l <both) / 2))" both)" = "$(tail -n "$(($(wc -l <both) / 2))" both)" ]
	# INT4 of INT4: the same scales but for their rounding to F16, so nearly the same codes
	needle-quantize -q rs.st -o rs4.st
	needle-quantize --diff --json rs.st rs4.st | jq -e '[.tensors[] | select(.name | test("attn.*kernel")).rms] | max < 0.001'
	needle-quantize --info rs.st | grep -q "needle-rs safetensors"
	needle-quantize --diff rs.st rs32.st | grep -v tokenizer | grep -q "^different$"
}

@test "damaged needle-rs files" {
	upstream make a.pkl -- rs rs.st - a.pkl
	LC_ALL=C sed 's/encoder.1.self_attn.wk"/encoder.1.self_attn.wx"/' rs.st >a.st
	says a.st "needle-rs: tensor 'encoder.1.self_attn.wk' is missing"
	LC_ALL=C sed 's/decoder.0.cross_attn.wo.scale"/decoder.0.cross_attn.wo.scole"/' rs.st >a.st
	says a.st "needle-rs: tensor 'decoder.0.cross_attn.wo.scale' is missing"
	LC_ALL=C sed 's/"shape": \[16, 32\]/"shape": [32, 16]/' rs.st >a.st
	says a.st "is not I4 [16, outputs]"
	LC_ALL=C sed 's/"no_feedforward": "True"/"no_feedforward": "Fals"/' rs.st >a.st
	says a.st "feed-forward"
}

@test "the part of a tree that --prefix names" {
	upstream make a.pkl -- spoil a.pkl outer.pkl log_temp nest
	needle-quantize -q --bits 32 a.pkl -o a.st
	needle-quantize -q --bits 32 --prefix outer/ outer.pkl -o b.st
	cmp a.st b.st
	run -3 --separate-stderr needle-quantize -q --prefix nonsense/ a.pkl -o c.st
	[[ $stderr == *"a.pkl: "* ]] && [ ! -e c.st ]
}

@test "compressed, and in archives, with the vocabulary beside it" {
	command -v spm_export_vocab >/dev/null || skip "no sentencepiece"
	local tool f
	upstream make needle.pkl dtype=f2 -- rs rs.st - needle.pkl
	spm_export_vocab --model="$testdata/vocab-512.model" --output=vocab.txt --output_format=vocab
	needle-quantize -q --bits 16 needle.pkl -o want.st
	for tool in gzip zstd xz bzip2; do
		command -v $tool >/dev/null || continue
		$tool -q -k -c needle.pkl >needle.pkl.$tool
		needle-quantize -q --bits 16 needle.pkl.$tool -o got.st
		cmp want.st got.st
	done
	needle-quantize -q --bits 16 --vocab "$testdata/vocab-512.model" needle.pkl -o want.st
	mkdir -p hub/tokenizer hub/checkpoints
	cp needle.pkl hub/checkpoints
	cp "$testdata/vocab-512.model" hub/tokenizer/needle.model
	cp vocab.txt hub/
	echo "read me" >hub/README.md
	tar cf hub.tar hub
	gzip -k hub.tar
	zstd -q hub.tar -o hub.tar.zst
	xz -k hub.tar
	/usr/bin/python3 -m zipfile -c hub.zip hub
	for f in hub.tar hub.tar.gz hub.tar.zst hub.tar.xz hub.zip; do
		needle-quantize -q --bits 16 $f -o got.st
		cmp want.st got.st || { echo $f; return 1; }
	done
	needle-quantize --info hub.zip | grep -q "hub/checkpoints/needle.pkl"
	# safetensors, our own, and needle-rs inside
	needle-quantize -q --bits 32 --vocab "$testdata/vocab-512.model" rs.st -o want.st
	for f in rs.st want.st; do
		tar c $f vocab.txt | zstd -q >one.tar.zst
		needle-quantize -q --bits 32 one.tar.zst -o got.st
		needle-quantize --diff want.st got.st >changes || [ "$(sort changes)" = "$(printf '%s\n' different 'tokenizer: different')" ]
	done
	cp needle.pkl other.pkl
	tar cf two.tar needle.pkl other.pkl
	says two.tar "the archive holds two checkpoints, 'needle.pkl' and 'other.pkl'"
	tar cf none.tar vocab.txt
	says none.tar "the archive holds no checkpoint"
}

@test "archives that are damaged, or would fill memory" {
	upstream make needle.pkl
	gzip -k needle.pkl
	head -c 20000 needle.pkl.gz >cut.gz
	says cut.gz "cannot decompress: "
	printf '\x1f\x8bnot gzip at all' >fake.gz
	says fake.gz "cannot decompress: "
	{ head -c -8 needle.pkl.gz && head -c 8 /dev/zero; } >check.gz
	says check.gz "cannot decompress: incorrect data check"
	printf 'PK\x03\x04rest' >fake.zip
	says fake.zip "cannot decompress: "
	yes | head -c 40M | zstd -q >bomb.zst
	says bomb.zst "too much data for an archive of this size"
	zstd -q needle.pkl -o n.zst
	tar cf deep.tar n.zst
	says deep.tar "the archive holds no checkpoint"
}

@test "pickles that would run code, lie about sizes, nest or multiply are refused, and nothing runs" {
	upstream evil evil
	local f n=0 limit="ulimit -t 5 -v 400000"
	bash -c "$limit; needle-quantize --version" >/dev/null 2>&1 || limit="ulimit -t 20" # sanitizers map terabytes
	for f in evil/*.pkl; do
		run --separate-stderr bash -c "$limit; exec needle-quantize $f -o out.st"
		[ "$status" -eq 3 ] && [ "${#stderr_lines[@]}" -eq 1 ] && [ ! -e out.st ] || { echo "$f: $status $stderr"; return 1; }
		n=$((n + 1))
	done
	[ "$n" -gt 50 ]
	[ ! -e evil/executed ]
	# and Python would have run them
	/usr/bin/python3 -c 'import pickle; pickle.load(open("evil/system-4.pkl", "rb"))'
	[ -e evil/executed ]
	for f in 2 3 4 5; do
		says evil/system-$f.pkl "the global 'posix.system' is refused"
	done
	says evil/newobj2.pkl "byte 18: the opcode NEWOBJ is refused"
	says evil/torch.pkl "the global 'torch._utils._rebuild_tensor_v2' is refused"
	says evil/object-dtype.pkl "arrays of dtype 'O8' are not supported"
	says evil/laughs.pkl "dictionaries nested more than 16 deep, or more than 4096 of them"
	says evil/shape-huge.pkl "an array whose size overflows"
	says evil/system-0.pkl "neither safetensors nor a Python pickle"
}

@test "a pickle, plain or compressed, or a needle-rs file cut at any byte, or with a bit turned, is an error or the tree" {
	upstream make a.pkl d=8 heads=2 kv=1 enc=1 dec=1 vocab=8 head=4 -- rs rs.st - a.pkl
	gzip -k a.pkl
	"$top_builddir/tests/fuzz/fuzz_pickle" --every a.pkl a.pkl.gz rs.st
}

@test "wrong shapes, missing layers and parameters, NaN: errors that name the tensor" {
	local enc=encoder/layers/EncoderBlock_0 dec=decoder/layers/DecoderBlock_0 i words=(make a.pkl)
	local key=("$enc/self_attn/q_proj/kernel" embedding/embedding "$dec/cross_attn/out_proj/kernel"
		"$dec/self_attn/v_proj/kernel" "$dec/cross_attn_gate" "$enc/self_attn/v_proj/kernel" encoder/final_norm/scale
		"$enc/self_attn/q_proj/kernel" contrastive_proj/kernel contrastive_hidden/bias)
	local change=(drop drop short layers layers nan nan extra drop drop)
	local want=(" is missing" " is missing" " (F32) has shape [2, 32, 30], expected [layers, 32, 32]"
		" has 1 layers, layer 1 is missing" " has 1 layers, layer 1 is missing" ", layer 0: value 3 is NaN" " holds NaN"
		"_2' is not a part of this network" " is missing" " is missing")
	for i in "${!key[@]}"; do
		words+=(-- spoil a.pkl "$i.pkl" "${key[i]}" "${change[i]}")
	done
	upstream "${words[@]}"
	for i in "${!key[@]}"; do
		[ "${change[i]}" = extra ] || key[i]+="'"
		says "$i.pkl" "tensor '${key[i]}${want[i]}"
	done
}

@test "a vocabulary as text that does not fit" {
	upstream make a.pkl
	printf '<pad>\t0\n</s>\t0\n<unk>\t0\n' >v.txt
	run needle-quantize a.pkl --vocab v.txt -o out.st
	[ "$status" -eq 3 ]
	[ "$output" = "needle-quantize: v.txt:3: expected the piece <s> here" ]
	printf '<pad>\n' >v.txt
	run needle-quantize a.pkl --vocab v.txt -o out.st
	[ "$status" -eq 3 ]
	[[ $output == "needle-quantize: v.txt:1: no tab and no score behind the piece"* ]]
	printf '<pad>\tx\n' >v.txt
	run needle-quantize a.pkl --vocab v.txt -o out.st
	[ "$status" -eq 3 ] && [[ $output == "needle-quantize: v.txt:1: the score is not a number" ]]
}

@test "parity: an upstream pickle in float32 computes what NumPy computes from it" {
	local spec
	for spec in "seed=3 d=64 heads=4 kv=2 enc=3 dec=2 vocab=512" "seed=4 d=48 heads=2 kv=2 enc=1 dec=3 vocab=300 head=0 dtype=f2"; do
		# shellcheck disable=SC2086 # split on purpose
		upstream make a.pkl $spec protocol=5 form=mixed
		needle-quantize -q --bits 32 a.pkl -o a.st
		upstream ids 40 "$(grep -o 'vocab=[0-9]*' <<<"$spec" | cut -d= -f2)" 7 >ids
		"$top_builddir/tests/forward" a.st 16 <ids >result
		upstream check a.pkl ids result 1e-4
	done
}

# About eight minutes: NEEDLE_LONG=1 bats tests/cli/quantize_import.bats -f 'full size'
@test "parity at the model's full size, 200 prompts" {
	[ -n "${NEEDLE_LONG-}" ] || skip "long: set NEEDLE_LONG"
	upstream make a.pkl dtype=f2 d=512 heads=8 kv=4 enc=12 dec=8 vocab=8192 head=128 protocol=5
	needle-quantize -q --bits 32 a.pkl -o a.st
	upstream ids 200 8192 7 >ids
	"$top_builddir/tests/forward" a.st 16 <ids >result
	upstream check a.pkl ids result 1e-4
}
