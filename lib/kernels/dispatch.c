/* dispatch.c - which variant runs where: read from top to bottom. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "kernels/kernels_internal.h"

#include <string.h>

static const char *const names[] = {"scalar", "neon", "avx2", "avx512", "avx512bf16", "amx"};

const char *ndl_isa_name(ndl_isa isa)
{
	return names[isa];
}

static int level_of(const char *cpu)
{
	if (!cpu || !*cpu)
		return NDL_ISA_AMX;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(cpu, names[i]))
			return (int)i;
	return -1;
}

ndl_status ndl_kernels_init(ndl_kernels *k, const char *cpu, ndl_error *err)
{
	int mask = level_of(cpu);
	if (mask < 0)
		return ndl_fail(err, NDL_EINVAL, "unknown processor level '%.40s' (scalar, neon, avx2, avx512, avx512bf16 or amx)", cpu);
	ndl_isa have = ndl_cpu_detect();
	ndl_isa use = (int)have < mask ? have : (ndl_isa)mask;
	(void)use;
	ndl_kernels_fill_ref(k);
	ndl_vectors_fill_ref(k);
	ndl_weights_fill_ref(k);
#ifdef NDL_HAVE_AVX2
	if (use >= NDL_ISA_AVX2)
		ndl_kernels_fill_avx2(k), ndl_vectors_fill_avx2(k), ndl_weights_fill_avx2(k);
#endif
#ifdef NDL_HAVE_AVX512
	if (use >= NDL_ISA_AVX512)
		ndl_kernels_fill_avx512(k), ndl_vectors_fill_avx512(k), ndl_weights_fill_avx512(k);
#endif
#ifdef NDL_HAVE_AVX512BF16
	if (use >= NDL_ISA_AVX512BF16)
		ndl_kernels_fill_avx512bf16(k);
#endif
#ifdef NDL_HAVE_AMX
	if (use >= NDL_ISA_AMX && ndl_cpu_enable_tiles())
		ndl_kernels_fill_amx(k);
#endif
	return NDL_OK;
}
