# lib/grammar: sources and unit tests of this room
