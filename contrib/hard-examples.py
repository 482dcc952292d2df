#!/usr/bin/env python3
"""Of examples that a model has answered those that it got wrong, and some of the rest.

    needle-synth --split train | needle-infer -m MODEL | hard-examples.py [OPTION]... | needle-finetune -m MODEL ... -

A model that is right on most examples learns little from them, and asking it costs a fraction of training on its answer.
Which of the right ones pass is drawn; more of those that it was unsure of. Lines come out as examples again, without
"calls" and "confidence", as soon as they are read: the reader sets the pace. How many came and passed is said at the end.
"""
import argparse
import json
import random
import signal
import sys


def canonical(calls):
    return sorted(json.dumps(call, sort_keys=True) for call in calls)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sure", type=float, default=0.1, metavar="X", help="share of the right answers that passes [0.1]")
    parser.add_argument("--unsure", type=float, default=0.4, metavar="X", help="of those with a confidence under 0.75 [0.4]")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    asked = wrong = kept = 0
    for number, line in enumerate(sys.stdin, 1):
        try:
            row = json.loads(line)
            right = canonical(row.pop("calls")) == canonical(row["answers"])
            confidence = row.pop("confidence")
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            sys.exit(f"hard-examples.py: line {number}: expected an example with \"answers\", \"calls\" and \"confidence\": {problem}")
        asked += 1
        wrong += not right
        if right and draw.random() >= (options.sure if confidence >= 0.75 else options.unsure):
            continue
        kept += 1
        print(json.dumps(row, ensure_ascii=False, separators=(",", ":")), flush=True)
    print(f"hard-examples.py: {asked} asked, {wrong} wrong, {kept} passed", file=sys.stderr)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
