#!/usr/bin/env python3
"""baseline.py - what a keyword router is worth: BM25 over the offered tools, regular expressions
for the arguments.

Usage: contrib/baseline.py [--threshold X] < test.jsonl | needle-eval

Reads records of needle-synth or needle-finetune's form ({"query", "tools", "answers"}) and adds
"calls". One call at most; [] where the best score stays under the threshold or a required argument
is not found. It is the yardstick of share/MODEL.md, not a part of the product: standard library only.
"""
import json
import math
import re
import sys

STOP = set("a an the to of in on at for with and or is are be my me i you it this that please can could "
           "would what whats how do does from by as get set let us hey ok okay need want".split())
UNITS = dict(zip("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
                 "sixteen seventeen eighteen nineteen".split(), range(20)))
TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10)))
ON = {"on", "enable", "enabled", "start", "activate", "yes", "true", "with", "include", "including"}
OFF = {"off", "disable", "disabled", "stop", "deactivate", "no", "false", "without", "not"}
K1, B = 1.2, 0.75


def words(text):
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    return [stem(w) for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in STOP]


def stem(word):
    for end in ("ing", "ed", "es", "s"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            return word[:-len(end)]
    return word


def parameters(tool):
    """name -> schema, with "required" as a flag, from the flat form or a JSON schema."""
    p = tool.get("parameters") or {}
    if isinstance(p.get("properties"), dict):
        need = p.get("required") or []
        return {k: dict(v, required=k in need) for k, v in p["properties"].items()}
    return {k: v for k, v in p.items() if isinstance(v, dict)}


def document(tool):
    text = [tool["name"], tool["name"], tool.get("description", "")]
    for name, schema in parameters(tool).items():
        text += [name, schema.get("description", "")] + [str(e) for e in schema.get("enum", [])]
    return words(" ".join(text))


def bm25(query, docs):
    mean = sum(map(len, docs)) / len(docs) or 1
    scores = []
    for doc in docs:
        score = 0.0
        for w in set(query):
            have = sum(w in d for d in docs)
            tf = doc.count(w)
            idf = math.log(1 + (len(docs) - have + 0.5) / (have + 0.5))
            score += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(doc) / mean))
        scores.append(score / math.sqrt(len(set(query)) or 1))
    return scores


def numbers(query):
    """Values of digits and number words, in their order."""
    found, tokens, i = [], re.findall(r"-?\d+(?:\.\d+)?|[a-z]+", query.lower().replace(",", "")), 0
    while i < len(tokens):
        t = tokens[i]
        if re.match(r"-?\d", t):
            found.append(float(t))
        elif t in TENS:
            value = TENS[t]
            if i + 1 < len(tokens) and tokens[i + 1] in UNITS:
                i += 1
                value += UNITS[tokens[i]]
            found.append(float(value))
        elif t in UNITS:
            found.append(float(UNITS[t]))
        i += 1
    return found


def as_json_number(x, kind):
    return int(x) if kind == "integer" or x == int(x) else x


def enum_value(query, options):
    low = " " + re.sub(r"[^a-z0-9]+", " ", query.lower()) + " "
    for option in options:
        if isinstance(option, str) and " " + re.sub(r"[^a-z0-9]+", " ", option.lower()).strip() + " " in low:
            return option
    return None


def string_value(query, name, tool, taken):
    """Quoted text, else what follows a preposition, else what the tool's own words leave over."""
    quoted = re.findall(r"[\"“]([^\"”]+)[\"”]|(?<!\w)'([^']+)'(?!\w)", query)
    for pair in quoted:
        text = pair[0] or pair[1]
        if text not in taken:
            return text
    if re.search(r"time|date|day|when", name):
        m = re.search(r"\b(\d{1,2}(?::\d\d)?\s?(?:am|pm)|\d{1,2}:\d\d|tomorrow(?: \w+)?|tonight|today|"
                      r"(?:next |this )?(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b", query, re.I)
        return m.group(1) if m and m.group(1) not in taken else None
    m = re.search(r"\b(?:in|to|for|at|from|about|called|named|with|on|of)\s+(?:the\s+|my\s+)?([^,.?!]+?)"
                  r"(?=\s+(?:in|to|for|at|from|by|on|with|and|please)\b|[,.?!]|$)", query, re.I)
    if m and m.group(1) not in taken:
        return m.group(1)
    known = set(document(tool)) | STOP
    left = [w for w in re.findall(r"[\w'-]+", query) if w.lower() not in STOP and stem(w.lower()) not in known]
    text = " ".join(left)
    return text if text and text not in taken and text in query else None


def fill(query, tool):
    """The arguments, or None where a required one is not found."""
    left, args, taken = numbers(query), {}, set()
    tokens = set(re.findall(r"[a-z]+", query.lower()))
    for name, schema in parameters(tool).items():
        kind, value = str(schema.get("type", "string")).lower(), None
        if schema.get("enum"):
            value = enum_value(query, schema["enum"])
        elif kind in ("integer", "number", "float"):
            value = as_json_number(left.pop(0), kind) if left else None
        elif kind == "boolean":
            value = False if tokens & OFF else True if schema.get("required") and tokens & ON else None
        elif kind in ("string", "array") and schema.get("required"):
            value = string_value(query, name, tool, taken)
            taken.add(value)
            if kind == "array" and value is not None:
                value = [v for v in re.split(r",\s*(?:and\s+)?|\s+and\s+", value) if v]
        if value is not None:
            args[name] = value
        elif schema.get("required"):
            return None
    return args


def calls(record, threshold):
    tools = record["tools"]
    if isinstance(tools, str):
        tools = json.loads(tools)
    query = words(record["query"])
    if not tools or not query:
        return []
    scores = bm25(query, [document(t) for t in tools])
    best = max(range(len(tools)), key=lambda i: scores[i])
    if scores[best] < threshold:
        return []
    args = fill(record["query"], tools[best])
    return [] if args is None else [{"name": tools[best]["name"], "arguments": args}]


def main():
    threshold = 0.0
    if sys.argv[1:2] == ["--threshold"]:
        threshold = float(sys.argv[2])
    for line in sys.stdin:
        record = json.loads(line)
        record["calls"] = calls(record, threshold)
        print(json.dumps(record, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
