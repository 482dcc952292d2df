#!/usr/bin/env python3
"""needle_train.py - trains a model with the recipe of needle-finetune, on a CPU, a GPU, or many with torchrun.

See README.md beside this file. Every rank takes its own batches; gradients are averaged over the ranks and
over --accumulate batches, so N ranks do what one does with N times as many batches a step.
"""
import argparse
import hashlib
import json
import math
import os
import signal
import sys
import time

import torch
import torch.distributed as dist

import needle_data as data
import needle_model as nm

NS = (3.4445, -4.7750, 2.0315)


def options():
    p = argparse.ArgumentParser(description="Trains a Needle model on token files of needle-finetune --dump-tokens.")
    p.add_argument("tokens", help="token file, or - for standard input")
    p.add_argument("-m", "--model", required=True, help="model to start from (floats); needle-finetune --init makes one")
    p.add_argument("-o", "--output", required=True, help="the trained model; its state lies in OUTPUT.state")
    p.add_argument("--steps", type=int, required=True)
    p.add_argument("--accumulate", type=int, default=1, help="batches a step, on each rank [1]")
    p.add_argument("--micro", type=int, default=0, help="examples that run at once [all of a batch]")
    p.add_argument("--lr", type=float, default=3e-4, help="peak rate of AdamW [3e-4]")
    p.add_argument("--muon-lr", type=float, default=0.02, help="peak rate of Muon [0.02]")
    p.add_argument("--weight-decay", type=float, default=0.01, help="share of each matrix that Muon takes away, times the rate [0.01]")
    p.add_argument("--clip-norm", type=float, default=1.0, help="longest gradient, 0 for any [1]")
    p.add_argument("--warmup", type=float, default=0.05, help="share of the steps that warm up [0.05]")
    p.add_argument("--decay", type=float, default=0.15, help="share of the steps that decay [0.15]")
    p.add_argument("--qat-every", type=int, default=100, help="every Nth step trains through INT4 [100]")
    p.add_argument("--qat-embedding", action="store_true", help="in these steps the embedding, too")
    p.add_argument("--qat-group", type=int, default=32, choices=(32, 64, 128), help="inputs of a kernel that share a scale then [32]")
    p.add_argument("--qat-embedding-group", type=int, default=128, choices=(32, 64, 128), help="inputs of the embedding that do [128]")
    p.add_argument("--contrastive-every", type=int, default=10, help="every Nth step has the contrastive loss [10]")
    p.add_argument("--contrastive-weight", type=float, default=0.1)
    p.add_argument("--z-weight", type=float, default=1e-4)
    p.add_argument("--teacher", help="distil from this larger model of the same vocabulary")
    p.add_argument("--teacher-weight", type=float, default=0.5, help="its share of the loss, 0 to 1 [0.5]")
    p.add_argument("--teacher-temperature", type=float, default=2.0, help="temperature of both softmaxes [2]")
    p.add_argument("--average", type=float, default=0, help="decay of a running average that is written out [none]")
    p.add_argument("--val", help="token file to validate on")
    p.add_argument("--eval-every", type=int, default=500)
    p.add_argument("--checkpoint-every", type=int, default=500)
    p.add_argument("--resume", action="store_true", help="go on from OUTPUT.state, if it is there")
    p.add_argument("--log", help="append a line of JSON every --log-every steps")
    p.add_argument("--log-every", type=int, default=20)
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--precision", choices=("f32", "bf16"), help="of matrix products [bf16 on a GPU]")
    p.add_argument("--compile", action="store_true", help="torch.compile the network (PyTorch 2)")
    p.add_argument("--grads", help="write the gradients of the first batch to this file and stop (for parity checks)")
    o = p.parse_args()
    o.precision = o.precision or ("bf16" if o.device.startswith("cuda") else "f32")
    return o


# Optimiser -----------------------------------------------------------------------------------

def newton_schulz(g):
    """[L, rows, cols]: each layer's orthogonal factor, roughly."""
    tall = g.shape[-2] > g.shape[-1]
    x = g.transpose(-1, -2) if tall else g
    x = x / (torch.linalg.vector_norm(x, dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = NS
    for _ in range(5):
        gram = x @ x.transpose(-1, -2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(-1, -2) if tall else x


class Optimiser:
    """Muon for kernels, AdamW without decay for all else, clipping by the global norm."""

    def __init__(self, params, lr, muon_lr, decay, clip, momentum=0.95, betas=(0.9, 0.95), eps=1e-8):
        self.params, self.lr, self.muon_lr, self.momentum, self.decay = params, lr, muon_lr, momentum, decay
        self.betas, self.eps, self.clip, self.step_count = betas, eps, clip, 0
        self.m = {k: torch.zeros_like(p) for k, p in params.items()}
        self.v = {k: torch.zeros_like(p) for k, p in params.items() if not nm.is_kernel(k)}

    @torch.no_grad()
    def step(self, factor):
        """One update at the peak rates times factor. Returns the norm of the gradient before clipping; one
        that is not finite changes nothing."""
        grads = {k: p.grad if p.grad is not None else torch.zeros_like(p) for k, p in self.params.items()}
        total = torch.sqrt(sum(g.double().square().sum() for g in grads.values())).item()
        if not math.isfinite(total):
            return total
        shrink = self.clip / total if 0 < self.clip < total else 1.0
        self.step_count += 1
        for k, p in self.params.items():
            g = grads[k] * shrink
            if nm.is_kernel(k):
                self.muon(p, self.m[k], g, self.muon_lr * factor)
            else:
                self.adam(p, self.m[k], self.v[k], g, self.lr * factor)
        return total

    def muon(self, p, m, g, lr):
        """Orthogonalises first, then momentum in Nesterov's form, then decay."""
        u = newton_schulz(g)
        m.mul_(self.momentum).add_(u)
        p.sub_(lr * (u + self.momentum * m + self.decay * p))

    def adam(self, p, m, v, g, lr):
        b1, b2 = self.betas
        m.mul_(b1).add_(g, alpha=1 - b1)
        v.mul_(b2).addcmul_(g, g, value=1 - b2)
        root = torch.sqrt(v / (1 - b2 ** self.step_count)) + self.eps
        p.sub_(lr / (1 - b1 ** self.step_count) * m / root)

    def state(self):
        return {"m": self.m, "v": self.v, "step": self.step_count}

    @torch.no_grad()
    def load(self, s):
        for mine, saved in ((self.m, s["m"]), (self.v, s["v"])):
            for k, t in mine.items():
                t.copy_(saved[k])
        self.step_count = s["step"]


def schedule(step, total, warmup, decay, floor=0.05):
    """Warm up from 0, hold, cosine down to the floor (WSD); step counts from 0."""
    warm, fall = int(warmup * total), int(decay * total)
    if step < warm:
        return step / warm
    if fall == 0 or step + fall < total:
        return 1.0
    t = min(1.0, (step + fall - total) / fall)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * t))


def is_turn(step, every):
    return every > 0 and step % every == every - 1


# Running -------------------------------------------------------------------------------------

class Trainer:
    def __init__(self, o):
        self.o = o
        self.world, self.rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        if self.world > 1:
            dist.init_process_group("nccl" if o.device.startswith("cuda") else "gloo")
            if o.device.startswith("cuda"):
                o.device = f"cuda:{os.environ['LOCAL_RANK']}"
                torch.cuda.set_device(o.device)
        self.model = nm.Model(o.model, o.device)
        self.teacher = nm.Model(o.teacher, o.device) if o.teacher else None
        if self.teacher is not None and self.teacher.vocab != self.model.vocab:
            raise SystemExit(f"{o.teacher}: its vocabulary is not that of {o.model}")
        self.taught_by = "none"
        if o.teacher:
            with open(o.teacher, "rb") as f:
                self.taught_by = hashlib.sha256(f.read()).hexdigest()[:16]
        self.opt = Optimiser(self.model.params, o.lr, o.muon_lr, o.weight_decay, o.clip_norm)
        self.mean = {k: p.detach().clone() for k, p in self.model.params.items()} if o.average else None
        self.token_loss, self.clip_loss = nm.token_loss, nm.clip_loss
        if o.compile:
            self.token_loss = torch.compile(nm.token_loss, dynamic=True)
        self.multiple = 64 if o.compile else 1
        self.step, self.batches, self.stopped = 0, 0, False

    def autocast(self):
        return torch.autocast(self.o.device.split(":")[0], torch.bfloat16, enabled=self.o.precision == "bf16")

    def weights(self, qat):
        """The parameters as this step sees them: kernels through INT4 now and then, maybe the embedding with them."""
        seen = dict(self.model.params)
        for k in seen if qat else ():
            if nm.is_kernel(k):
                seen[k] = nm.fake_quant(seen[k], self.o.qat_group)
        if qat and self.o.qat_embedding:
            seen[nm.EMBEDDING] = nm.fake_quant(seen[nm.EMBEDDING].T, self.o.qat_embedding_group).T  # a token's row is in groups
        return seen

    def to(self, part):
        return {k: t.to(self.o.device, non_blocking=True) for k, t in part.items()}

    def gradient(self, batch, share, pairs, qat, sums):
        """Adds share times the gradient of a batch, part by part, and what it lost to sums."""
        o, n = self.o, batch["tokens"]
        w, temperature = (o.teacher_weight, o.teacher_temperature) if self.teacher is not None else (0, 1)
        for part in batch["parts"]:
            t = self.to(part)
            with self.autocast():
                ce, z, kl, right = self.token_loss(self.model, self.weights(qat), t["enc"], t["dec_in"], t["where"],
                                                   t["target"], t["cls"], self.teacher, temperature)
            loss = ((1 - w) * ce + w * temperature ** 2 * kl + o.z_weight * z) / n
            (loss * share).backward()
            for key, value in (("loss", loss), ("ce", ce / n), ("z", z / n), ("kl", kl / n)):
                sums[key] += value.detach() * share
            sums["right"] += right
        if pairs and batch["pairs"]:
            t = self.to(batch["pairs"])
            with self.autocast():
                clip = self.clip_loss(self.model, self.weights(qat), t["query"], t["tool"])
            (o.contrastive_weight * clip * share).backward()
            sums["loss"] += o.contrastive_weight * clip.detach() * share
            sums["contrastive"] += clip.detach() * share
        sums["tokens"] += n
        sums["examples"] += batch["examples"]
        sums["all_tokens"] += batch["all_tokens"]

    def fresh_sums(self):
        keys = ("loss", "ce", "z", "kl", "contrastive", "right", "tokens", "examples", "all_tokens")
        return {k: torch.zeros((), dtype=torch.float64, device=self.o.device) for k in keys}

    def reduce(self, sums):
        """Averages gradients over the ranks, in one piece."""
        if self.world == 1:
            return
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self.model.params.values()]
        flat = torch.cat([g.reshape(-1) for g in grads])
        dist.all_reduce(flat)
        flat /= self.world
        for p, g in zip(self.model.params.values(), flat.split([g.numel() for g in grads])):
            p.grad = g.view_as(p)
        for k, s in sums.items():
            dist.all_reduce(s)
            if k not in ("right", "tokens", "examples", "all_tokens"):
                s /= self.world

    def one_step(self, source):
        """What the step gave; None at the end of the data, on every rank alike."""
        o, qat, sums = self.o, is_turn(self.step, self.o.qat_every), self.fresh_sums()
        got = []
        for b in source:
            got.append(b)
            if len(got) == o.accumulate:
                break
        if self.any_rank(len(got) < o.accumulate):
            return None
        for p in self.model.params.values():
            p.grad = None
        for b in got:
            self.gradient(b, 1 / o.accumulate, is_turn(self.step, o.contrastive_every), qat, sums)
        self.reduce(sums)
        factor = schedule(self.step, o.steps, o.warmup, o.decay)
        norm = self.opt.step(factor)
        if not math.isfinite(norm):
            self.save()  # nothing has changed yet
            raise SystemExit(f"the gradient is not finite at step {self.step + 1}; {o.output}.state is the state before it")
        self.step += 1
        self.batches += o.accumulate * self.world
        self.update_mean()
        return {k: s.item() for k, s in sums.items()} | {"norm": norm, "lr_factor": factor}

    @torch.no_grad()
    def update_mean(self):
        if self.mean is None:
            return
        decay = min(self.o.average, (1 + self.step) / (10 + self.step))
        for k, p in self.model.params.items():
            self.mean[k].mul_(decay).add_(p, alpha=1 - decay)

    @torch.no_grad()
    def validate(self):
        """Mean loss and token accuracy over --val, on every rank the same."""
        ce = right = tokens = 0
        params = self.mean if self.mean is not None else self.model.params
        for b in data.batches(self.o.val):
            b = data.parts(b, self.o.micro, self.multiple)
            for part in b["parts"]:
                t = self.to(part)
                with self.autocast():
                    c, _, _, r = self.token_loss(self.model, params, t["enc"], t["dec_in"], t["where"], t["target"], t["cls"])
                ce, right = ce + c.item(), right + r.item()
            tokens += b["tokens"]
        return {"val_loss": ce / max(tokens, 1), "val_accuracy": right / max(tokens, 1)}

    # State: what a later process needs to go on bit for bit

    def settings(self):
        o = vars(self.o)
        keys = ("steps", "accumulate", "micro", "lr", "muon_lr", "weight_decay", "clip_norm", "warmup", "decay",
                "qat_every", "qat_embedding", "qat_group", "qat_embedding_group", "contrastive_every", "contrastive_weight", "z_weight",
                "teacher_weight", "teacher_temperature", "average", "precision")
        return {k: o[k] for k in keys} | {"world": self.world, "teacher": self.taught_by}

    def save(self):
        if self.rank != 0:
            return
        path = self.o.output + ".state"
        torch.save({"params": self.model.params, "opt": self.opt.state(), "mean": self.mean, "step": self.step,
                    "batches": self.batches, "settings": self.settings()}, path + ".tmp")
        os.replace(path + ".tmp", path)

    @torch.no_grad()
    def load(self):
        s = torch.load(self.o.output + ".state", map_location=self.o.device)
        saved = {"qat_group": 32, "qat_embedding_group": 32, "weight_decay": 0.01, "clip_norm": 1.0,
                 "teacher": self.taught_by} | s["settings"]  # as earlier versions had them
        for k, v in self.settings().items():
            if saved[k] != v:
                raise SystemExit(f"cannot resume: {k} is {v}, but the saved run had {saved[k]}")
        for k, p in self.model.params.items():
            p.copy_(s["params"][k])
        self.opt.load(s["opt"])
        self.mean, self.step, self.batches = s["mean"], s["step"], s["batches"]

    def source(self):
        raw = data.batches(self.o.tokens, self.rank, self.world, self.batches, endless=True)
        return data.prefetch(data.parts(b, self.o.micro, self.multiple) for b in raw)

    def report(self, r, since):
        seconds = time.monotonic() - since
        r |= {"step": self.step, "accuracy": r.pop("right") / max(r["tokens"], 1), "seconds": seconds,
              "tokens_per_s": r["all_tokens"] / seconds}
        if self.rank != 0:
            return
        if self.o.log:
            with open(self.o.log, "a", encoding="utf-8") as f:
                f.write(json.dumps(r) + "\n")
        left = seconds * (self.o.steps - self.step)
        val = f", validation {r['val_loss']:.4f} / {r['val_accuracy']:.4f}" if "val_loss" in r else ""
        print(f"step {self.step}/{self.o.steps}: loss {r['loss']:.4f}, ce {r['ce']:.4f}, accuracy {r['accuracy']:.4f}, "
              f"{r['tokens_per_s']:.0f} tokens/s, {left / 60:.0f} min left{val}", file=sys.stderr)

    def run(self):
        o = self.o
        if o.resume and os.path.exists(o.output + ".state"):
            self.load()
        for s in (signal.SIGINT, signal.SIGTERM):
            signal.signal(s, lambda *_: setattr(self, "stopped", True))
        source = self.source()
        while self.step < o.steps and not self.any_rank(self.stopped):
            since = time.monotonic()
            r = self.one_step(source)
            if r is None:
                print(f"the data ended after {self.step} of {o.steps} steps", file=sys.stderr)
                break
            end = self.step == o.steps
            if o.val and (end or (o.eval_every and self.step % o.eval_every == 0)):
                r |= self.validate()
            if end or (o.log_every and self.step % o.log_every == 0) or "val_loss" in r:
                self.report(r, since)
            if o.checkpoint_every and self.step % o.checkpoint_every == 0:
                self.save()
        if self.any_rank(self.stopped) and self.step < o.steps:
            self.save()
            raise SystemExit(f"stopped after step {self.step}; the same command with --resume goes on")
        if self.rank == 0:
            self.model.write(o.output, self.mean, **{"training.step": str(self.step)})
            if os.path.exists(o.output + ".state"):
                os.remove(o.output + ".state")

    def any_rank(self, mine):
        """Whether it is so on any rank: all must do the same."""
        if self.world == 1:
            return mine
        flag = torch.tensor(float(mine), device=self.o.device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item())

    def write_grads(self):
        """Loss and gradients of the first batch, with pairs, as the C trainer's test has them."""
        sums = self.fresh_sums()
        batch = data.parts(next(data.batches(self.o.tokens)), self.o.micro)
        self.gradient(batch, 1.0, True, False, sums)
        grads = {k: p.grad if p.grad is not None else torch.zeros_like(p) for k, p in self.model.params.items()}
        self.model.vocab_bytes = None
        self.model.write(self.o.grads, grads, **{"loss." + k: repr(s.item()) for k, s in sums.items()})


def main():
    o = options()
    torch.backends.cuda.matmul.allow_tf32 = o.precision == "bf16"
    t = Trainer(o)
    if o.grads:
        t.write_grads()
    else:
        t.run()
    if t.world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
