# lib/tokenizer: sources and unit tests of this room
