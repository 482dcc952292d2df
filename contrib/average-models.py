#!/usr/bin/env python3
"""average-models.py - a model whose weights are the mean of others': what models of one descent have in common generalises
better than any of them (Wortsman et al., "Model soups", 2022).

    average-models.py MODEL=WEIGHT... >out.safetensors

The models hold float32 tensors (needle-quantize --bits 32 makes them so) of the same names and shapes; the weights are
divided by their sum. Everything else (metadata, tokenizer) is the first model's. Needs NumPy.
"""
import json
import struct
import sys

import numpy as np


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    return bytearray(data), start, json.loads(data[8:start])


def tensor(model, name):
    data, start, header = model
    begin, end = header[name]["data_offsets"]
    return np.frombuffer(data, np.float32, (end - begin) // 4, start + begin)


def main():
    models, weights = [], []
    for arg in sys.argv[1:]:
        path, sep, weight = arg.rpartition("=")
        if not sep:
            raise SystemExit(f"average-models.py: {arg}: MODEL=WEIGHT was expected")
        models.append(read(path))
        weights.append(float(weight))
    if not models or sum(weights) <= 0:
        raise SystemExit(__doc__)
    data, start, header = models[0]
    for name, t in header.items():
        if name == "__metadata__" or t["dtype"] == "U8":
            continue
        shapes = [(m[2].get(name) or {}).get(key) for m in models for key in ("dtype", "shape")]
        if shapes != ["F32", t["shape"]] * len(models):
            raise SystemExit(f"average-models.py: {name}: all models must have it in float32 and of one shape")
        mean = sum(w / sum(weights) * tensor(m, name).astype(np.float64) for m, w in zip(models, weights))
        begin, end = t["data_offsets"]
        data[start + begin:start + end] = mean.astype(np.float32).tobytes()
    sys.stdout.buffer.write(data)


main()
