/* libarchive.c - pointers to the functions of libarchive that are used, filled in on demand. */
#define NDL_LIBARCHIVE_C
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "base/libarchive.h"

#ifndef NDL_LIBARCHIVE_SO

ndl_status ndl_libarchive_load(ndl_error *err)
{
	(void)err;
	return NDL_OK;
}

#else

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define NDL_DEFINE(f) __typeof__(&f) ndl_la_##f;
NDL_LIBARCHIVE(NDL_DEFINE)
#undef NDL_DEFINE

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *missing; /* what could not be had; NULL: nothing */

/* dlsym returns an object pointer, which ISO C does not convert to a function's. */
static void find(void *library, const char *name, void *function, size_t size)
{
	void *symbol = dlsym(library, name);
	if (!symbol && !missing)
		missing = name;
	memcpy(function, &symbol, size);
}

static void load(void)
{
	void *library = dlopen(NDL_LIBARCHIVE_SO, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		missing = NDL_LIBARCHIVE_SO;
		return;
	}
#define NDL_FIND(f) find(library, #f, &ndl_la_##f, sizeof ndl_la_##f);
	NDL_LIBARCHIVE(NDL_FIND)
#undef NDL_FIND
}

ndl_status ndl_libarchive_load(ndl_error *err)
{
	pthread_once(&once, load);
	return missing ? ndl_fail(err, NDL_EIO, "compressed files need libarchive: cannot load %s", missing) : NDL_OK;
}

#endif
