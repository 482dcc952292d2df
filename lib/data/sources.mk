# lib/data: sources and unit tests of this room
