"""Writes question and answer pairs of chatterbot-corpus (a wheel of PyPI) as JSON Lines.

usage: recall_pairs.py WHEEL > PAIRS.jsonl

Takes the first answer of every English conversation once, but for the programs in coding.yml.
"""

import json
import sys
import zipfile


def unquoted(text):
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace("''", "'")
    return text


def pairs(text):
    said = []
    for line in text.splitlines() + ["- - "]:
        if line.startswith("- - "):
            if len(said) > 1 and all(said[:2]):
                yield unquoted(said[0]), unquoted(said[1])
            said = [line[4:]]
        elif line.startswith("  - ") and said:
            said.append(line[4:])
        elif line.startswith("    ") and said:
            said[-1] += " " + line.strip()


seen = set()
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in sorted(wheel.namelist()):
        if "/english/" in name and name.endswith(".yml") and not name.endswith("/coding.yml"):
            for asked, answered in pairs(wheel.read(name).decode()):
                if (asked, answered) in seen:
                    continue
                seen.add((asked, answered))
                print(json.dumps({"asked": asked, "answered": answered}, ensure_ascii=False))
