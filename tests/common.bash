# common.bash - loaded by every Bats file.
: "${top_srcdir:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${top_builddir:=$top_srcdir}"
PATH="$top_builddir:$PATH"
export LC_ALL=C.UTF-8
export PYTHONDONTWRITEBYTECODE=1 # nothing is left in the source tree
export OMP_WAIT_POLICY=passive # threads that wait do not take the processor from other tests

testdata="$top_srcdir/testdata"
tmp="$BATS_TEST_TMPDIR"
