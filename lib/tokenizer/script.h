/* script.h - Unicode scripts, for keeping pieces within one. Private to this room. */
#ifndef NDL_TOKENIZER_SCRIPT_H
#define NDL_TOKENIZER_SCRIPT_H

#include <stdint.h>

enum { SCRIPT_COMMON = 0, SCRIPT_INHERITED = 1, SCRIPT_LATIN = 2, SCRIPT_HAN = 3 };

/* A small number for each script; Hiragana and Katakana are SCRIPT_HAN. */
int script_of(uint32_t cp);

#endif
