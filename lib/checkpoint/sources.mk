# lib/checkpoint: sources and unit tests of this room
