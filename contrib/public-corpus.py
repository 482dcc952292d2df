#!/usr/bin/env python3
"""public-corpus.py - makes a corpus of tool cards, needle-corpus(5), of the public sets of share/DATA.md.

Usage: contrib/public-corpus.py FOLDER OUT [--drop FILE]...

FOLDER holds canonical.jsonl.gz (utterances with intents and slots), schema_variants.json.gz (several wordings of a tool
for each intent), and optionally sgd.jsonl.gz, seal_synth.jsonl.gz and seal_tools.jsonl.gz. OUT becomes a corpus folder: each
intent a card, each utterance a phrase. needle-synth then words the tools anew in every example, offers other intents
beside them, joins requests and leaves arguments out, where the rows of the sets would come again and again as
they are. --drop: records (JSON lines) whose queries are left out, such as those that a model is scored on.
"""
import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import sys
from collections import defaultdict

# Arguments whose values may be exchanged for others of the same argument without harm to the sentence; times, numbers
# and words of state are part of the wording and stay.
OPEN = re.compile(r"artist|song|track|album|playlist|title|movie|film|book|city|location|place|area|room|restaurant|contact|"
                  r"recipient|person|name|device|dish|cuisine|todo|item|label|topic|query|podcast|station|event|theater|"
                  r"company|hotel|attraction|airline|entity|message|text|word|list|poi|origin|destination")
# Intents that are offered beside each other; those that could be taken for each other are kept apart one by one.
TOPICS = {topic: domain for domain, topics in {
    "clock": "alarm timer reminder calendar time date event list",
    "media": "music audiobook podcast radio volume game work screening joke",
    "home": "h light plug vacuum coffee",
    "people": "message email contact social news",
    "out": "nav transit train taxi weather sun recommend restaurant food recipe",
    "facts": "currency definition stock math qa book",
}.items() for topic in topics.split()}
MAX_PARAMS, MAX_PHRASES, MAX_VALUES = 12, 700, 400


def read(path):
    if not os.path.exists(path):
        return []
    with gzip.open(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def chance(key, percent):
    """The same decision on every machine."""
    return int(hashlib.sha1(key.encode()).hexdigest()[:8], 16) % 100 < percent


def norm(query):
    return re.sub(r"[^a-z0-9]+", " ", query.lower()).strip()


def snake(name):
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return name if re.match(r"[a-z]", name) else "t_" + name


def unique(items):
    return list(dict.fromkeys(i for i in items if i))


class Card:
    """Gathers the utterances of one intent, then writes one card for those with all core arguments, which are
    required there, and one for the others, where none is."""

    def __init__(self, key, domain, names, descriptions, args, core, apart=()):
        self.key, self.domain, self.names, self.descriptions = key, domain, unique(map(snake, names)), unique(descriptions)
        self.args, self.core, self.apart, self.apart_keys = args, core, apart, ()
        self.rows = []
        self.phrases = {True: {}, False: {}}
        self.values = defaultdict(dict)

    def add(self, query, slots):
        if re.search(r"[{}]", query) or set(slots) - set(self.args):
            return False
        text, fixed, marks = query, {}, []
        for name, value in slots.items():
            arg = self.args[name]
            if arg["type"] == "string" and "enum" not in arg:
                if not isinstance(value, str) or not value.strip() or query.count(value) != 1:
                    return False
                at = query.index(value)
                marks.append((at, at + len(value), name))
                self.values[name][value] = True
            elif isinstance(value, list) and value and isinstance(value[0], str):
                return False  # its items stand in the query, but not as one span
            else:
                fixed[name] = value
        marks.sort(reverse=True)
        last = len(query)
        for begin, end, name in marks:
            if end > last:
                return False  # one value inside another
            last = begin
            own = not OPEN.search(name) or chance(query + name, 50)
            text = text[:begin] + ("{%s=%s}" % (name, query[begin:end]) if own else "{%s}" % name) + text[end:]
        whole = all(c in slots for c in self.core)
        self.phrases[whole][text] = fixed
        return True

    def card(self, whole, taken):
        found = list(self.phrases[whole].items())
        if not found:
            return None
        found.sort(key=lambda p: hashlib.sha1(p[0].encode()).hexdigest())
        name = next((n for n in self.names + [snake(self.key)] if n not in taken), None)
        n = 2
        while name is None or name in taken:
            name, n = "%s_%d" % (self.names[0], n), n + 1
        taken.add(name)
        params = {}
        for arg, a in self.args.items():
            p = {"type": a["type"]}
            if whole and arg in self.core:
                p["required"] = True
            p["aliases"] = [x for x in unique(map(snake, a["names"])) if x != arg]
            p["descriptions"] = unique(a["descriptions"]) or [arg.replace("_", " ")]
            if "enum" in a:
                p["enum"] = a["enum"]
            if a["type"] == "array":
                p["items"] = {"type": a.get("item_type", "string")}
            if "enum" not in a and a["type"] != "boolean":
                seen = list(self.values[arg])[:MAX_VALUES]
                p["values"] = "@int:1-60" if a["type"] in ("integer", "number") else seen or "@lower:5"
            params[arg] = p
        return {"name": name, "aliases": [x for x in self.names if x != name], "descriptions": self.descriptions, "params": params,
                "phrases": [{"t": t, "args": f} if f else t for t, f in found[:MAX_PHRASES]]}


def fits(arg, value):
    if isinstance(value, bool):
        return arg["type"] == "boolean"
    if "enum" in arg and value not in arg["enum"]:
        return False
    return {"integer": isinstance(value, int), "number": isinstance(value, (int, float)), "string": isinstance(value, str),
            "array": isinstance(value, list) and all(type(v) is type(value[0]) for v in value)}.get(arg["type"], False)


def intents(folder):
    """Cards of schema_variants, by intent."""
    with gzip.open(os.path.join(folder, "schema_variants.json.gz"), "rt", encoding="utf-8") as f:
        variants = json.load(f)
    cards = {}
    for key, v in variants.items():
        args = {snake(a): dict(x) for a, x in v["args"].items()}
        for a in args.values():
            if a["type"] == "array":
                a["item_type"] = "number" if key.startswith("f.") else "string"
        core = [snake(a) for a, x in v["args"].items() if x.get("core")]
        if len(args) <= MAX_PARAMS:
            topic = key.split(".")[0]
            cards[key] = Card(key, TOPICS.get(topic, topic), v["names"], v["descriptions"], args, core, v.get("confusable_with", []))
    return cards


def services(folder, canonical, cards):
    """Cards of the services of SGD: their wordings are read off the rows of the same queries."""
    intent_of = {}
    for c in canonical:
        if c["source"] == "sgd" and len(c["calls"]) == 1:
            intent_of[c["query"]] = c["calls"][0]
    for row in read(os.path.join(folder, "sgd.jsonl.gz")):
        call = intent_of.get(row["query"])
        if not call or len(row["answers"]) != 1:
            continue
        tool = next(t for t in row["tools"] if t["name"] == row["answers"][0]["name"])
        given = row["answers"][0]["arguments"]
        if len(given) != len(call["slots"]):
            continue
        _, service, intent = call["intent"].split(".")
        card = cards.setdefault(call["intent"], Card(call["intent"], "sgd_" + service.split("_")[0].lower(), [intent], [], {}, []))
        card.names = unique(card.names + [snake(tool["name"])])
        card.descriptions = unique(card.descriptions + [tool.get("description", "")])
        for slot, value in call["slots"].items():
            same = [a for a, v in given.items() if str(v).lower() == str(value).lower()]
            if len(same) != 1:
                continue
            arg = same[0]
            p = tool["parameters"][arg]
            a = card.args.setdefault(snake(slot), {"type": p["type"], "names": [], "descriptions": []})
            if a["type"] == p["type"]:
                a["names"] = unique(a["names"] + [snake(arg)])
                a["descriptions"] = unique(a["descriptions"] + [p.get("description", "")])
                if "enum" in p:
                    a["enum"] = unique(a.get("enum", []) + p["enum"])
    for card in cards.values():
        if card.key.startswith("sgd."):
            card.apart = [k for k in cards if k != card.key and k.split(".")[2:] == card.key.split(".")[2:] and k.startswith("sgd.")]
            if len(card.args) > MAX_PARAMS:
                card.args = {}


def schemas(folder):
    """Cards of the tools of Seal-Tools, each with the queries that call it alone."""
    cards = {}
    for name in ("seal_synth", "seal_tools"):
        for row in read(os.path.join(folder, name + ".jsonl.gz")):
            if len(row["answers"]) != 1:
                continue
            call = row["answers"][0]
            tool = next(t for t in row["tools"] if t["name"] == call["name"])
            key = snake(call["name"])
            if key not in cards:
                args = {}
                for a, p in tool["parameters"].items():
                    args[snake(a)] = {"type": p["type"], "names": [], "descriptions": [p.get("description", "")]}
                    if "enum" in p:
                        args[snake(a)]["enum"] = p["enum"]
                    if p["type"] == "array":
                        args[snake(a)]["item_type"] = p.get("items", {}).get("type", "string")
                core = [snake(a) for a, p in tool["parameters"].items() if p.get("required")]
                if len(args) > MAX_PARAMS:
                    continue
                bucket = int(hashlib.sha1(key[:6].encode()).hexdigest()[:4], 16) % 40
                cards[key] = Card(key, "seal_%02d" % bucket, [call["name"]], [tool.get("description", "")], args, core)
            cards[key].rows.append((row["query"], {snake(a): v for a, v in call["arguments"].items()}))
    return cards


def expand_apart(cards):
    """'todo' stands for all intents whose name begins with 'todo.'."""
    for card in cards.values():
        keys = set()
        for other in card.apart:
            keys |= {k for k in cards if k == other or k.startswith(other + ".")}
        card.apart_keys = keys - {card.key}


def fill_intents(cards, canonical, counts):
    for c in canonical:
        if len(c["calls"]) != 1 or c["calls"][0]["intent"] not in cards:
            counts["not one known call"] += 1
            continue
        card = cards[c["calls"][0]["intent"]]
        slots = {snake(k): v for k, v in c["calls"][0]["slots"].items()}
        fine = all(k in card.args and fits(card.args[k], v) for k, v in slots.items()) and card.add(c["query"], slots)
        counts["phrases" if fine else "a value that is no span, or of another type"] += 1


def fill_schemas(cards, drop, counts):
    for card in cards.values():
        for query, slots in card.rows:
            if norm(query) not in drop and all(k in card.args and fits(card.args[k], v) for k, v in slots.items()):
                counts["phrases of Seal-Tools"] += card.add(query, slots)


def write(cards, out):
    """One file a domain; returns the number of cards."""
    taken, files, names_of = set(), defaultdict(list), defaultdict(list)
    for card in cards:
        for whole in (True, False):
            made = card.card(whole, taken) if card.descriptions else None
            if made:
                files[card.domain].append((card, made))
                names_of[card.key].append(made["name"])
    os.makedirs(out, exist_ok=True)
    for domain, made in files.items():
        with open(os.path.join(out, "public_%s.jsonl" % domain), "w", encoding="utf-8") as f:
            for card, line in made:
                apart = [n for k in sorted(card.apart_keys) for n in names_of[k]]
                apart += [n for n in names_of[card.key] if n != line["name"]]
                if apart:
                    line["apart"] = apart
                f.write(json.dumps(line, ensure_ascii=False) + "\n")
    corpus = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "share", "corpus")
    shutil.copy(os.path.join(corpus, "lexicons.jsonl"), out)
    return sum(map(len, files.values()))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder")
    ap.add_argument("out")
    ap.add_argument("--drop", action="append", default=[])
    o = ap.parse_args()
    drop, counts = set(), defaultdict(int)
    for path in o.drop:
        with open(path, encoding="utf-8") as f:
            drop |= {norm(json.loads(line)["query"]) for line in f}
    canonical = [c for c in read(os.path.join(o.folder, "canonical.jsonl.gz")) if norm(c["query"]) not in drop]
    cards = intents(o.folder)
    services(o.folder, canonical, cards)
    fill_intents(cards, canonical, counts)
    seal = schemas(o.folder)
    fill_schemas(seal, drop, counts)
    expand_apart(cards)
    counts["cards"] = write(list(cards.values()) + list(seal.values()), o.out)
    for what, n in counts.items():
        print("%-45s %d" % (what, n), file=sys.stderr)


if __name__ == "__main__":
    main()
