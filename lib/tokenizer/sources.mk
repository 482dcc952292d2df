# lib/tokenizer: SentencePiece BPE: reading a vocabulary, encoding, decoding, training
libneedle_a_SOURCES += \
	lib/tokenizer/tokenizer.h lib/tokenizer/tok_internal.h \
	lib/tokenizer/proto.h lib/tokenizer/proto.c \
	lib/tokenizer/model.c \
	lib/tokenizer/tables.c lib/tokenizer/pairs.c \
	lib/tokenizer/normalize.c \
	lib/tokenizer/encode.c \
	lib/tokenizer/decode.c \
	lib/tokenizer/train.h lib/tokenizer/train.c \
	lib/tokenizer/bpe.h lib/tokenizer/bpe.c \
	lib/tokenizer/write.h lib/tokenizer/write.c lib/tokenizer/vocab_text.c \
	lib/tokenizer/script.h lib/tokenizer/script.c

check_PROGRAMS += tests/unit/test_tokenizer
tests_unit_test_tokenizer_SOURCES = tests/unit/test_tokenizer.c tests/tap.h
