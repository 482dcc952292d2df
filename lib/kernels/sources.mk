# lib/kernels: the table of inner loops, one file an instruction set with its own flags
libneedle_a_SOURCES += \
	lib/kernels/kernels.h lib/kernels/kernels_internal.h lib/kernels/gemm_pack.inc lib/kernels/gemm_body.inc \
	lib/kernels/transpose_avx512.h lib/kernels/registers_avx2.h lib/kernels/registers_avx512.h lib/kernels/registers_neon.h \
	lib/kernels/pack_avx512bf16.h \
	lib/kernels/vector_body.inc lib/kernels/weight_body.inc \
	lib/kernels/cpu.c lib/kernels/dispatch.c lib/kernels/half.c lib/kernels/gemm_ref.c \
	lib/kernels/vector_ref.c lib/kernels/weight_ref.c lib/kernels/int_ref.c \
	lib/kernels/int_body.inc lib/kernels/int_round.inc lib/kernels/int_pack.inc lib/kernels/int_tile.inc \
	lib/kernels/int_gemv.inc lib/kernels/int_four.inc lib/kernels/int_avx2.inc lib/kernels/int_neon.inc

if HAVE_AVX2
EXTRA_LIBRARIES += libkernels_avx2.a
libkernels_avx2_a_SOURCES = lib/kernels/gemm_avx2.c lib/kernels/vector_avx2.c lib/kernels/weight_avx2.c \
	lib/kernels/int_avx2.c
libkernels_avx2_a_CFLAGS = $(BASE_CFLAGS) -mavx2 -mfma -mf16c
libneedle_a_LIBADD += $(libkernels_avx2_a_OBJECTS)
endif

if HAVE_AVX512
EXTRA_LIBRARIES += libkernels_avx512.a
libkernels_avx512_a_SOURCES = lib/kernels/gemm_avx512.c lib/kernels/vector_avx512.c lib/kernels/weight_avx512.c
libkernels_avx512_a_CFLAGS = $(BASE_CFLAGS) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c
libneedle_a_LIBADD += $(libkernels_avx512_a_OBJECTS)
endif

if HAVE_AVX512BF16
EXTRA_LIBRARIES += libkernels_avx512bf16.a
libkernels_avx512bf16_a_SOURCES = lib/kernels/gemm_avx512bf16.c
libkernels_avx512bf16_a_CFLAGS = $(BASE_CFLAGS) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c \
	-mavx512bf16
libneedle_a_LIBADD += $(libkernels_avx512bf16_a_OBJECTS)
endif

if HAVE_AVXVNNI
EXTRA_LIBRARIES += libkernels_avxvnni.a
libkernels_avxvnni_a_SOURCES = lib/kernels/int_avxvnni.c
libkernels_avxvnni_a_CFLAGS = $(BASE_CFLAGS) -mavx2 -mfma -mf16c -mavxvnni
libneedle_a_LIBADD += $(libkernels_avxvnni_a_OBJECTS)
endif

if HAVE_AVX512VNNI
EXTRA_LIBRARIES += libkernels_avx512vnni.a
libkernels_avx512vnni_a_SOURCES = lib/kernels/int_avx512.c
libkernels_avx512vnni_a_CFLAGS = $(BASE_CFLAGS) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mfma -mf16c
libneedle_a_LIBADD += $(libkernels_avx512vnni_a_OBJECTS)
endif

if HAVE_NEON
libneedle_a_SOURCES += lib/kernels/gemm_neon.c lib/kernels/vector_neon.c lib/kernels/weight_neon.c lib/kernels/int_neon.c
endif

if HAVE_DOTPROD
EXTRA_LIBRARIES += libkernels_dotprod.a
libkernels_dotprod_a_SOURCES = lib/kernels/int_dotprod.c
libkernels_dotprod_a_CFLAGS = $(BASE_CFLAGS) -march=armv8.2-a+dotprod
libneedle_a_LIBADD += $(libkernels_dotprod_a_OBJECTS)
endif

if HAVE_AMX
EXTRA_LIBRARIES += libkernels_amx.a
libkernels_amx_a_SOURCES = lib/kernels/gemm_amx.c
libkernels_amx_a_CFLAGS = $(BASE_CFLAGS) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c \
	-mavx512bf16 -mamx-tile -mamx-bf16
libneedle_a_LIBADD += $(libkernels_amx_a_OBJECTS)
endif

check_PROGRAMS += tests/kernels/check_vector
tests_kernels_check_vector_SOURCES = tests/kernels/check_vector.c tests/kernels/check.h tests/tap.h
check_PROGRAMS += tests/kernels/check_integer
tests_kernels_check_integer_SOURCES = tests/kernels/check_integer.c tests/kernels/check.h tests/tap.h
