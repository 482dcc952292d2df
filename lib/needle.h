/* needle.h - umbrella header of libneedle: one include for embedders.
 *
 *   cc example.c $(pkg-config --cflags --libs needle)
 *
 * Installed together with the headers that it includes; contrib/examples/ has programs to
 * begin with. What the library promises: it never prints, exits or reads options; every error
 * fills the caller's ndl_error; opened things are immutable and may be shared between threads,
 * things that compute belong to one thread at a time. */
#ifndef NEEDLE_H
#define NEEDLE_H

#define NDL_VERSION_MAJOR 0
#define NDL_VERSION_MINOR 1
#define NDL_VERSION_PATCH 0
#define NDL_VERSION "0.1.0"

#include "base/buf.h"
#include "base/day.h"
#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/import.h"
#include "data/dataset.h"
#include "data/prompt.h"
#include "eval/eval.h"
#include "grammar/grammar.h"
#include "json/json.h"
#include "model/model.h"
#include "quant/convert.h"
#include "quant/quant.h"
#include "retrieve/retrieve.h"
#include "session/chat.h"
#include "session/session.h"
#include "synth/synth.h"
#include "tensor/exec.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/train.h"
#include "tools/tools.h"
#include "train/run.h"

#endif
