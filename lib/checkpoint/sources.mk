# lib/checkpoint: model files (safetensors), the network's configuration, views of parameters
libneedle_a_SOURCES += \
	lib/checkpoint/checkpoint.h lib/checkpoint/half.h lib/checkpoint/half.c
