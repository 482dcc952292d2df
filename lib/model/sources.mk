# lib/model: sources and unit tests of this room
