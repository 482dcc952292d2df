# model.bash - small models with random weights, made once a file, and examples to train on: load in tests of commands.

# make_model NAME SEED [WIDTH LAYERS [MAX_ENC MAX_DEC [no-contrastive]]]: $BATS_FILE_TMPDIR/NAME
make_model() {
	local name=$1 seed=$2
	shift 2
	[ $# -ge 2 ] || set -- 32 2
	"$top_builddir/tests/mkmodel" "$BATS_FILE_TMPDIR/$name" "$testdata/vocab-512.model" "$seed" "$@"
}

# numpy: the reference implementation, or skip
numpy() {
	[ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import numpy' 2>/dev/null || skip "no NumPy"
	reference=(/usr/bin/python3 "$top_srcdir/tests/reference/needle_numpy.py")
}

# make_examples: 24 rows to learn from: two tools with one argument each, and refusals
make_examples() {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		cat <<-E
			{"query":"set an alarm for $i","tools":[{"name":"set_alarm","parameters":{"time":{"type":"string","required":true}}}],"answers":[{"name":"set_alarm","arguments":{"time":"$i"}}]}
			{"query":"play song $i","tools":[{"name":"play","parameters":{"song":{"type":"string","required":true}}},{"name":"stop","parameters":{}}],"answers":[{"name":"play","arguments":{"song":"song $i"}}]}
			{"query":"what is love $i","tools":[{"name":"stop","parameters":{}}],"answers":[]}
		E
	done
}
