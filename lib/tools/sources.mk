# lib/tools: sources and unit tests of this room
