/* ascii.h - letters without their case; bytes beyond ASCII stay as they are. */
#ifndef NDL_BASE_ASCII_H
#define NDL_BASE_ASCII_H

/* ASCII upper case to lower case. */
static inline unsigned char ndl_fold(unsigned char b)
{
	return b >= 'A' && b <= 'Z' ? (unsigned char)(b - 'A' + 'a') : b;
}

#endif
