# lib/eval: sources and unit tests of this room
