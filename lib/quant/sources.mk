# lib/quant: sources and unit tests of this room
