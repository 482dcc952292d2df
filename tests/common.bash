# common.bash - loaded by every Bats file.
: "${top_srcdir:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${top_builddir:=$top_srcdir}"
PATH="$top_builddir:$PATH"
export LC_ALL=C.UTF-8

testdata="$top_srcdir/testdata"
tmp="$BATS_TEST_TMPDIR"
