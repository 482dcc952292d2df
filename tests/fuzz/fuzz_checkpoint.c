/* Model files: whatever the bytes are, they are refused or can be read to the last value. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/read_ckpt.h"

#include "quant/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ndl_error err = NDL_ERROR_INIT;
	read_ckpt(ndl_ckpt_open_memory(data, size, "", &err), &err);
	return 0;
}

/* The golden parameters as a model file in this many bits. */
static size_t model_seed(int bits, uint8_t *out)
{
	char path[] = "/tmp/needle-seed-XXXXXX";
	size_t n = 0;
	ndl_config config;
	ndl_convert_options o = {.bits = bits, .embedding_bits = bits, .vector_bits = 32, .group = 32, .embedding_group = 32,
	                         .threads = 1};
	ndl_ckpt *c = ndl_ckpt_open_prefix(NDL_SRCDIR "/testdata/golden/tiny.safetensors", "p/", NULL);
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(NULL);
	ndl_conversion *v = NULL;
	int fd = mkstemp(path);
	if (fd >= 0 && c && w && ndl_config_from_ckpt(&config, c, NULL) == NDL_OK)
		v = ndl_convert(c, &config, &o, NULL);
	if (v && ndl_config_to_writer(&config, w, NULL) == NDL_OK && ndl_conversion_write(v, w, NULL) == NDL_OK &&
	    ndl_ckpt_writer_finish(w, path, NULL) == NDL_OK) {
		FILE *f = fopen(path, "rb");
		n = f ? fread(out, 1, FUZZ_SEED_MAX, f) : 0;
		if (f)
			fclose(f);
	}
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	ndl_conversion_free(v);
	ndl_ckpt_writer_free(w);
	ndl_ckpt_close(c);
	return n;
}

size_t fuzz_seed(size_t i, uint8_t *out)
{
	static const char small[] = "{\"__metadata__\":{\"a\":\"b\"},\"x\":{\"dtype\":\"U8\",\"shape\":[2,1],\"data_offsets\":[0,2]},"
	                            "\"y\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[2,4]}}";
	static const int bits[] = {4, 8, 32};
	if (i < 3)
		return model_seed(bits[i], out);
	if (i > 3)
		return 0;
	memset(out, 0, 8);
	out[0] = (uint8_t)(sizeof small - 1);
	memcpy(out + 8, small, sizeof small - 1);
	memcpy(out + 8 + sizeof small - 1, "wxyz", 4);
	return 8 + sizeof small - 1 + 4;
}
