"""needle_model.py - the network of SPEC sections 2 and 8 in PyTorch: model files in and out, forward
pass, loss. Parameters are a dictionary with the names and shapes of the model file: layers stacked on
axis 0, kernels [in, out]. Tensors: B sequences of T tokens, padded with 0; D = d_model, H heads.
"""
import json
import math
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F

EMBEDDING = "embedding/embedding"
ENC, DEC = "encoder/layers/EncoderBlock_0/", "decoder/layers/DecoderBlock_0/"
CLASS_WEIGHTS = (1.0, 2.0, 4.0, 1.5)  # structure, name, value, key
TOKENIZER = "tokenizer.model"
DTYPES = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "U8": np.uint8}


# Model files ---------------------------------------------------------------------------------

def read_file(path):
    """The tensors of a safetensors file as numpy arrays, and its metadata."""
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    meta, tensors = header.pop("__metadata__", {}), {}
    for name, t in header.items():
        begin, end = (8 + size + o for o in t["data_offsets"])
        if name.startswith("padding."):
            continue
        if t["dtype"] == "BF16":
            a = (np.frombuffer(data[begin:end], np.uint16).astype(np.uint32) << 16).view(np.float32)
        elif t["dtype"] in DTYPES:
            a = np.frombuffer(data[begin:end], DTYPES[t["dtype"]])
        else:
            raise SystemExit(f"{path}: {name} is {t['dtype']}: make it floats with needle-quantize --bits 32")
        tensors[name] = a.reshape(t["shape"])
    return tensors, meta


def write_file(path, tensors, meta):
    """Writes a safetensors file: complete, or the old one stays."""
    header, offset = {"__metadata__": meta}, 0
    for name, a in tensors.items():
        header[name] = {"dtype": "U8" if a.dtype == np.uint8 else "F32", "shape": list(a.shape),
                        "data_offsets": [offset, offset + a.nbytes]}
        offset += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".tmp", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for a in tensors.values():
            f.write(np.ascontiguousarray(a).tobytes())
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".tmp", path)


class Model:
    """Parameters (a dict of leaf tensors), configuration, and what else the file holds."""

    def __init__(self, path, device="cpu"):
        tensors, self.meta = read_file(path)
        self.vocab_bytes = tensors.pop(TOKENIZER, None)
        if any(a.dtype == np.uint8 for a in tensors.values()):
            raise SystemExit(f"{path}: the weights are quantised: make them floats with needle-quantize --bits 32")
        self.params = {k: torch.tensor(a, dtype=torch.float32, device=device, requires_grad=True)
                       for k, a in tensors.items()}
        q_norm, k = self.params[ENC + "self_attn/q_norm/scale"], self.params[ENC + "self_attn/k_proj/kernel"]
        self.vocab, self.d = self.params[EMBEDDING].shape
        self.enc_layers, self.hd = q_norm.shape
        self.dec_layers = self.params[DEC + "self_attn_gate"].shape[0]
        self.heads, self.kv_heads = self.d // self.hd, k.shape[2] // self.hd
        self.theta = float(self.meta.get("rope_theta", 10000))

    def write(self, path, params=None, **meta):
        params = self.params if params is None else params
        tensors = {k: v.detach().float().cpu().numpy() for k, v in params.items()}
        if self.vocab_bytes is not None:
            tensors[TOKENIZER] = self.vocab_bytes
        drop = ("quantization", "group", "confidence")  # the last was fitted to the answers of other weights
        kept = {k: v for k, v in self.meta.items() if k not in drop and not k.startswith("training.")}
        write_file(path, tensors, kept | meta)


def is_kernel(name):
    return name.endswith("/kernel")


def fake_quant(w, group):
    """Kernels through INT4: symmetric, groups of so many inputs, straight-through gradient."""
    rows = w.shape[-2]
    while group > 32 and rows % group:  # as files have it
        group //= 2
    padded = F.pad(w, (0, 0, 0, -rows % group))
    g = padded.reshape(*w.shape[:-2], -1, group, w.shape[-1])
    scale = g.abs().amax(-2, keepdim=True) / 7
    code = torch.clamp(torch.round(g / torch.where(scale > 0, scale, torch.ones_like(scale))), -8, 7)
    q = (code * scale).reshape(padded.shape)[..., :rows, :]
    return w + (q - w).detach()


# Forward pass --------------------------------------------------------------------------------

def norm(x, scale):
    """ZCRMSNorm over the last axis, in float32 whatever autocast says."""
    with torch.autocast(x.device.type, enabled=False):
        x = x.float()
        return (1 + scale) * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


def rope_table(length, hd, theta, device):
    freq = theta ** (-torch.arange(0, hd, 2, device=device, dtype=torch.float64) / hd)
    angle = torch.arange(length, device=device, dtype=torch.float64)[:, None] * freq
    return angle.cos().float(), angle.sin().float()


def rotate(x, table):
    """x [B, H, T, hd], split halves."""
    cos, sin = (t[:x.shape[2]] for t in table)
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def attend(q, k, v, mask, causal):
    """mask [B, Tk]: which keys are there. Queries of padding give rubbish that nobody reads."""
    if hasattr(F, "scaled_dot_product_attention"):
        if causal:  # padding stands behind the tokens, which do not look there
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
    score = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    keep = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device)
    keep = keep.tril() if causal else mask[:, None, None, :]
    return torch.softmax(score.float().masked_fill(~keep, -math.inf), -1).to(v.dtype) @ v


def attention(m, p, prefix, layer, x, kv, mask, causal, table):
    """One attention: x [B, Tq, D] looks at kv [B, Tk, D]."""
    def heads(y, n):
        return y.view(y.shape[0], y.shape[1], n, m.hd).transpose(1, 2)

    def kernel(name):
        return p[prefix + name + "_proj/kernel"][layer]

    q, k = heads(x @ kernel("q"), m.heads), heads(kv @ kernel("k"), m.kv_heads)
    v = heads(kv @ kernel("v"), m.kv_heads)
    q, k = norm(q, p[prefix + "q_norm/scale"][layer]), norm(k, p[prefix + "k_norm/scale"][layer])
    if table is not None:
        q, k = rotate(q, table), rotate(k, table)
    times = m.heads // m.kv_heads
    k, v = k.to(v.dtype).repeat_interleave(times, 1), v.repeat_interleave(times, 1)
    o = attend(q.to(v.dtype), k, v, mask, causal)
    return o.transpose(1, 2).reshape(x.shape[0], x.shape[1], m.d) @ kernel("out")


def embed(m, p, ids):
    return F.embedding(ids, p[EMBEDDING]) * math.sqrt(m.d)


def encode(m, p, ids):
    """[B, T] -> [B, T, D], and the mask of what is no padding."""
    mask, x = ids != 0, embed(m, p, ids)
    table = rope_table(ids.shape[1], m.hd, m.theta, ids.device)
    gate = torch.sigmoid(p[ENC + "attn_gate"])
    for i in range(m.enc_layers):
        h = norm(x, p[ENC + "ZCRMSNorm_0/scale"][i])
        x = x + gate[i] * attention(m, p, ENC + "self_attn/", i, h, h, mask, False, table)
    return norm(x, p["encoder/final_norm/scale"]), mask


def decode(m, p, ids, enc, mask):
    """[B, T] after the encoder -> hidden states [B, T, D]."""
    x, table = embed(m, p, ids), rope_table(ids.shape[1], m.hd, m.theta, ids.device)
    self_gate, cross_gate = torch.sigmoid(p[DEC + "self_attn_gate"]), torch.sigmoid(p[DEC + "cross_attn_gate"])
    for i in range(m.dec_layers):
        h = norm(x, p[DEC + "ZCRMSNorm_0/scale"][i])
        x = x + self_gate[i] * attention(m, p, DEC + "self_attn/", i, h, h, None, True, table)
        h = norm(x, p[DEC + "ZCRMSNorm_1/scale"][i])
        x = x + cross_gate[i] * attention(m, p, DEC + "cross_attn/", i, h, enc, mask, False, None)
    return norm(x, p["decoder/ZCRMSNorm_0/scale"])


def contrastive_vectors(m, p, ids):
    x, mask = encode(m, p, ids)
    pooled = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    h = torch.relu(pooled @ p["contrastive_hidden/kernel"] + p["contrastive_hidden/bias"])
    z = (h @ p["contrastive_proj/kernel"]).float()
    return z / torch.sqrt(z.square().sum(-1, keepdim=True) + 1e-12)


# Loss ----------------------------------------------------------------------------------------

def logits_at(m, p, enc, dec_in, where):
    """Logits [n, vocab] of the decoder positions `where`, which count through the padded rows."""
    hidden = decode(m, p, dec_in, *encode(m, p, enc))
    return (hidden.flatten(0, 1)[where] @ p[EMBEDDING].T).float()


def token_loss(m, p, enc, dec_in, where, target, cls, teacher=None, temperature=1.0):
    """Sums over the n target tokens of a padded part of a batch: weighted cross-entropy, logsumexp^2, weighted KL
    from the teacher (a Model; 0 without) with both at a temperature, correct ones."""
    logits = logits_at(m, p, enc, dec_in, where)
    weight = torch.tensor(CLASS_WEIGHTS, device=enc.device)[cls]
    lse = torch.logsumexp(logits, -1)
    nll = lse - logits.gather(-1, target[:, None])[:, 0]
    kl = torch.zeros((), device=enc.device)
    if teacher is not None:
        with torch.no_grad():
            want = F.log_softmax(logits_at(teacher, teacher.params, enc, dec_in, where) / temperature, -1)
        kl = (weight * (want.exp() * (want - F.log_softmax(logits / temperature, -1))).sum(-1)).sum()
    return (weight * nll).sum(), lse.square().sum(), kl, (logits.argmax(-1) == target).sum()


def clip_loss(m, p, query, tool):
    """Symmetric CLIP over the pairs of a batch."""
    limit = math.log(100)
    with torch.autocast(query.device.type, enabled=False):
        temperature = torch.exp(p["log_temp"].clamp(-limit, limit))
    s = contrastive_vectors(m, p, query) @ contrastive_vectors(m, p, tool).T
    s = s.float() / temperature
    want = torch.arange(s.shape[0], device=s.device)
    return (F.cross_entropy(s, want) + F.cross_entropy(s.T, want)) / 2
