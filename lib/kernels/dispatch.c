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

#define NODOT ",nodot"

/* The level that the first len bytes of cpu name; -1 for none. */
static int level_of(const char *cpu, size_t len)
{
	if (len == 0)
		return NDL_ISA_AMX;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && !strncmp(cpu, names[i], len))
			return (int)i;
	return -1;
}

/* Integer products: the last line that applies. */
static void fill_integer(ndl_kernels *k, ndl_isa use, unsigned features)
{
	(void)use, (void)features;
	ndl_integer_fill_ref(k);
#ifdef NDL_HAVE_NEON
	if (use == NDL_ISA_NEON)
		ndl_integer_fill_neon(k);
#endif
#ifdef NDL_HAVE_DOTPROD
	if (use == NDL_ISA_NEON && features & NDL_CPU_DOTPROD)
		ndl_integer_fill_dotprod(k);
#endif
#ifdef NDL_HAVE_AVX2
	if (use >= NDL_ISA_AVX2)
		ndl_integer_fill_avx2(k);
#endif
#ifdef NDL_HAVE_AVXVNNI
	if (use >= NDL_ISA_AVX2 && features & NDL_CPU_AVXVNNI)
		ndl_integer_fill_avxvnni(k);
#endif
#ifdef NDL_HAVE_AVX512VNNI
	if (use >= NDL_ISA_AVX512 && features & NDL_CPU_AVX512VNNI)
		ndl_integer_fill_avx512(k);
#endif
}

ndl_status ndl_kernels_init(ndl_kernels *k, const char *cpu, ndl_error *err)
{
	const char *comma = cpu ? strchr(cpu, ',') : NULL;
	int mask = level_of(cpu, comma ? (size_t)(comma - cpu) : cpu ? strlen(cpu) : 0);
	if (mask < 0 || (comma && strcmp(comma, NODOT)))
		return ndl_fail(err, NDL_EINVAL,
		                "unknown processor level '%.40s' (scalar, neon, avx2, avx512, avx512bf16 or amx, and " NODOT " after it)", cpu);
	ndl_isa have = ndl_cpu_detect();
	ndl_isa use = (int)have < mask ? have : (ndl_isa)mask;
	(void)use;
	ndl_kernels_fill_ref(k);
	ndl_vectors_fill_ref(k);
	ndl_weights_fill_ref(k);
	fill_integer(k, use, comma ? 0 : ndl_cpu_features());
#ifdef NDL_HAVE_NEON
	if (use == NDL_ISA_NEON)
		ndl_kernels_fill_neon(k), ndl_vectors_fill_neon(k), ndl_weights_fill_neon(k);
#endif
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
