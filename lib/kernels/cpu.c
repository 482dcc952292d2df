/* cpu.c - what this processor and operating system can do. */
#include "kernels/kernels_internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

static uint64_t xcr0(void)
{
	uint32_t a, d;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (uint64_t)d << 32 | a;
}

#define BIT(word, n) ((word) >> (n) & 1)

ndl_isa ndl_cpu_detect(void)
{
	unsigned a, b, c, d, b7, c7, d7, a71 = 0;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !BIT(c, 27) || !BIT(c, 28))
		return NDL_ISA_SCALAR;
	uint64_t state = xcr0();
	bool fma = BIT(c, 12), f16c = BIT(c, 29);
	if ((state & 0x6) != 0x6 || !fma || !f16c || !__get_cpuid_count(7, 0, &a, &b7, &c7, &d7) || !BIT(b7, 5))
		return NDL_ISA_SCALAR;
	if (a >= 1)
		__get_cpuid_count(7, 1, &a71, &b, &c, &d);
	if ((state & 0xe6) != 0xe6 || !BIT(b7, 16) || !BIT(b7, 17) || !BIT(b7, 30) || !BIT(b7, 31))
		return NDL_ISA_AVX2;
	if (!BIT(a71, 5))
		return NDL_ISA_AVX512;
	bool amx = BIT(d7, 22) && BIT(d7, 24) && (state & 0x60000) == 0x60000;
	return amx ? NDL_ISA_AMX : NDL_ISA_AVX512BF16;
}

bool ndl_cpu_fast_bf16_dot(void)
{
	unsigned a, b = 0, c = 0, d = 0;
	return __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx && c == signature_AMD_ecx && d == signature_AMD_edx;
}

unsigned ndl_cpu_features(void)
{
	unsigned a, b, c, d, a71 = 0;
	ndl_isa level = ndl_cpu_detect();
	if (level < NDL_ISA_AVX2 || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return 0;
	if (a >= 1)
		__get_cpuid_count(7, 1, &a71, &b, &d, &d);
	return (BIT(a71, 4) ? NDL_CPU_AVXVNNI : 0) | (level >= NDL_ISA_AVX512 && BIT(c, 11) ? NDL_CPU_AVX512VNNI : 0);
}
#elif defined(__aarch64__)
#include <sys/auxv.h>

ndl_isa ndl_cpu_detect(void)
{
	return NDL_ISA_NEON;
}

/* Bit 20 of Linux' hardware capabilities is ASIMDDP. */
unsigned ndl_cpu_features(void)
{
	return getauxval(AT_HWCAP) >> 20 & 1 ? NDL_CPU_DOTPROD : 0;
}
#else
ndl_isa ndl_cpu_detect(void)
{
	return NDL_ISA_SCALAR;
}

unsigned ndl_cpu_features(void)
{
	return 0;
}
#endif

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>

/* Linux gives tile state only to processes that ask (Documentation/x86/xstate.rst): 0x1023 is
 * ARCH_REQ_XCOMP_PERM, 18 the number of the tile data component. Asking twice is harmless. */
bool ndl_cpu_enable_tiles(void)
{
	return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}
#else
bool ndl_cpu_enable_tiles(void)
{
	return false;
}
#endif
