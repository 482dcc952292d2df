# lib/data: sources and unit tests of this room
# prompt: texts to token sequences, shared by training and inference
libneedle_a_SOURCES += lib/data/prompt.h lib/data/prompt.c
