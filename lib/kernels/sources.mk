# lib/kernels: sources and unit tests of this room
