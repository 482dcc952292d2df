# needle-eval
