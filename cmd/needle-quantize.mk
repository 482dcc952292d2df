# needle-quantize
