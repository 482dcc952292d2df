# lib/synth: sources and unit tests of this room
