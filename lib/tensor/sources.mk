# lib/tensor: threads, scratch memory and dense products
libneedle_a_SOURCES += \
	lib/tensor/exec.h lib/tensor/exec_internal.h lib/tensor/exec.c lib/tensor/pool_internal.h lib/tensor/pool.c \
	lib/tensor/weight_internal.h lib/tensor/gemm.h lib/tensor/gemm.c lib/tensor/linear.c \
	lib/tensor/integer.h lib/tensor/integer.c

check_PROGRAMS += tests/kernels/check_gemm
tests_kernels_check_gemm_SOURCES = tests/kernels/check_gemm.c tests/kernels/check.h tests/tap.h
check_PROGRAMS += tests/kernels/check_linear
tests_kernels_check_linear_SOURCES = tests/kernels/check_linear.c tests/kernels/check.h tests/tap.h
check_PROGRAMS += tests/unit/test_tensor_exec
tests_unit_test_tensor_exec_SOURCES = tests/unit/test_tensor_exec.c tests/tap.h
