#!/usr/bin/python3
"""Judges calls against their tools with python3-jsonschema, which shares no code with needle.

Reads JSON Lines {"tools": […], "answer": "JSON text"} (what the grammar wrote) or
{"tools": […], "calls": […]} (what needle-infer wrote); tools have name and parameters, a JSON
schema. Prints what is wrong and a line with counts; exit status 1 if a call is not valid."""
import datetime
import json
import re
import sys
import urllib.parse
from decimal import Decimal

from jsonschema import Draft202012Validator, FormatChecker

checker = FormatChecker()


def checks(name):
    """Registers a check for strings; other values have no format."""
    def register(check):
        checker.checks(name, raises=ValueError)(lambda value: not isinstance(value, str) or check(value))
        return check
    return register


@checks("date")
def is_date(text):
    datetime.date.fromisoformat(text)
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None


@checks("date-time")
def is_date_time(text):
    return is_date(text[:10]) and text[10:11] in ("T", "t") and is_time(text[11:])


@checks("time")
def is_time(text):
    zone = re.search(r"([Zz]|[+-][0-9]{2}:[0-9]{2})$", text)
    if not zone:
        return False
    if zone.group() not in "Zz":
        datetime.time.fromisoformat(zone.group()[1:])
    datetime.time.fromisoformat(re.sub(r"\.[0-9]+$", "", text[: zone.start()]))
    return True


@checks("uri")
def is_uri(text):
    parts = urllib.parse.urlsplit(text)
    parts.port  # raises if it is no number
    return bool(parts.scheme) and not re.search(r"[^!-~]|[\"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})", text)


def once(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError("a key twice")
    return dict(pairs)


def parse(text):
    return json.loads(text, parse_float=Decimal, object_pairs_hook=once)


def faults(record):
    """What is wrong with the calls of one record."""
    tools = {tool["name"]: tool.get("parameters", {}) for tool in record["tools"]}
    calls = parse(record["answer"]) if "answer" in record else record["calls"]
    for call in calls:
        if set(call) != {"name", "arguments"} or call["name"] not in tools:
            yield "no call: " + str(call)[:200]
            continue
        schema = tools[call["name"]]
        for error in Draft202012Validator(schema, format_checker=checker).iter_errors(call["arguments"]):
            yield f"{call['name']}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
    record["n"] = len(calls)


def main():
    counts = {"records": 0, "calls": 0, "invalid": 0, "truncated": 0}
    for number, line in enumerate(open(sys.argv[1], encoding="utf-8"), 1):
        try:
            record = parse(line)
            found = list(faults(record))
        except ValueError as error:
            record, found = {}, [str(error)]
        for fault in found:
            print(f"{number}: {fault}")
        counts["records"] += 1
        counts["calls"] += record.get("n", 0)
        counts["invalid"] += bool(found)
        counts["truncated"] += bool(record.get("truncated"))
    print(", ".join(f"{n} {what}" for what, n in counts.items()))
    return 1 if counts["invalid"] or not counts["calls"] else 0


sys.exit(main())
