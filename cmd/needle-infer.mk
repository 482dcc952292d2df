# needle-infer
