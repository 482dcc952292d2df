/* npy.h - NumPy array files (format version 1.0), float32, written whole or not at all. */
#ifndef NDL_CMD_NPY_H
#define NDL_CMD_NPY_H

#include "base/error.h"

#include <stddef.h>

/* data[rows][cols], row-major, of a model: what is not finite is refused as everywhere (NDL_EFORMAT). */
ndl_status npy_write(const char *path, const float *data, size_t rows, size_t cols, ndl_error *err);

#endif
