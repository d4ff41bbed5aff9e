"""Become another program under the limits: for interpreters that cannot limit themselves.

The message stays on standard input for that program; only its limits are read here.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from session import confine


def main():
    """Set the limits, then become the program."""
    with os.fdopen(os.dup(0), "rb") as message:
        limits = json.load(message)["limits"]
    # Managed heaps reserve far more address space than they use: their memory is watched instead.
    limits["memory_bytes"] = None
    confine(limits)
    os.lseek(0, 0, os.SEEK_SET)
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
