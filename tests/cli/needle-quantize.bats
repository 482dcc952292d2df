#!/usr/bin/env bats
# needle-quantize, and the file format seen from outside.

load ../common

setup() {
	bats_require_minimum_version 1.5.0
	golden="$testdata/golden/tiny.safetensors"
	cd "$tmp"
}

# model [OPTION...] FILE: the golden parameters as a model file
model() { needle-quantize -q --prefix p/ "${@:1:$#-1}" "$golden" -o "${!#}" 2>/dev/null; }

# python SCRIPT [ARGUMENT...]: with the reader that needle-checkpoint(5) prints as reader.py
python() {
	/usr/bin/python3 -c 'import numpy' 2>/dev/null || skip "no numpy"
	sed -n '/^import json, numpy/,/^\.Ed/{ /^\.Ed/d; p; }' "$top_srcdir/man/needle-checkpoint.5" >reader.py
	sed 's/^raw = open.*/raw = open(FILE, "rb").read()/' reader.py | {
		printf 'def read(FILE):\n'
		sed 's/^/    /'
		printf '    return header, tensor, kernel\n'
	} >page.py
	/usr/bin/python3 "$@"
}

@test "32 bits keep every value, and a model is not changed by writing it again" {
	model --bits 32 a.st
	needle-quantize -q --bits 32 a.st -o b.st
	cmp a.st b.st
	run needle-quantize --diff a.st b.st
	[ "$status" -eq 0 ]
	[ "$output" = identical ]
	cat >check.py <<'EOF'
import sys; sys.path.insert(0, "."); import page, numpy as np
gh, gt, _ = page.read(sys.argv[1]); h, t, _ = page.read("a.st")
names = [k for k in h if not k.startswith(("__", "padding."))]
assert sorted(names) == sorted(k[2:] for k in gh if k.startswith("p/")) and len(names) == 31, names
for k in names:
    assert h[k]["shape"] == gh["p/" + k]["shape"] and (t(k) == gt("p/" + k)).all(), k
EOF
	python check.py "$golden"
}

@test "every tensor starts at a multiple of 64 bytes" {
	model a.st
	cat >check.py <<'EOF'
import sys; sys.path.insert(0, "."); import page
raw = open("a.st", "rb").read(); n = int.from_bytes(raw[:8], "little"); h, _, _ = page.read("a.st")
assert (8 + n) % 64 == 0
del h["__metadata__"]
for k, v in h.items():
    assert k.startswith("padding.") or (8 + n + v["data_offsets"][0]) % 64 == 0, k
ends = sorted(v["data_offsets"] for v in h.values())
assert ends[0][0] == 0 and ends[-1][1] == len(raw) - 8 - n
assert all(a[1] == b[0] for a, b in zip(ends, ends[1:]))
EOF
	python check.py
}

@test "the reader of the manual page finds the same values in 4 and 8 bits" {
	local bits
	cat >check.py <<'EOF'
import sys; sys.path.insert(0, "."); import page, numpy as np
bits = int(sys.argv[1]); gh, gt, _ = page.read(sys.argv[2])
h, t, kernel = page.read("q.st"); fh, ft, _ = page.read("f.st")
quantised = 0
for k in (k for k in fh if k.endswith("/kernel") or k == "embedding/embedding"):
    w = kernel(k)
    if k + ".scale" in h:
        quantised += 1
        if k == "embedding/embedding":
            w = np.swapaxes(w, -1, -2)
        # an independent bound: half a step, and what rounding the scale to F16 adds
        g = gt("p/" + k)
        s = t(k + ".scale").astype(np.float32)
        axis = -1 if k == "embedding/embedding" else -2
        s = np.repeat(s, g.shape[axis] // s.shape[-1], -1)
        s = s if axis == -1 else np.swapaxes(s, -1, -2)
        assert (np.abs(w - g) <= s * 0.505).all(), k
    assert (w == ft(k)).all(), k
assert quantised == 14, quantised
k = "encoder/layers/EncoderBlock_0/self_attn/k_proj/kernel"
if bits == 4: # codes of the independent implementation, whose scales are not rounded
    w = kernel(k); s = np.swapaxes(t(k + ".scale").astype(np.float32), -1, -2)
    codes = np.round(w / s).astype(int)
    assert (codes != gt("int4/codes")).mean() < 0.01
    assert np.allclose(s, gt("int4/scales"), rtol=2 ** -11, atol=0)
EOF
	for bits in 4 8; do
		model --bits "$bits" q.st
		needle-quantize -q --bits 32 q.st -o f.st
		needle-quantize --diff q.st f.st
		python check.py "$bits" "$golden"
	done
}

@test "and in 16 bits, in both formats" {
	local form
	cat >check.py <<'EOF'
import sys; sys.path.insert(0, "."); import page
h, t, _ = page.read("h.st"); fh, ft, _ = page.read("f.st")
names = [k for k in fh if not k.startswith(("__", "padding."))]
assert {h[k]["dtype"] for k in names} == {sys.argv[1], "F32"} and len(names) == 31
assert all((t(k) == ft(k)).all() for k in names)
EOF
	for form in F16 BF16; do
		if [ "$form" = F16 ]; then model --bits 16 h.st; else model --bf16 h.st; fi
		needle-quantize -q --bits 32 h.st -o f.st
		python check.py "$form"
	done
}

@test "errors fall and sizes rise with the bits" {
	local spec worst last=1 size last_size=0
	model --bits 32 a.st
	# F16 holds the golden parameters exactly; BF16 does not
	for spec in "--bits 4" "--bits 4 --embedding-bits 8" "--bits 8" "--bf16" "--bits 32"; do
		# shellcheck disable=SC2086 # split on purpose
		needle-quantize --json $spec a.st -o b.st >report 2>/dev/null
		worst=$(jq '[.tensors[].rms] | max' report)
		size=$(jq .bytes report)
		jq -en "$worst <= $last and $size > $last_size" >/dev/null
		last=$worst last_size=$size
	done
	jq -en "$worst == 0" >/dev/null
	# 20832 values of kernels and embedding in 2 bytes, 367 others in 4
	needle-quantize --json --bf16 a.st -o b.st 2>/dev/null >report
	jq -e '.bytes == 43132 and ([.tensors[].to] | unique == ["BF16", "F32"])' report
	needle-quantize --json --bits 16 a.st -o b.st 2>/dev/null | jq -e '[.tensors[].to] | unique == ["F16", "F32"]'
	needle-quantize --json a.st -o b.st 2>/dev/null | jq -e '[.tensors[].rms] | max < 0.12'
}

@test "--method mse has the smaller error; threads change nothing" {
	model --bits 32 a.st
	for method in rtn mse; do
		needle-quantize --json --method $method -j1 a.st -o $method.st >$method.json 2>/dev/null
		needle-quantize -q --method $method -j4 a.st -o other.st
		cmp $method.st other.st
	done
	jq -es '([.[0].tensors[].rms] | add) > 1.05 * ([.[1].tensors[].rms] | add)' rtn.json mse.json
}

# base NAME: a float model with a tokenizer, and records, for tests of what rounding costs
base() {
	"$top_builddir/tests/mkmodel" base.st "$testdata/vocab-512.model" 3 64 2
	needle-synth -q --seed 4 -n 100 --max-tools 2 >train.jsonl
	needle-synth -q --seed 5 -n 8 --max-tools 2 >test.jsonl
}

@test "gptq keeps outputs nearer than rounding alone; --check says how near; threads change nothing" {
	base
	for method in rtn mse "gptq --calibrate train.jsonl"; do
		# shellcheck disable=SC2086 # split on purpose
		needle-quantize --json --embedding-group 64 --method $method --check test.jsonl base.st -o "${method%% *}.st"
	done >reports
	jq -es 'map(.check.mean_kl) as [$rtn, $mse, $gptq] | $gptq < 0.8 * $mse and $gptq < 0.8 * $rtn and $gptq > 0' reports
	jq -es 'all(.[]; .check | .records == 8 and .tokens > 100 and .same_tokens > 0.5 and .same_calls >= 0 and
		(.metrics.parse_rate == [1, 1]))' reports
	needle-quantize -q -j1 --embedding-group 64 --method gptq --calibrate train.jsonl base.st -o one.st
	cmp one.st gptq.st
	# what integers cost: the file computes in them, its copy in 32 bits cannot
	needle-quantize --json --bits 32 --check test.jsonl --precision int8 gptq.st -o float.st |
		jq -e '.check | .mean_kl > 0 and .mean_kl < 0.05 and .same_tokens + .even_tokens > 0.9'
	# a copy in 32 bits is the source
	needle-quantize --bits 32 --check test.jsonl base.st -o same.st >text
	grep -q "^checked with 8 records: 100.00 % give the same calls as the source$" text
	grep -q "KL divergence of 0.00000 nats on average, 100.00 % have the same first choice$" text
	grep -q "^call_f1  *[0-9.-]*  *[0-9.-]*$" text
}

@test "--check and --calibrate with records that will not do" {
	"$top_builddir/tests/mkmodel" base.st "$testdata/vocab-512.model" 3 32 1
	echo '{"query":"x","tools":[]}' >bad.jsonl
	: >empty.jsonl
	for words in "--check bad.jsonl" "--method gptq --calibrate bad.jsonl"; do
		# shellcheck disable=SC2086 # split on purpose
		run --separate-stderr needle-quantize $words base.st -o out.st
		[ "$status" -eq 3 ] && [[ $stderr == "needle-quantize: bad.jsonl:1: "*answers* ]] || { echo "$words: $stderr"; return 1; }
	done
	[ ! -e out.st ] # found out before anything is written
	run --separate-stderr needle-quantize --check empty.jsonl base.st -o out.st
	[ "$status" -eq 3 ]
	[ "$stderr" = "needle-quantize: empty.jsonl: no record to check with" ]
	run --separate-stderr needle-quantize --check missing.jsonl base.st -o out.st
	[ "$status" -eq 3 ]
	[[ $stderr == *missing.jsonl*"No such file"* ]]
	head -n 12 "$testdata/../share/examples/data.jsonl" >bare.jsonl
	cp "$testdata/../share/examples/tools.json" .
	run -3 needle-quantize -q --method gptq --calibrate bare.jsonl base.st -o out.st
	run -0 needle-quantize -q --method gptq --calibrate bare.jsonl --check bare.jsonl -t tools.json base.st -o out.st
	run -2 needle-quantize -t tools.json base.st -o out.st
	rm out.st
	model --bits 32 a.st
	run --separate-stderr needle-quantize --check bad.jsonl a.st -o out.st
	[ "$status" -eq 3 ] && [ "$stderr" = "needle-quantize: a.st: no tokenizer, which --check needs: see --vocab" ]
}

@test "the 26 M model fits into 14.8 MB with the options by default, tokenizer included" {
	local d=512 kv=256 vocab=8192 e=12 n=8 kernels vectors header
	kernels=$(((e + 2 * n) * (2 * d * d + 2 * d * kv) + d * d / 4 + d / 4 * 128))
	vectors=$((e * (d + 1 + 128) + n * (2 * d + 2 + 4 * 64) + 2 * d + d / 4 + 1))
	# header and fillers of a small model, which has the same tensors
	"$top_builddir/tests/mkmodel" a.st "$testdata/vocab-512.model" 3 128 2
	needle-quantize --json a.st -o b.st >report
	header=$(($(wc -c <b.st) - $(jq .bytes report) - $(wc -c <"$testdata/vocab-512.model")))
	needle-quantize --info --json b.st | jq -e '[.tensors[] | select(.name == "embedding/embedding.scale").shape] == [[512, 1]]'
	[ "$header" -gt 0 ]
	[ "$((kernels / 2 + kernels / 32 * 2 + vocab * d / 2 + vocab * d / 128 * 2 + vectors * 2 + header + 2000 +
		$(wc -c <"$top_srcdir/share/vocab.model")))" -le 14800000 ]
}

@test "groups that do not divide the inputs give way to smaller ones, and then to floats" {
	model --group 64 a.st
	model --group 32 --embedding-group 32 b.st
	needle-quantize --diff a.st b.st
	needle-quantize --info --json a.st | jq -e '([.tensors[] | select(.name | endswith("_proj/kernel")) | .dtype] | unique) == ["F32", "U8"]
		and all(.tensors[]; .name != "contrastive_proj/kernel" or .dtype == "F32")'
}

@test "a model may be converted in place" {
	model --bits 32 a.st
	needle-quantize -q a.st -o b.st
	needle-quantize -q a.st -o a.st
	cmp a.st b.st
	[ "$(ls)" = "$(printf '%s\n' a.st b.st)" ]
}

@test "--to safetensors: upstream's tree alone, also joined with dots and under params" {
	model --bits 32 a.st
	needle-quantize -q --to safetensors a.st -o plain.st
	needle-quantize --info --json plain.st | jq -e '.model and (.tensors | length == 31) and ([.tensors[].dtype] | unique == ["F32"])'
	grep -q padding plain.st && return 1
	needle-quantize --diff a.st plain.st
	LC_ALL=C sed -E '1s#"(en|de)coder/([^"]*)/#"\1coder.\2.#g; 1s#(embedding|final_norm|contrastive_[a-z]*)/#\1.#g' plain.st >dots.st
	grep -aq '"embedding.embedding"' dots.st
	needle-quantize --diff a.st dots.st
	# the header grows: rewrite its length
	head=$(head -c 4 plain.st | od -An -tu4 | tr -d ' ')
	tail -c +9 plain.st | head -c "$head" | sed 's#"\([a-z_]*/\|log_temp\)#"params/\1#g' >header
	size=$(wc -c <header)
	printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\0\\0\\0\\0\\0' $((size & 255)) $((size >> 8 & 255)) $((size >> 16)))" >params.st
	{ cat header; tail -c +$((9 + head)) plain.st; } >>params.st
	grep -aq '"params/embedding/embedding"' params.st
	needle-quantize --diff a.st params.st
}

@test "--info shows model files, other safetensors files, and damage" {
	model a.st
	run needle-quantize --info a.st
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "a.st: needle model, 21199 parameters" ]
	grep -q "^ *1024  U8    \[2,32,16\]  *encoder/layers/EncoderBlock_0/self_attn/q_proj/kernel$" <<<"$output"
	needle-quantize --info --json a.st | jq -e '.model and .parameters == 21199 and .config.d_model == 32 and
		.config.rope_theta == 10000 and .metadata.quantization == "int4"'
	run --separate-stderr needle-quantize --info "$golden"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == *"safetensors file; not a needle model: tensor 'embedding/embedding' is missing" ]]
	LC_ALL=C sed 's#"d_model":"32"#"d_model":"64"#' a.st >b.st
	run --separate-stderr needle-quantize --info b.st
	[ "$status" -eq 3 ]
	[ "$stderr" = "needle-quantize: b.st: metadata says d_model is 64, the tensors say 32" ]
}

@test "--diff tells values, configuration and shapes apart" {
	model --bits 32 a.st
	model b.st
	run needle-quantize --diff a.st b.st
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 15 ]
	[ "${lines[14]}" = different ]
	LC_ALL=C sed 's#"max_enc_len":"1024"#"max_enc_len":"1000"#' a.st >c.st
	run needle-quantize --diff a.st c.st
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = "config: max_enc_len 1024 -> 1000" ]
	needle-quantize --diff --json a.st c.st | jq -e '.identical == false and .config.max_enc_len == [1024, 1000]'
}

@test "other kinds of files are refused, and nothing is written" {
	printf '\x80\x04\x95' >a.pkl
	printf '{"query":"x"}\n' >a.jsonl
	: >empty
	header='{"encoder.0.self_attn.wq":{"dtype":"I4","shape":[1,2],"data_offsets":[0,2]}}'
	{ printf "\\x$(printf %x ${#header})\\0\\0\\0\\0\\0\\0\\0%s" "$header"; printf '\1\2'; } >rs.st
	header='{"encoder":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}}'
	{ printf "\\x$(printf %x ${#header})\\0\\0\\0\\0\\0\\0\\0%s" "$header"; printf '\0\0\0\0'; } >f4.st
	local -A want=([a.pkl]='pickle, byte 2: truncated' [a.jsonl]='neither safetensors nor a Python pickle'
		[empty]='neither safetensors nor' [rs.st]="tensor 'embedding/embedding' is missing"
		[f4.st]="data type 'F4' is not supported" [missing]='No such file' [.]='not a regular file')
	for f in "${!want[@]}"; do
		run --separate-stderr needle-quantize "$f" -o out.st
		[ "$status" -eq 3 ] && [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ] || { echo "$f $stderr"; return 1; }
		[[ $stderr == "needle-quantize: $f: "*"${want[$f]}"* ]] || { echo "$f $stderr"; return 1; }
		[ ! -e out.st ]
		run needle-quantize --info "$f"
		[ "$f" = rs.st ] || [ "$status" -eq 3 ]
	done
}

@test "an unreadable file" {
	[ "$(id -u)" -ne 0 ] || skip "root reads everything"
	: >a.st
	chmod 0 a.st
	run needle-quantize a.st -o b.st
	[ "$status" -eq 3 ] && [[ $output == *"Permission denied"* ]]
}

@test "damaged models are errors that name the tensor" {
	model --bits 32 a.st
	run needle-quantize -q --bits 8 --prefix p/encoder/ "$golden" -o b.st
	[ "$status" -eq 3 ]
	[[ $output == *"tensor 'embedding/embedding' is missing"* ]]
	head -c 50000 a.st >cut.st
	run needle-quantize cut.st -o b.st
	[ "$status" -eq 3 ]
	[[ $output == "needle-quantize: cut.st: truncated: tensor '"* ]]
	LC_ALL=C sed 's#self_attn/q_norm/scale#self_attn/q_nurm/scale#' a.st >typo.st
	run needle-quantize typo.st -o b.st
	[ "$status" -eq 3 ]
	[[ $output == *"self_attn/q_norm/scale' is missing"* ]]
	LC_ALL=C sed 's#"cross_attn_gate":#"&#; s#DecoderBlock_0/cross_attn_gate#DecoderBlock_0/crass_attn_gate#' a.st >extra.st
	run needle-quantize extra.st -o b.st
	[ "$status" -eq 3 ]
	[[ $output == *cross_attn_gate* ]]
	LC_ALL=C sed 's#"no_feedforward":"true"#"no_feedforward":"nope"#' a.st >ffn.st
	run needle-quantize ffn.st -o b.st
	[ "$status" -eq 3 ]
	[[ $output == *"feed-forward"* ]]
	[ ! -e b.st ]
}

@test "NaN and values beyond F16 are errors that name tensor and layer" {
	cat >spoil.py <<'EOF'
import sys; sys.path.insert(0, "."); import page, struct
h, t, _ = page.read("a.st"); raw = bytearray(open("a.st", "rb").read())
k = "decoder/layers/DecoderBlock_0/cross_attn/v_proj/kernel"
at = 8 + int.from_bytes(raw[:8], "little") + h[k]["data_offsets"][0] + 4 * (32 * 16 + 5)
raw[at:at + 4] = struct.pack("<f", float(sys.argv[1]))
open("b.st", "wb").write(raw)
EOF
	model --bits 32 a.st
	python spoil.py nan
	run needle-quantize b.st -o c.st
	[ "$status" -eq 3 ]
	[ "$output" = "needle-quantize: b.st: tensor 'decoder/layers/DecoderBlock_0/cross_attn/v_proj/kernel', layer 1: value 5 is NaN" ]
	run needle-quantize --diff a.st b.st
	[ "$status" -eq 3 ]
	[[ $output == *"layer 1: value 5 is NaN"* ]]
	python spoil.py 1e6
	run needle-quantize --bits 16 b.st -o c.st
	[ "$status" -eq 3 ]
	[[ $output == *"too large for F16: tensor 'decoder/"*"v_proj/kernel', layer 1"* ]]
	needle-quantize -q --bf16 b.st -o c.st
}

@test "a tokenizer is stored, carried along, and must fit" {
	printf 'turn on the light %s\nplay some music %s\n' {a..z} {a..z} >text
	needle-tokenize -q --train text -o bpe.model --vocab-size 300
	model --bits 32 a.st
	run needle-quantize --bits 32 --vocab bpe.model a.st -o b.st
	[ "$status" -eq 3 ]
	[ "$output" = "needle-quantize: bpe.model: the tokenizer has 300 pieces, the model's embedding 64 rows" ]
	run needle-quantize --vocab text a.st -o b.st
	[ "$status" -eq 3 ]
	[[ $output == "needle-quantize: text: "* ]]
	cat >grow.py <<'EOF'
import sys; sys.path.insert(0, "."); import page, json, numpy as np
h, t, _ = page.read("a.st"); head, body = {}, b""
for k in (k for k in h if not k.startswith(("__", "padding."))):
    x = t(k)
    if k == "embedding/embedding":
        x = np.resize(x, (300, 32))
    head[k] = {"dtype": "F32", "shape": x.shape, "data_offsets": [len(body), len(body) + x.nbytes]}
    body += x.tobytes()
j = json.dumps(head).encode()
open("c.st", "wb").write(len(j).to_bytes(8, "little") + j + body)
EOF
	python grow.py
	run --separate-stderr needle-quantize -q --vocab bpe.model c.st -o d.st
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ -z "$output" ]
	run --separate-stderr needle-quantize --bits 8 d.st -o e.st
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	cat >compare.py <<'EOF'
import sys; sys.path.insert(0, "."); import page
want = open("bpe.model", "rb").read()
for f in "d.st", "e.st":
    assert page.read(f)[1]("tokenizer.model").tobytes() == want, f
EOF
	python compare.py
	run needle-quantize --diff c.st d.st
	[ "$status" -eq 1 ] && [ "${lines[0]}" = "tokenizer: in one of the two only" ]
}

@test "a model without a tokenizer is announced" {
	run --separate-stderr needle-quantize --prefix p/ "$golden" -o a.st
	[ "$status" -eq 0 ]
	[ "$stderr" = "needle-quantize: a.st has no tokenizer, which inference needs: see --vocab" ]
	[[ ${lines[31]} == "21199 parameters in 12782 bytes, 4.82 bits each" ]]
}

@test "usage errors" {
	local words
	for words in '' 'a.st' 'a.st b.st -o c.st' '-o c.st' 'a.st -o -' 'a.st -o b --bits 5' 'a.st -o b --group 33' \
		'a.st -o b --method x' 'a.st -o b --to x' 'a.st -o b --bf16 --bits 8' 'a.st -o b --to safetensors --bits 4' \
		'a.st -o b --to safetensors --vocab v' 'a.st -o b --method gptq' 'a.st -o b --calibrate c' 'a.st -o b --precision int8' 'a.st -o b --to safetensors --check c' '--info' '--info a b' '--diff a' '--info --diff a b' '--info a -o b'; do
		# shellcheck disable=SC2086 # split on purpose
		run --separate-stderr needle-quantize $words
		[ "$status" -eq 2 ] && [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 2 ] || { echo "$words"; return 1; }
	done
}

@test "a report never ends up inside the model" {
	model --bits 32 a.st
	for words in '' --json '-q --json'; do
		# shellcheck disable=SC2086 # split on purpose
		run bash -c 'needle-quantize "$@" a.st -o /dev/stdout 2>why | wc -c; exit "${PIPESTATUS[0]}"' - $words
		[ "$status" -eq 2 ] && [ "$output" -eq 0 ]
		grep -q -- '-o /dev/stdout: stdout is for the report, unless -q' why
	done
	needle-quantize a.st -o b.st
	needle-quantize -q a.st -o /dev/stdout | cmp - b.st
	needle-quantize a.st -o /dev/null >/dev/null
}

@test "full disks and closed pipes" {
	model --bits 32 a.st
	run --separate-stderr needle-quantize a.st -o /dev/full
	[ "$status" -eq 3 ]
	[ -z "$output" ]
	[[ $stderr == *"/dev/full: write failed: No space left on device"* ]]
	run --separate-stderr needle-quantize a.st -o missing/b.st
	[ "$status" -eq 3 ]
	[[ $stderr == *"missing/b.st: cannot write"* ]]
	run bash -c 'needle-quantize -q --info a.st >/dev/full'
	[ "$status" -eq 3 ]
	[[ $output == *"No space left on device"* ]]
	run bash -c 'needle-quantize --info a.st | head -n 1; exit "${PIPESTATUS[0]}"'
	[ "$status" -eq 0 ] && [ "${#lines[@]}" -eq 1 ]
}
