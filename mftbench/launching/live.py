"""The progress of a job, read from what it wrote to standard error as JSON lines."""

from __future__ import annotations

import json


def last_progress(log: str) -> str:
    """Say how far a job is, from the last event in its log; "" where there is none."""
    for line in reversed(log[-4096:].splitlines()):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "done" in event:
            note = f" {event['note']}" if event.get("note") else ""
            return f": {event['done']}/{event['total']}{note}"
    return ""
