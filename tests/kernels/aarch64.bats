#!/usr/bin/env bats
# The kernels for ARM, built by a cross compiler and run by qemu-user: without and with sdot. Only what
# needs no other library is built.

bats_require_minimum_version 1.5.0
load ../common

CROSS=${AARCH64_CC:-aarch64-linux-gnu-gcc}

setup() {
	qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static) || skip "no qemu-aarch64"
	command -v "$CROSS" >/dev/null || skip "no $CROSS"
	cd "$tmp"
}

# build PROGRAM: the library, once, and a check of tests/kernels.
build() {
	local flags=(-std=c11 -O1 -Wall -Wextra -Werror -ffp-contract=off -fno-math-errno -D_DEFAULT_SOURCE
		-DNDL_HAVE_NEON -DNDL_HAVE_DOTPROD -I"$top_srcdir/lib" -I"$top_srcdir")
	local lib=$top_srcdir/lib made=$BATS_FILE_TMPDIR/aarch64
	if [ ! -d "$made" ]; then
		mkdir "$made"
		(cd "$made" &&
			"$CROSS" "${flags[@]}" -march=armv8.2-a+dotprod -c "$lib/kernels/int_dotprod.c" &&
			"$CROSS" "${flags[@]}" -c \
				"$lib"/kernels/{dispatch,cpu,half}.c "$lib"/kernels/{gemm,vector,weight,int}_{ref,neon}.c \
				"$lib"/tensor/{exec,gemm,linear,pool,integer}.c "$lib"/base/{error,mem,rng,utf8}.c)
	fi
	"$CROSS" "${flags[@]}" -static -o "$1" "$top_srcdir/tests/kernels/$1.c" "$made"/*.o -lm -lpthread
}

@test "aarch64: integer kernels with and without dotprod" {
	build check_integer
	run -0 "$qemu" -cpu max ./check_integer
	[[ "$output" == *"ok"*"integer kernels, neon (0 wrong)"*"integer kernels, neon-dotprod (0 wrong)"* ]]
}

@test "aarch64: vector kernels" {
	build check_vector
	run -0 "$qemu" -cpu cortex-a53 ./check_vector
	[[ "$output" == *"vector kernels, neon (0 wrong)"* ]]
}

@test "aarch64: products of floats, and with stored weights" {
	build check_gemm
	build check_linear
	run -0 "$qemu" -cpu cortex-a53 ./check_gemm
	[[ "$output" == *"gemm neon f32"*"gemm neon bf16"* ]]
	run -0 "$qemu" -cpu cortex-a53 ./check_linear
	[[ "$output" == *"linear neon i4 out-major"* ]]
}

@test "aarch64: a processor of the first generation chooses the kernels that it can run" {
	build check_integer
	run -0 "$qemu" -cpu cortex-a53 ./check_integer
	[[ "$output" == *"integer kernels, neon (0 wrong)"* ]]
	[[ "$output" != *"neon-dotprod"* ]]
}
