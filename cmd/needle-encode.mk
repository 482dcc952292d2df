# needle-encode
