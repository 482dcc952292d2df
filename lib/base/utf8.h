/* utf8.h - strict UTF-8 (RFC 3629: no overlongs, no surrogates, nothing above U+10FFFF). */
#ifndef NDL_BASE_UTF8_H
#define NDL_BASE_UTF8_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Length 1..4 of the valid character at s (len bytes available) and its code point in *cp
 * (cp may be NULL); 0 if the bytes there are not a complete valid character. */
size_t ndl_utf8_decode(const char *s, size_t len, uint32_t *cp);
/* Writes cp (a valid scalar value) to out[4]; returns the length. */
size_t ndl_utf8_encode(uint32_t cp, char out[4]);
/* Offset of the first invalid byte, or len if all is valid. */
size_t ndl_utf8_check(const char *s, size_t len);
/* NDL_EINVAL, with the place, if not all is valid. */
ndl_status ndl_utf8_require(const char *s, size_t len, ndl_error *err);
/* The length of the character at s, 0 if it is none or a control (C0, DEL or C1, by which terminals are steered). */
size_t ndl_utf8_shown(const char *s, size_t len);
/* The ASCII quote that does for the character at s: " for ` \u201c \u201d \u201e and guillemets, ' for \u2018 and \u2019; 0 for any
 * other. *n: how long the character is, 1 if there is none. */
char ndl_utf8_plain_quote(const char *s, size_t len, size_t *n);
/* Number of characters in valid UTF-8. */
size_t ndl_utf8_count(const char *s, size_t len);

#endif
