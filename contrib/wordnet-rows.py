#!/usr/bin/env python3
"""Rows of word knowledge, made from WordNet: what else a word is called, what kind of thing it is, how it is used.

    wordnet-rows.py FOLDER COMMON [-n ROWS] [--seed N] > rows.jsonl

FOLDER holds WordNet's data.noun ... index.adv (Debian: wordnet-base, /usr/share/wordnet). COMMON is plain text: words
that stand in it ten times are common, and only those are asked for or offered. Each row is an example for
needle-finetune(1), in the shape of the commands that the model will meet: the query says "purchase the lamp", the
tools are called "buy", "lend" and "hide".
"""
import argparse
import collections
import json
import random
import re

FILES = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
TRANSITIVE = 8  # frame "somebody ----s something"


class Synset:
    """One meaning: its words, what it is a kind of, what it is near to, its definition and sentences."""

    def __init__(self, key, line):
        head, _, gloss = line.partition("|")
        fields = head.split()
        self.key, self.lexfile, pos = key, int(fields[1]), fields[2]
        self.pos = "a" if pos == "s" else pos
        count = int(fields[3], 16)
        self.words = [re.sub(r"\(.*\)", "", w).replace("_", " ") for w in fields[4:4 + 2 * count:2]]
        at = 4 + 2 * count
        self.pointers = collections.defaultdict(list)
        for i in range(int(fields[at])):
            kind, offset, to, _ = fields[at + 1 + 4 * i:at + 5 + 4 * i]
            self.pointers[kind].append((to, offset))
        at += 1 + 4 * int(fields[at])
        frames = fields[at + 1:] if self.pos == "v" else []
        self.transitive = any(int(n) == TRANSITIVE for sign, n in zip(frames, frames[1:]) if sign == "+")
        self.examples = [e for e in re.findall(r'"([^"]+)"', gloss) if 2 < len(e.split()) < 16]
        text = re.sub(r"\([^)]*\)", "", gloss.split('"')[0]).split(";")[0]
        self.gloss = re.sub(r"\s+", " ", text).strip()


class WordNet:
    def __init__(self, folder, common):
        self.synsets, self.senses = {}, collections.defaultdict(list)
        for name, pos in FILES.items():
            with open(f"{folder}/data.{name}", encoding="utf-8") as lines:
                for line in lines:
                    if not line.startswith(" "):
                        key = (pos, line[:8])
                        self.synsets[key] = Synset(key, line)
            with open(f"{folder}/index.{name}", encoding="utf-8") as lines:
                for line in lines:
                    if not line.startswith(" "):
                        fields = line.split()
                        offsets = fields[-int(fields[2]):]
                        self.senses[fields[0].replace("_", " "), pos] = [(pos, o) for o in offsets]
        self.common = common

    def is_common(self, word):
        return all(self.common[w] >= 10 for w in word.lower().split()) and not re.search(r"[^a-z' -]", word)

    def rank(self, word, synset):
        senses = self.senses[word.lower(), synset.pos]
        return senses.index(synset.key) if synset.key in senses else 99

    def names(self, synset, most):
        """The common words of a meaning for which it is one of the first senses."""
        return [w for w in synset.words if self.is_common(w) and self.rank(w, synset) < most]

    def near(self, synset, kinds):
        for kind in kinds:
            for to, offset in synset.pointers[kind]:
                yield self.synsets["a" if to == "s" else to, offset]

    def above(self, synset):
        """All meanings that this one is a kind of."""
        seen, todo = {}, [synset]
        while todo:
            for other in self.near(todo.pop(), ("@", "@i")):
                if other.key not in seen:
                    seen[other.key] = other
                    todo.append(other)
        return seen

    def excludes(self, word, pos):
        """What must not be offered beside the right answer to a word: any of its senses, and their relatives."""
        keys = set()
        for key in self.senses[word.lower(), pos]:
            synset = self.synsets[key]
            keys.add(key)
            keys.update(s.key for s in self.near(synset, ("@", "~", "&", "$", "^", "*", ">")))
            for other in self.near(synset, ("@",)):
                keys.update(s.key for s in self.near(other, ("~",)))
        return keys


ORDERS = ("{v} the {n}", "{v} the {n}", "please {v} my {n}", "can you {v} the {n}?", "I want to {v} a {n}", "{v} this {n} for me",
          "could you {v} that {n}", "{v} a {n}", "let's {v} the {n}", "go ahead and {v} the {n}", "I need you to {v} the {n}",
          "time to {v} the {n}", "{v} every {n}", "help me {v} this {n}", "don't forget to {v} the {n}")
JOINTS = (" and ", " and then ", ", then ", ". also ", ", and ", "; ", " and also ", ". ")
ARGS = ("item", "thing", "object", "what", "target", "name", "subject")
CATEGORY = (("set_category", "category", ("this is a {w}", "it's a {w}", "what we have here is a {w}", "call it a {w}")),
            ("log_sighting", "kind", ("I just saw a {w}", "there's a {w} over there", "spotted a {w}", "note down a {w}")),
            ("tag_photo", "tag", ("tag the picture, it shows a {w}", "a photo of my {w}", "the photo has a {w} in it")),
            ("sort_item", "bin", ("where does the {w} go", "put away the {w}", "sort the {w}", "file the {w}")),
            ("open_section", "section", ("I'm looking for a {w}", "take me to the {w}", "show me {w} things", "got any {w}?")),
            ("add_entry", "type", ("add a {w}", "new entry: {w}", "one {w} please", "put down {w}")))
CHOICE = (("set_mode", "mode", ("make it {w}", "set it to {w}", "I want it {w}", "{w} please", "switch to {w}")),
          ("describe", "quality", ("it was {w}", "rather {w}, I'd say", "I found it {w}", "that seemed {w} to me")),
          ("filter_results", "style", ("only {w} ones", "show me something {w}", "find a {w} one", "anything {w}?")),
          ("log_mood", "feeling", ("I feel {w}", "feeling {w} today", "today is {w}", "I'm a bit {w}")),
          ("rate", "rating", ("I'd call it {w}", "{w}, that's my verdict", "mark it as {w}")))
MEANING = ("what is the word for {g}", "{g}", "it means {g}", "looking for the word that means {g}", "{g}, what's that called")


class Maker:
    def __init__(self, net, rng):
        self.net, self.rng = net, rng
        usable = [s for s in net.synsets.values() if net.names(s, 1)]
        self.by_file = collections.defaultdict(list)
        for synset in usable:
            if synset.pos != "v" or synset.transitive:
                self.by_file[synset.pos, synset.lexfile].append(synset)
        self.verbs = [s for s in usable if s.pos == "v" and s.transitive and len(s.words) > 1]
        self.sentences = [s for s in usable if s.examples and s.pos in "vna"]
        self.nouns = [s for s in usable if s.pos == "n"]
        self.choices = [s for s in usable if s.pos == "a"]
        things = (6, 13, 20)  # artifacts, food, plants
        self.things = sorted({w for s in self.nouns if s.lexfile in things for w in net.names(s, 1) if net.common[w] >= 6})
        kinds = collections.Counter()
        for synset in self.nouns:
            for key in net.above(synset):
                kinds[key] += 1
        self.kinds = {k for k, n in kinds.items() if 12 <= n <= 700 and net.names(net.synsets[k], 1)}

    def others(self, synset, word, count):
        """Other meanings of the same part of speech, half of them of the same field."""
        net, rng = self.net, self.rng
        no = net.excludes(word, synset.pos) | {synset.key}
        same = self.by_file[synset.pos, synset.lexfile]
        files = [f for f in self.by_file if f[0] == synset.pos]
        found, names = [], {w.lower() for w in synset.words} | {word.lower()}
        for _ in range(40 * count):
            if len(found) == count:
                break
            pool = same if rng.random() < 0.6 else self.by_file[rng.choice(files)]
            other = rng.choice(pool)
            if other.key in no or names & {w.lower() for w in other.words}:
                continue
            found.append(other)
            names |= {w.lower() for w in other.words}
        return found

    def name(self, word, style):
        words = word.lower().replace("'", "").replace("-", " ").split()
        if style == "camel":
            return words[0] + "".join(w.capitalize() for w in words[1:])
        return "_".join(words)

    def tool(self, synset, word, style, suffix, described, args):
        name = self.name(f"{word} {suffix}".strip(), style)
        tool = {"name": name}
        if described:
            gloss = synset.gloss
            tool["description"] = gloss[:1].upper() + gloss[1:] + self.rng.choice(("", ".")) if self.rng.random() < 0.5 else gloss
        tool["parameters"] = args
        return tool

    def verb(self):
        """The query says one word for an act, the tool is called by another."""
        net, rng = self.net, self.rng
        two = rng.random() < 0.2
        wanted, said = [], []
        while len(wanted) < (2 if two else 1):
            synset = rng.choice(self.verbs)
            known = net.names(synset, 2)
            words = net.names(synset, 1)
            if len(known) < 2 or not words or any(set(synset.words) & set(w.words) for w in wanted):
                continue
            word = rng.choice(words)
            if any(w.key in net.excludes(word, "v") for w in wanted):
                continue
            wanted.append(synset)
            said.append((word, rng.choice([k for k in known if k != word])))
        others = self.others(wanted[0], said[0][0], rng.randint(1, 5))
        if two:
            no = net.excludes(said[1][0], "v")
            others = [o for o in others if o.key not in no and not set(o.words) & set(wanted[1].words)]
        style, suffix = rng.choice(("snake", "snake", "camel")), rng.choice(("", "", "item", "it", "object", "thing"))
        described = rng.random() < 0.6
        arg = rng.choice(ARGS)
        spec = {"type": "string", "required": True}
        if rng.random() >= 0.8:
            spec = {"type": "string", "description": "What to act on.", "required": True}
        with_arg = rng.random() < 0.75
        make = lambda s, w: self.tool(s, w, style, suffix, described, {arg: dict(spec)} if with_arg else {})
        tools = [make(s, name) for s, (_, name) in zip(wanted, said)]
        answers, parts = [], []
        for (word, _), tool in zip(said, tools):
            thing = rng.choice(self.things)
            order = rng.choice(ORDERS)
            parts.append(order.format(v=word, n=thing))
            answers.append({"name": tool["name"], "arguments": {arg: thing} if with_arg else {}})
        tools += [make(o, rng.choice(net.names(o, 1))) for o in others]
        query = rng.choice(JOINTS).join(p.rstrip("?") for p in parts) if two else parts[0]
        return query, tools, answers, None if two else 0

    def sentence(self):
        """The query is a sentence in which a word is used, the tools are meanings."""
        net, rng = self.net, self.rng
        synset = rng.choice(self.sentences)
        query = rng.choice(synset.examples)
        used = [w for w in synset.words if w.split()[0].lower()[:5] in query.lower()]
        word = used[0] if used else synset.words[0]
        names = net.names(synset, 2)
        fresh = [w for w in names if w not in used]
        name = rng.choice(fresh or names)
        described = True if not fresh else rng.random() < 0.6
        style, suffix = rng.choice(("snake", "camel")), ""
        others = self.others(synset, word, rng.randint(1, 5))
        tools = [self.tool(s, n, style, suffix, described, {}) for s, n in
                 [(synset, name)] + [(o, rng.choice(net.names(o, 1))) for o in others]]
        return query, tools, [{"name": tools[0]["name"], "arguments": {}}], 0

    def enum(self, table, query, value, values, rest):
        """One tool with a list of values, beside what other tools there are."""
        rng = self.rng
        name, arg, _ = table
        values = [value] + [v for v in values if v != value]
        rng.shuffle(values)
        spec = {"type": "string", "required": True, "enum": values}
        if rng.random() < 0.3:
            description = rng.choice(("One of the list.", "Which one.", "The choice."))
            spec = {"type": "string", "description": description, "required": True, "enum": values}
        tool = {"name": name, "parameters": {arg: spec}}
        tools = [tool]
        for other_name, other_arg, _ in rng.sample(rest, rng.choice((0, 0, 1, 2))):
            if other_name != name:
                other = {"type": "string", "required": True, "enum": ["on", "off"]}
                tools.append({"name": other_name.replace("_", "_other_"), "parameters": {other_arg: other}})
        return query, tools, [{"name": name, "arguments": {arg: value}}], None

    def kind(self):
        """The query names a thing, the value is what kind of thing it is."""
        net, rng = self.net, self.rng
        while True:
            synset = rng.choice(self.nouns)
            above = net.above(synset)
            found = [k for k in above if k in self.kinds]
            if not found:
                continue
            word = rng.choice(net.names(synset, 1))
            senses = net.senses[word.lower(), "n"][:6]
            taken = set().union(*[set(net.above(net.synsets[s])) | {s} for s in senses])
            target = net.synsets[rng.choice(found)]
            value = rng.choice(net.names(target, 1))
            if value in word or word in value:
                continue
            values = []
            for key in rng.sample(sorted(self.kinds), 40):
                other = net.synsets[key]
                if key not in taken and target.key not in net.above(other) and key not in net.above(target):
                    values.append(rng.choice(net.names(other, 1)))
                if len(values) == rng.randint(2, 8):
                    break
            if len(values) < 2:
                continue
            table = rng.choice(CATEGORY)
            return self.enum(table, rng.choice(table[2]).format(w=word), value, values, CATEGORY)

    def choice(self):
        """The query says a quality in one word, the list has another for it."""
        net, rng = self.net, self.rng
        while True:
            synset = rng.choice(self.choices)
            names = net.names(synset, 1)
            pool = [w for s in [synset, *net.near(synset, ("&",))] for w in net.names(s, 2) if w not in names] or \
                net.names(synset, 2)
            word = rng.choice(pool)
            value = rng.choice(names) if names else None
            if not value or value == word:
                continue
            values = []
            for o in self.others(synset, word, rng.randint(1, 6)):
                values.append(rng.choice(net.names(o, 1)))
            for o in net.near(synset, ("!",)):
                values += net.names(o, 1)[:1]
            table = rng.choice(CHOICE)
            return self.enum(table, rng.choice(table[2]).format(w=word), value, [v for v in values if v != word], CHOICE)

    def meaning(self):
        """The query says what a word means."""
        net, rng = self.net, self.rng
        while True:
            synset = rng.choice(self.nouns if rng.random() < 0.6 else self.sentences)
            names = net.names(synset, 1)
            if names and 2 < len(synset.gloss.split()) < 16 and not any(n.lower() in synset.gloss.lower() for n in names):
                break
        value = rng.choice(names)
        values = [rng.choice(net.names(o, 1)) for o in self.others(synset, value, rng.randint(2, 6))]
        table = rng.choice((("answer", "word", ()), ("pick_word", "choice", ()), ("solve_clue", "solution", ()), ("name_it", "name", ())))
        return self.enum(table, rng.choice(MEANING).format(g=synset.gloss), value, values, CATEGORY)

    def row(self):
        rng = self.rng
        make = rng.choices((self.verb, self.sentence, self.kind, self.choice, self.meaning), (35, 20, 17, 18, 10))[0]
        query, tools, answers, drop = make()
        names = [t["name"] for t in tools]
        if len(set(names)) < len(names):
            return None
        if drop is not None and len(tools) > 1 and rng.random() < 0.18:
            del tools[drop]
            answers = []
        rng.shuffle(tools)
        if rng.random() < 0.5:
            query = query[:1].upper() + query[1:]
        return {"query": query, "tools": tools, "answers": answers}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("common")
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with open(args.common, encoding="utf-8", errors="replace") as text:
        common = collections.Counter(re.findall(r"[a-z]+(?:['-][a-z]+)*", text.read().lower()))
    maker = Maker(WordNet(args.folder, common), random.Random(args.seed))
    done = 0
    while done < args.n:
        row = maker.row()
        if row:
            print(json.dumps(row, ensure_ascii=False, separators=(",", ":")))
            done += 1


main()
