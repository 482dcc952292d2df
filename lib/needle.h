/* needle.h - umbrella header of libneedle: one include for embedders. */
#ifndef NEEDLE_H
#define NEEDLE_H

#define NDL_VERSION_MAJOR 0
#define NDL_VERSION_MINOR 1
#define NDL_VERSION_PATCH 0
#define NDL_VERSION "0.1.0"

#include "base/error.h"

#endif
