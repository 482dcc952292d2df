# lib/session: sources and unit tests of this room
