# examples.bash - finds and runs the examples of man pages and of README.md; see tests/README.md.

# page_examples PAGE: the literal lines of the EXAMPLES section, as mandoc shows them
page_examples() {
	mandoc -T utf8 -O width=400 "$1" | sed $'s/.\b//g' | awk '
		/^[A-Z]/ { inside = /^EXAMPLES/; next }
		inside { sub(/^ +/, ""); print }'
}

# markdown_examples FILE: the lines of its ```console blocks
markdown_examples() {
	awk '/^```/ { if (inside) print ""; inside = /^```console/ && !inside; next } inside' "$1"
}

# pattern TEXT: the text as a pattern in which only "..." matches anything
pattern() {
	local text=$1
	text=${text//\\/\\\\}
	text=${text//\*/\\*}
	text=${text//\?/\\?}
	text=${text//\[/\\[}
	text=${text//\]/\\]}
	text=${text//(/\\(}
	text=${text//)/\\)}
	text=${text//|/\\|}
	printf '%s' "${text//.../*}"
}

# blanks TEXT: each run of blanks as one space, for a page shows a tab as spaces
blanks() { tr -s ' \t' '  ' <<<"$1"; }

# one_example COMMAND EXPECTED: runs it, sets `before` to its status and counts in run, skipped,
# failed; EXPECTED may be empty
one_example() {
	local command=$1 expected=$2 output status=0
	output=$(timeout 300 bash -c "(exit $before); $command" 2>stderr </dev/null) || status=$?
	if grep -q 'no default model' stderr ||
		[[ $status -eq 3 && ! -f share/default.safetensors && $command != *' -m '* ]]; then
		skipped=$((skipped + 1))
		printf '# no default model: %s\n' "$command"
		return
	fi
	run=$((run + 1))
	before=$status
	if ((status > 1)); then
		printf '%s\nfails with status %d: %s\n' "\$ $command" "$status" "$(cat stderr)"
	elif [[ -n $expected && $(blanks "$output") != $(pattern "$(blanks "$expected")") ]]; then
		printf '%s\nprints:\n%s\nthe text says:\n%s\n' "\$ $command" "$output" "$expected"
	else
		return 0
	fi
	failed=$((failed + 1))
}

# run_examples < LINES: runs every "$ " line, in the current folder
run_examples() {
	local line command='' expected='' before=0 more=
	run=0 skipped=0 failed=0
	finish() {
		[[ -z $command ]] || one_example "$command" "${expected%$'\n'}"
		command='' expected=''
	}
	while IFS= read -r line <&9; do
		if [[ -n $more ]]; then
			command+=$'\n'$line
		elif [[ $line == '$ '* ]]; then
			finish
			command=${line#'$ '}
		elif [[ -z $line ]]; then
			finish
			continue
		elif [[ -n $command ]]; then
			expected+=$line$'\n'
		fi
		more=
		[[ -z $expected && -n $command && $line == *\\ ]] && more=1
	done 9<&0
	finish
	printf '# %d run, %d skipped, %d failed\n' "$run" "$skipped" "$failed"
	((failed == 0)) || return 1
	((skipped == 0)) || skip "no default model: $skipped of $((run + skipped)) examples not run"
}
