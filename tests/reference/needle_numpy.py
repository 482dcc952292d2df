#!/usr/bin/env python3
"""The network in NumPy float64, slow and plain: written from the description of the network alone,
to check the C program against. Not installed; nothing but the tests needs it.

usage: needle_numpy.py states MODEL IDS             IDS: "4 8 15", spaces or commas
       needle_numpy.py logits MODEL IDS STEPS       unconstrained greedy decoding
       needle_numpy.py embed MODEL IDS
       needle_numpy.py compare A.npy B.npy BOUND    exit 1 if |a - b| / (1 + |b|) exceeds BOUND
Results go to stdout as .npy.
"""
import json
import struct
import sys

import numpy as np

DTYPES = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "U8": np.uint8}


def load(path):
    """Tensors as float64, and the metadata, of a safetensors file."""
    with open(path, "rb") as f:
        data = f.read()
    (n,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + n])
    meta = header.pop("__metadata__", {})
    tensors = {}
    for name, t in header.items():
        a, b = t["data_offsets"]
        if t["dtype"] in DTYPES:
            flat = np.frombuffer(data[8 + n + a : 8 + n + b], dtype=DTYPES[t["dtype"]])
            tensors[name] = flat.reshape(t["shape"]).astype(np.float64)
    return tensors, meta


def norm(x, scale):
    return (1 + scale) * x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-6)


def rope(x, theta):
    """x: [heads, positions, hd]; the first half of a head rotates with the second."""
    hd = x.shape[-1]
    freq = theta ** (-2.0 * np.arange(hd // 2) / hd)
    angle = np.arange(x.shape[1])[:, None] * freq
    cos, sin = np.cos(angle), np.sin(angle)
    a, b = x[..., : hd // 2], x[..., hd // 2 :]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Needle:
    def __init__(self, tensors, meta):
        self.p, self.meta = tensors, meta
        self.E = self.p["embedding/embedding"]
        self.d = self.E.shape[1]
        self.heads = int(self.meta["num_heads"])
        self.kv_heads = int(self.meta["num_kv_heads"])
        self.hd = self.d // self.heads
        self.theta = float(self.meta.get("rope_theta", 10000))

    def split(self, x, heads):
        return x.reshape(x.shape[0], heads, self.hd).transpose(1, 0, 2)

    def attention(self, where, layer, x, source, causal=False, positions=False):
        def w(name):
            return self.p[f"{where}/{name}"][layer]

        q = norm(self.split(x @ w("q_proj/kernel"), self.heads), w("q_norm/scale"))
        k = norm(self.split(source @ w("k_proj/kernel"), self.kv_heads), w("k_norm/scale"))
        v = self.split(source @ w("v_proj/kernel"), self.kv_heads)
        if positions:
            q, k = rope(q, self.theta), rope(k, self.theta)
        group = self.heads // self.kv_heads
        k, v = np.repeat(k, group, axis=0), np.repeat(v, group, axis=0)
        s = q @ k.transpose(0, 2, 1) / np.sqrt(self.hd)
        if causal:
            s = np.where(np.tril(np.ones(s.shape[1:], bool)), s, -np.inf)
        out = (softmax(s) @ v).transpose(1, 0, 2).reshape(x.shape[0], self.d)
        return out @ w("out_proj/kernel")

    def embed_tokens(self, ids):
        return self.E[ids] * np.sqrt(self.d)

    def encode(self, ids):
        b = "encoder/layers/EncoderBlock_0"
        x = self.embed_tokens(ids)
        for i, gate in enumerate(self.p[f"{b}/attn_gate"]):
            h = norm(x, self.p[f"{b}/ZCRMSNorm_0/scale"][i])
            x = x + sigmoid(gate) * self.attention(f"{b}/self_attn", i, h, h, positions=True)
        return norm(x, self.p["encoder/final_norm/scale"])

    def decode(self, ids, states):
        b = "decoder/layers/DecoderBlock_0"
        x = self.embed_tokens(ids)
        for i, gate in enumerate(self.p[f"{b}/self_attn_gate"]):
            h = norm(x, self.p[f"{b}/ZCRMSNorm_0/scale"][i])
            x = x + sigmoid(gate) * self.attention(f"{b}/self_attn", i, h, h, causal=True, positions=True)
            h = norm(x, self.p[f"{b}/ZCRMSNorm_1/scale"][i])
            cross = self.p[f"{b}/cross_attn_gate"][i]
            x = x + sigmoid(cross) * self.attention(f"{b}/cross_attn", i, h, states)
        return norm(x, self.p["decoder/ZCRMSNorm_0/scale"]) @ self.E.T

    def greedy(self, ids, steps):
        states, tokens, rows = self.encode(ids), [1], []
        while len(rows) < steps:
            rows.append(self.decode(tokens, states)[-1])
            tokens.append(int(np.argmax(rows[-1])))
            if tokens[-1] == 1:
                break
        return np.array(rows)

    def embedding(self, ids):
        h = self.encode(ids).mean(axis=0)
        h = np.maximum(h @ self.p["contrastive_hidden/kernel"] + self.p["contrastive_hidden/bias"], 0)
        h = h @ self.p["contrastive_proj/kernel"]
        return (h / np.sqrt((h * h).sum() + 1e-12))[None]


def compare(a, b, bound):
    a, b = np.load(a).astype(np.float64), np.load(b).astype(np.float64)
    if a.shape != b.shape:
        sys.exit(f"shapes differ: {a.shape} and {b.shape}")
    worst = np.max(np.abs(a - b) / (1 + np.abs(b)))
    print(f"{a.shape}: worst relative difference {worst:.3g}")
    sys.exit(not worst <= float(bound))


def main():
    command = sys.argv[1]
    if command == "compare":
        compare(*sys.argv[2:5])
    model = Needle(*load(sys.argv[2]))
    ids = [int(t) for t in sys.argv[3].replace(",", " ").split()]
    if command == "states":
        result = model.encode(ids)
    elif command == "logits":
        result = model.greedy(ids, int(sys.argv[4]))
    else:
        result = model.embedding(ids)
    np.save(sys.stdout.buffer, result.astype(np.float32))


if __name__ == "__main__":
    main()
