/* Foreign checkpoints: whatever the bytes are, they are refused with a reason, or give tensors that can
 * be read to the last value. The seeds are pickles of one array; tests/cli/quantize_import.bats runs whole
 * checkpoints through it:
 *
 *   fuzz_pickle --every FILE   FILE cut at every byte, and with a bit of every byte turned */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/read_ckpt.h"

#include "checkpoint/import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_import_info info;
	read_ckpt(ndl_import_memory(data, size, NULL, &info, &err), &err);
	return 0;
}

size_t fuzz_seed(size_t i, uint8_t *out)
{
#define DTYPE "cnumpy\ndtype\nX\2\0\0\0f4\x89\x88\x87R(K\3X\1\0\0\0>NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
#define KEYS "}X\6\0\0\0params}X\1\0\0\0a"
	static const char reconstruct[] = "\x80\3" KEYS "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"
		"C\1b\x87R(K\1K\2K\2\x86" DTYPE "\x88" "C\20abcdefghijklmnoptbss.";
	static const char frombuffer[] = "\x80\5\x95\x20\0\0\0\0\0\0\0" KEYS "\x8c\23numpy._core.numeric\x94\x8c\13_frombuffer"
		"\x93(\x96\10\0\0\0\0\0\0\0abcdefgh" DTYPE "K\1K\2\x86\x8c\1KK\1K\0\x86tR\x94ss.";
	static const char encoded[] = "\x80\2" KEYS "cnumpy.core.multiarray\nscalar\n" DTYPE "c_codecs\nencode\n"
		"X\5\0\0\0\xc3\xa9xyzX\6\0\0\0latin1\x86R\x86Rq\5ssX\6\0\0\0config}(X\1\0\0\0bh\5X\1\0\0\0cG?\xf8\0\0\0\0\0\0us.";
	static const char packed[] = /* gzip of an empty tree */
		"\037\213\010\000\000\000\000\000\002\003\153\140\256\215\140\143\140\140\050\110\054\112\314\055\256"
		"\055\326\003\000\013\062\066\334\021\000\000\000";
	static const struct { const char *data; size_t size; } seeds[] = {
		{reconstruct, sizeof reconstruct - 1}, {frombuffer, sizeof frombuffer - 1}, {encoded, sizeof encoded - 1},
		{packed, sizeof packed - 1},
	};
	if (i >= sizeof seeds / sizeof seeds[0])
		return 0;
	memcpy(out, seeds[i].data, seeds[i].size);
	ndl_ckpt *c = ndl_import_memory(out, seeds[i].size, NULL, NULL, NULL);
	if (!c)
		abort(); /* a seed that is refused as it is tests little */
	ndl_ckpt_close(c);
	return seeds[i].size;
}
