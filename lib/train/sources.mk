# lib/train: sources and unit tests of this room
