# model.bash - small models with random weights, made once a file: load in tests of commands.

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
