"""Write the self-test's table into docs/concepts/sandbox.md, from runs of every backend.

Run ``mftbench sandbox selftest --sandbox NAME --json > NAME.jsonl`` for each, then this with the
files as arguments.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

PAGE = Path(__file__).parent / "concepts" / "sandbox.md"
BEGIN, END = "<!-- selftest -->\n", "<!-- /selftest -->\n"
GROUPS = {
    "V": "forging a verdict",
    "R": "exhausting resources",
    "P": "outliving the verdict",
    "I": "reaching the machine",
    "E": "awkward texts and values",
}
Counts = dict[str, int]


def main(files: list[str]) -> None:
    """Count lines per id and backend, and replace what is between the marks."""
    backends: dict[str, dict[str, Counts]] = {}
    for file in files:
        lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
        backends[lines[0]["sandbox"]] = count(lines)
    page = PAGE.read_text()
    head, tail = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(head + BEGIN + table(backends) + END + tail)


def count(lines: list[dict[str, str]]) -> dict[str, Counts]:
    """Count results by the id's letter and number; others by what they are."""
    found: dict[str, Counts] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        match = re.match(r"[VRPIE]\d+", line["id"])
        name = match[0] if match else "host" if line["expected"] == "unchanged" else "controls"
        found[name][line["result"]] += 1
    return found


def table(backends: dict[str, dict[str, Counts]]) -> str:
    """Make the Markdown table: one row per id."""
    names = {name for counts in backends.values() for name in counts}
    rows = [f"| attack | {' | '.join(f'`{name}`' for name in backends)} |"]
    rows.append("|---" * (len(backends) + 1) + "|")
    for name in sorted(names, key=order):
        cells = [cell(counts.get(name, {})) for counts in backends.values()]
        rows.append(f"| {title(name)} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def order(name: str) -> tuple[int, int, str]:
    """Sort by letter as the list does, then by number; what has none comes last."""
    letters = "".join(GROUPS)
    number = int(name[1:]) if name[1:].isdigit() else 0
    return (letters.find(name[0]) if number else len(letters), number, name)


def title(name: str) -> str:
    """Name the group where it begins."""
    return f"{name}, {GROUPS[name[0]]}" if name[1:] == "1" and name[0] in GROUPS else name


def cell(counts: Counts) -> str:
    """Say what became of an id's attacks."""
    words = {"held": "held", "known": "not held", "ESCAPED": "ESCAPED", "skipped": "not run"}
    said = [f"{counts[key]} {word}" for key, word in words.items() if counts.get(key)]
    return ", ".join(said) or "-"


if __name__ == "__main__":
    main(sys.argv[1:])
