#!/usr/bin/env bats
# needle-tokenize: formats, options, bad input, exit statuses, training.

load ../common

setup() {
	bats_require_minimum_version 1.5.0
	vocab="$testdata/vocab-512.model"
	cd "$tmp"
}

tok() {
	needle-tokenize --vocab "$vocab" "$@"
}

@test "ids, pieces, JSON and counts of the same line" {
	run -0 tok <<<'play it'
	ids=$output
	[[ $ids =~ ^[0-9]+(\ [0-9]+)*$ ]]
	run -0 tok --pieces <<<'play it'
	[ "$output" = '▁play ▁ i t' ]
	run -0 tok --count <<<'play it'
	[ "$output" = 4 ]
	run -0 tok --json <<<'play it'
	[ "$output" = "{\"ids\":[${ids// /,}],\"pieces\":[\"▁play\",\"▁\",\"i\",\"t\"]}" ]
	[ "$(jq -r '.pieces | length' <<<"$output")" = 4 ]
}

@test "decoding takes ids, a list, an object, and gives text or JSON" {
	ids=$(tok <<<'play Zürich "now"')
	run -0 tok -d <<<"$ids"
	[ "$output" = 'play Zürich "now"' ]
	run -0 tok -d <<<"[${ids// /,}]"
	[ "$output" = 'play Zürich "now"' ]
	run -0 tok --decode <<<"{\"x\":1,\"ids\":[${ids// /, }]}"
	[ "$output" = 'play Zürich "now"' ]
	run -0 tok -d --json <<<"$ids"
	[ "$output" = '{"text":"play Zürich \"now\""}' ]
	tok --json <<<'play it' >j
	run -0 tok -d j
	[ "$output" = 'play it' ]
}

@test "bytes without a piece fall back to byte pieces" {
	run -0 tok --pieces <<<'€'
	[ "$output" = '▁ <0xE2> <0x82> <0xAC>' ]
	run -0 tok --pieces < <(printf 'a\377\n')
	[ "$output" = '▁a <0xEF> <0xBF> <0xBD>' ]
	tok -d <<<'6 103' >out
	printf '\0a\n' | cmp - out
	run -0 tok -d <<<'232 136 178'
	[ "$output" = '€' ]
	run -0 tok -d <<<'232 136'
	[ "$output" = '��' ]
}

@test "user-defined symbols match in text, unless it is plain" {
	run -0 tok --pieces <<<'x<tools>y'
	[ "$output" = '▁ x <tools> y' ]
	run -0 tok --plain <<<'x<tools>y <tool_call>'
	[[ ! " $output " =~ \ [45]\  ]]
	run -0 tok -d <<<"$output"
	[ "$output" = 'x<tools>y <tool_call>' ]
	run -0 tok <<<'</s><pad>'
	[[ ! " $output " =~ \ [0-3]\  ]]
}

@test "empty lines stay, carriage returns are kept, a last line needs no newline" {
	tok < <(printf '\n   \na\r\nb') >out
	[ "$(wc -l <out)" -eq 4 ]
	[ "$(sed -n 1p out)$(sed -n 2p out)" = "" ]
	tok -d out >text
	printf '\n\na\r\nb\n' | cmp - text
	[ -z "$(tok </dev/null)" ]
}

@test "several files, compressed files, standard input among them" {
	echo one >one.txt
	echo two | gzip >2.gz
	run -0 tok one.txt 2.gz - <<<three
	[ "${#lines[@]}" -eq 3 ]
	run -0 tok -d <<<"$output"
	[ "$output" = $'one\ntwo\nthree' ]
}

@test "a line that cannot be decoded is reported and leaves a gap" {
	run --separate-stderr -1 tok -d <<<$'300\nx\n512\n301 1x\n-1\n[1,"a"]\n{}\n[\n302'
	[ "${#stderr_lines[@]}" -eq 7 ]
	[ "${stderr_lines[0]}" = "needle-tokenize: <stdin>:2: column 1: 'x' is not a token id" ]
	[ "${stderr_lines[1]}" = "needle-tokenize: <stdin>:3: id 512 is not one of the 512 pieces" ]
	[ "${stderr_lines[2]}" = "needle-tokenize: <stdin>:4: column 5: '1x' is not a token id" ]
	[[ ${stderr_lines[6]} == "needle-tokenize: <stdin>:8: "* ]]
	run --separate-stderr -1 tok -d --strict <<<$'300\nx\n302'
	[ "$output" = "$(tok -d <<<300)" ]
	tok -d <<<$'300\nx\n302' >out 2>/dev/null || [ $? -eq 1 ]
	[ "$(wc -l <out)" -eq 3 ]
	run --separate-stderr -1 tok -d --json <<<9999
	[ "$output" = '{"error":{"line":1,"message":"id 9999 is not one of the 512 pieces"}}' ]
}

@test "what cannot be read is named, with status 3" {
	run --separate-stderr -3 tok missing
	[ "$stderr" = "needle-tokenize: missing: cannot open: No such file or directory" ]
	run -3 needle-tokenize --vocab missing </dev/null
	run -3 needle-tokenize --vocab . </dev/null
	: >empty
	run --separate-stderr -3 needle-tokenize --vocab empty </dev/null
	[ "$stderr" = "needle-tokenize: empty: no pieces: not a SentencePiece .model" ]
	echo "just some text" >text
	run --separate-stderr -3 needle-tokenize --vocab text </dev/null
	[[ $stderr == "needle-tokenize: text: not a SentencePiece .model: "* ]]
	head -c 5000 "$vocab" >cut.model
	run --separate-stderr -3 needle-tokenize --vocab cut.model </dev/null
	[[ $stderr == "needle-tokenize: cut.model: "* ]]
	run --separate-stderr -3 needle-tokenize -m "$testdata/golden/tiny.safetensors" </dev/null
	[[ $stderr == *"holds no vocabulary; give one with --vocab" ]]
	echo one >one.txt
	run --separate-stderr -3 tok one.txt missing one.txt
	[ "${#lines[@]}" -eq 2 ]
}

@test "wrong options are usage errors" {
	local args
	while read -r args; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 needle-tokenize $args </dev/null
		[ -z "$output" ]
		[ "${stderr_lines[1]}" = "Try 'needle-tokenize --help'." ]
	done <<-'END'
		--nonsense
		--json --count
		--pieces --json
		-d --count
		--train
		-o x
		--train -o x --vocab y
		--train -o x -d
		--train -o x --plain
		--train -o x --strict
		--train -o x --vocab-size 262
		--train -o x --vocab-size many
		--train -o x --coverage 2
		--train -o x --max-piece-length 0
		--vocab-size 300
		--split-digits
		-é
	END
	[ ! -e x ]
}

@test "a full disk and a closed pipe are noticed" {
	run -3 bash -c 'yes word | head -n 100000 | needle-tokenize --vocab "$1" >/dev/full' - "$vocab"
	[[ $output == *"cannot write to standard output: No space left on device" ]]
	run --separate-stderr -0 bash -c 'yes word | head -n 200000 | { needle-tokenize --vocab "$1"; echo $? >&2; } | head -n 1' - "$vocab"
	[ "$output" = "$(tok <<<word)" ]
	[ "$stderr" = 0 ]
	run -3 needle-tokenize --train "$vocab" "$top_srcdir/LICENSE" -o /dev/full --vocab-size 300
}

@test "each line comes out before the next is read" {
	mkfifo in out
	tok <in >out &
	exec 8>in 9<out
	echo play >&8
	read -r -t 20 line <&9
	[ "$line" = "$(tok <<<play)" ]
	echo more >&8
	read -r -t 20 line <&9
	[ "$line" = "$(tok <<<more)" ]
	exec 8>&- 9<&-
}

@test "training is reproducible and does not depend on the order of lines" {
	"$top_builddir/tests/cli/lines" plain 1 5000 "$top_srcdir/LICENSE" >text
	run -0 needle-tokenize --train text -o v.model --vocab-size 512
	[ -z "$output" ]
	cmp v.model "$vocab"
	sort text >sorted
	head -n 700 sorted >a
	tail -n +701 sorted | gzip >b.gz
	needle-tokenize --train b.gz a -o w.model --vocab-size 512
	cmp v.model w.model
	needle-tokenize --train -o /dev/stdout --vocab-size 512 <text | cmp - v.model
}

@test "options of training do what they say" {
	"$top_builddir/tests/cli/lines" plain 2 3000 "$top_srcdir/LICENSE" >text
	needle-tokenize --train text -o d.model --vocab-size 450 --split-digits
	run -0 needle-tokenize --vocab d.model --pieces <<<'x 2026'
	[ "$output" = '▁ x ▁ 2 0 2 6' ]
	printf '%s\n' 'x １２３ １２３ １２３ ab ab' >wide
	needle-tokenize --train wide -o wide.model --split-digits --coverage 1 --vocab-size 270
	run -0 needle-tokenize --vocab wide.model --pieces <<<'x １２３'
	[ "$output" = '▁ x ▁ １ ２ ３' ]
	needle-tokenize --train text -o w.model --vocab-size 400 --split-spaces
	run -0 needle-tokenize --vocab w.model --pieces <<<'play the play'
	after_space=${output##* ▁ }
	[ "${output% ▁ * ▁ *}" = "▁ $after_space" ]
	[ "$(tr ' ' '\n' <<<"$output" | grep -c ▁)" = 3 ]
	needle-tokenize --train text -o s.model --vocab-size 400 --max-piece-length 2
	run -0 needle-tokenize --vocab s.model --json <<<'play the volume'
	[ "$(jq '[.pieces[] | length] | max' <<<"$output")" = 2 ]
	needle-tokenize --train text -o c.model --vocab-size 380 --coverage 0.8
	run -0 needle-tokenize --vocab c.model --pieces <<<'Zürich'
	[[ $output == *'<0xC3> <0xBC>'* ]]
}

@test "a text that cannot fill the vocabulary is refused, the old file stands" {
	echo old >v.model
	run --separate-stderr -3 needle-tokenize --train -o v.model --vocab-size 8192 <<<'too small a text'
	[[ $stderr == "needle-tokenize: the text yields only "* ]]
	run --separate-stderr -3 needle-tokenize --train -o v.model --vocab-size 264 <<<'many characters'
	[[ $stderr == *"cannot hold the 262 fixed ones and the text's "* ]]
	run -3 needle-tokenize --train -o v.model --vocab-size 300 </dev/null
	run -3 needle-tokenize --train missing -o v.model
	[ "$(cat v.model)" = old ]
}
