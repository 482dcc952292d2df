#!/usr/bin/env python3
"""needle_bench.py - a training step of this trainer on the batch that needle-bench --train runs: 32 examples of 190
tokens of prompt and 45 of answer, random ids; loss, gradients and optimiser. contrib/bench-train.sh holds
the two against each other.

    needle_bench.py MODEL THREADS SECONDS

Prints a line of JSON: tokens a second of the best of at least three steps, and the most memory it held in MiB.
"""
import json
import resource
import sys
import time

import numpy as np
import torch

import needle_data as data
import needle_train as trainer

EXAMPLES, ENC_LEN, DEC_LEN = 32, 190, 45


def batch(vocab):
    rng = np.random.default_rng(1)
    enc, dec = rng.integers(1, vocab, (EXAMPLES, ENC_LEN)), rng.integers(1, vocab, (EXAMPLES, DEC_LEN))
    cls = np.zeros((EXAMPLES, DEC_LEN), np.uint8)
    return data.parts({"enc": list(enc), "dec_in": list(dec), "dec_out": list(dec), "cls": list(cls), "query": [], "tool": []}, 0)


def reference_blas():
    """Whether PyTorch multiplies with Debian's reference BLAS, which is slower many times and no measure."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return any("/blas/libblas.so" in line for line in maps)


def main():
    if reference_blas():
        sys.exit("needle_bench.py: PyTorch uses the reference BLAS: install OpenBLAS (Debian: libopenblas0-pthread)")
    model, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    sys.argv[1:] = ["-", "-m", model, "-o", "unused", "--steps", "1", "--device", "cpu"]
    torch.set_num_threads(threads)
    t = trainer.Trainer(trainer.options())
    b = batch(t.model.vocab)

    def step():
        for p in t.model.params.values():
            p.grad = None
        t.gradient(b, 1.0, False, False, t.fresh_sums())
        t.opt.step(1e-6)

    step()  # memory is taken in the first
    times, end = [], time.monotonic() + seconds
    while len(times) < 3 or time.monotonic() < end:
        since = time.monotonic()
        step()
        times.append(time.monotonic() - since)
    print(json.dumps({"tokens_per_s": b["all_tokens"] / min(times), "step_ms": 1e3 * min(times),
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
