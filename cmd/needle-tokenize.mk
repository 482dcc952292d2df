# needle-tokenize
