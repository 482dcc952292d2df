"""needle_data.py - batches of token ids as `needle-finetune --dump-tokens` writes them (needle-finetune(1)):
prompts are rendered and tokenised by the C code, so that both trainers see the same.

A file or pipe is a sequence of batches; numbers are little-endian:
  8 bytes   "NDLBATCH"
  6 x u32   n examples, pairs, tokens of: enc, dec, query, tool
  u32       lengths: n of enc, n of dec, pairs of query, pairs of tool
  u16       ids: enc, dec_in, dec_out
  u8        class of each dec_out id
  u16       ids: query, tool
"""
import queue
import sys
import threading

import numpy as np
import torch

MAGIC = b"NDLBATCH"


def read_exactly(f, n):
    data = f.read(n)
    while len(data) < n:
        more = f.read(n - len(data))
        if not more:
            raise SystemExit("the token file ends in the middle of a batch")
        data += more
    return data


def split(ids, lengths):
    return np.split(ids, np.cumsum(lengths)[:-1]) if len(lengths) else []


def read_batch(f):
    """A dictionary of lists of arrays, one an example or pair; None at the end."""
    magic = f.read(8)
    if not magic:
        return None
    if magic != MAGIC:
        raise SystemExit("not a token file of needle-finetune --dump-tokens")
    n, pairs, enc, dec, query, tool = np.frombuffer(read_exactly(f, 24), "<u4").tolist()
    lengths = np.frombuffer(read_exactly(f, 8 * (n + pairs)), "<u4").tolist()
    enc_len, dec_len, rest = lengths[:n], lengths[n:2 * n], lengths[2 * n:]

    def ids(count):
        return np.frombuffer(read_exactly(f, 2 * count), "<u2").astype(np.int64)

    b = {"enc": split(ids(enc), enc_len), "dec_in": split(ids(dec), dec_len), "dec_out": split(ids(dec), dec_len)}
    b["cls"] = split(np.frombuffer(read_exactly(f, dec), np.uint8), dec_len)
    b["query"], b["tool"] = split(ids(query), rest[:pairs]), split(ids(tool), rest[pairs:])
    return b


def pad(rows, multiple):
    """[n, longest], filled up with 0; the width is a multiple, so that a compiled graph meets few shapes."""
    width = -(-max(len(r) for r in rows) // multiple) * multiple
    out = np.zeros((len(rows), width), np.int64)
    for i, r in enumerate(rows):
        out[i, :len(r)] = r
    return torch.from_numpy(out)


def parts(batch, size, multiple=1):
    """The batch as parts of `size` examples of like length (0: one part), so that little is padding, and its
    pairs. A part has padded enc and dec_in, and for each target token its place in dec_in, id and class."""
    order = sorted(range(len(batch["enc"])), key=lambda i: (len(batch["enc"][i]), i))
    size = size or len(order)
    out = []
    for at in range(0, len(order), size):
        mine = order[at:at + size]
        part = {k: pad([batch[k][i] for i in mine], multiple) for k in ("enc", "dec_in")}
        width = part["dec_in"].shape[1]
        part["where"] = torch.from_numpy(np.concatenate([r * width + np.arange(len(batch["cls"][i]))
                                                         for r, i in enumerate(mine)]))
        for name, key in (("target", "dec_out"), ("cls", "cls")):
            part[name] = torch.from_numpy(np.concatenate([batch[key][i] for i in mine]).astype(np.int64))
        out.append(part)
    pairs = {k: pad(batch[k], multiple) for k in ("query", "tool")} if len(batch["query"]) > 1 else None
    return {"parts": out, "pairs": pairs, "examples": len(order), "tokens": sum(map(len, batch["dec_in"])),
            "all_tokens": sum(map(len, batch["enc"])) + sum(map(len, batch["dec_in"]))}


def batches(path, rank=0, world=1, skip=0, endless=False):
    """Batch skip + rank, and then every world-th. A file can be read over and over; "-" is stdin."""
    number = 0
    while True:
        f, first = (sys.stdin.buffer if path == "-" else open(path, "rb")), number
        while (b := read_batch(f)) is not None:
            if number >= skip and (number - skip) % world == rank:
                yield b
            number += 1
        if not endless or path == "-" or number == first:
            return


def prefetch(iterator, depth=8):
    """Runs the iterator in a thread of its own."""
    q, end = queue.Queue(depth), object()

    def work():
        try:
            for item in iterator:
                q.put(item)
            q.put(end)
        except BaseException as e:  # told by the one who waits
            q.put(e)

    threading.Thread(target=work, daemon=True).start()
    while (item := q.get()) is not end:
        if isinstance(item, BaseException):
            raise item
        yield item
