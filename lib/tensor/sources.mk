# lib/tensor: sources and unit tests of this room
