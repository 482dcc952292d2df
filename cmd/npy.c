#include "cmd/npy.h"

#include "base/outfile.h"
#include "model/model.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static void put_f32(FILE *f, float x)
{
	uint32_t u;
	memcpy(&u, &x, sizeof u);
	unsigned char b[4] = {u & 0xff, u >> 8 & 0xff, u >> 16 & 0xff, u >> 24};
	fwrite(b, 1, 4, f);
}

ndl_status npy_write(const char *path, const float *data, size_t rows, size_t cols, ndl_error *err)
{
	ndl_outfile o = {0};
	char header[129]; /* 10 bytes of prologue and this make a multiple of 64 */
	for (size_t i = 0; i < rows * cols; i++)
		if (!isfinite(data[i]))
			return ndl_fail_not_numbers(err);
	ndl_status rc = ndl_outfile_open(&o, path, err);
	if (rc != NDL_OK)
		return rc;
	int n = snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", rows, cols);
	memset(header + n, ' ', sizeof header - (size_t)n);
	header[117] = '\n';
	fwrite("\x93NUMPY\1\0\x76\0", 1, 10, o.f);
	fwrite(header, 1, 118, o.f);
	for (size_t i = 0; i < rows * cols; i++)
		put_f32(o.f, data[i]);
	return ndl_outfile_commit(&o, err); /* looks at the stream's error flag */
}
