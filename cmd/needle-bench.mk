# needle-bench
