/* names.h - private to this room: constants of the safetensors format and names we reserve. */
#ifndef NDL_CHECKPOINT_NAMES_H
#define NDL_CHECKPOINT_NAMES_H

#include <stdbool.h>

enum {
	NDL_ST_PREFIX = 8,              /* bytes of the header's length */
	NDL_ST_HEADER_MAX = 100000000,  /* as the format's own library */
	NDL_ST_META_MAX = 4096,         /* keys of metadata: they are looked through one by one */
	NDL_ST_ALIGN = 64,              /* what our writer aligns each tensor to */
};

#define NDL_ST_PADDING "padding."

/* Metadata of our own files. */
#define NDL_FORMAT "needle"
#define NDL_FORMAT_VERSION "1"

/* "padding.N", a tensor that fills a gap. */
bool ndl_ckpt_is_padding(const char *name);

#endif
