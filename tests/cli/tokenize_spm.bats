#!/usr/bin/env bats
# needle-tokenize against SentencePiece's own programs: the same ids and the same text, for
# vocabularies of ours and of spm_train, on prose, JSON, source code, random Unicode and bytes.

load ../common

setup_file() {
	local f=$BATS_FILE_TMPDIR
	command -v spm_encode >/dev/null || skip "sentencepiece is not installed"
	"$top_builddir/tests/cli/lines" all 7 50000 "$top_srcdir"/lib/*/*.[ch] "$top_srcdir"/cmd/*.[ch] \
		"$top_srcdir"/man/*.[157] "$top_srcdir/LICENSE" >"$f/lines"
	if [ -d /usr/share/common-licenses ]; then
		cat /usr/share/common-licenses/[A-Z]* >>"$f/lines"
	fi
	# ids at random, control and byte pieces among them
	awk 'BEGIN { s = 1; for (i = 0; i < 20000; i++) { n = i % 13; line = ""
		for (k = 0; k < n; k++) { s = (s * 69069 + 1) % 4294967296; x = int(s / 65536)
			line = line (k ? " " : "") (x % 3 == 0 ? x % 512 : x % 3 == 1 ? 6 + x % 256 : 262 + x % 30) }
		print line } }' >"$f/ids"
}

# same VOCAB [N]: encodes (the first N) lines and decodes both these ids and random ones, both ways
same() {
	local f=$BATS_FILE_TMPDIR n=${2:-50000}
	head -n "${2:-1000000}" "$f/lines" >lines
	spm_encode --model="$1" --output_format=id <lines >spm.ids
	needle-tokenize --vocab "$1" lines >our.ids
	cmp spm.ids our.ids
	[ "$(wc -l <our.ids)" -ge "$n" ]
	spm_decode --model="$1" --input_format=id <spm.ids >spm.text
	needle-tokenize --vocab "$1" -d our.ids >our.text
	cmp spm.text our.text
	spm_decode --model="$1" --input_format=id <"$f/ids" >spm.text
	needle-tokenize --vocab "$1" -d "$f/ids" >our.text
	cmp spm.text our.text
}

spm_vocab() {
	cat "$top_srcdir"/lib/*/*.c >code
	spm_train --input=code --model_prefix=spm --model_type=bpe --normalization_rule_name=identity \
		--minloglevel=2 --vocab_size=700 --max_sentence_length=100000 "$@"
}

setup() {
	command -v spm_encode >/dev/null || skip "sentencepiece is not installed"
	cd "$tmp"
}

@test "the test vocabulary" {
	same "$testdata/vocab-512.model"
}

@test "a larger vocabulary trained here" {
	needle-tokenize --train "$BATS_FILE_TMPDIR/lines" -o v.model --vocab-size 26000 --coverage 0.98
	same "$PWD/v.model"
}

@test "spm_train with Needle's settings" {
	spm_vocab --byte_fallback --pad_id=0 --eos_id=1 --bos_id=2 --unk_id=3 --user_defined_symbols='<tool_call>,<tools>'
	same "$PWD/spm.model"
}

@test "spm_train without byte fallback" {
	spm_vocab --user_defined_symbols='<tool_call>,<tools>'
	same "$PWD/spm.model" 12000
}

@test "spm_train keeping spaces, pieces across words, odd user-defined symbols" {
	spm_vocab --byte_fallback --remove_extra_whitespaces=false --split_by_whitespace=false \
		--user_defined_symbols='Z,al,ala,>, ,<tools> '
	same "$PWD/spm.model" 12000
}

@test "spm_train with spaces as suffixes" {
	spm_vocab --byte_fallback --treat_whitespace_as_suffix
	same "$PWD/spm.model" 12000
}

@test "spm_train without a leading space, another unknown piece" {
	spm_vocab --byte_fallback --add_dummy_prefix=false --unk_piece=e --unk_surface=U
	same "$PWD/spm.model" 12000
}

@test "the default vocabulary" {
	same "$top_srcdir/share/vocab.model" 12000
}

@test "our trainer and spm_train learn the same pieces from a plain text" {
	# without runs of one sign, whose overlapping pairs spm_train counts in its own way
	# with tabs, symbols and carriage returns, which count for what --coverage leaves out
	"$top_builddir/tests/cli/lines" plain 3 2000 "$top_srcdir/LICENSE" |
		tr -d '0-9' | tr -s '[:punct:]' | sed 's/ o/\to/; s/ a/ <tools>a/; s/$/\r/' >text
	spm_train --input=text --model_prefix=spm --model_type=bpe --normalization_rule_name=identity \
		--minloglevel=2 --vocab_size=600 --max_sentence_length=1000000 --byte_fallback \
		--pad_id=0 --eos_id=1 --bos_id=2 --unk_id=3 --user_defined_symbols='<tool_call>,<tools>'
	needle-tokenize --train text -o our.model --vocab-size 600
	spm_export_vocab --model=our.model --output=our.vocab
	diff spm.vocab our.vocab
}
