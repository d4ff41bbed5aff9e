"""What an attack is, and the small problem that most attacks pretend to solve."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mftbench.contract import Outcome

PROMPT = 'def add(x: int, y: int):\n    """Add two numbers x and y."""\n'
SUITE = """
def check(candidate):
    assert candidate(0, 1) == 1
    assert candidate(2, 3) == 5
    assert candidate(-4, 4) == 0

check(add)
"""
ENTRY_POINT = "add"
WRONG = "    return x - y - 1\n"
RIGHT = "    return x + y\n"
FAILURES = frozenset(set(Outcome) - {Outcome.PASSED})


@dataclass(frozen=True)
class Attack:
    """One text and the outcomes that are right for it.

    ``kind`` says what the text is and how it is run: a key of ``programs.PROGRAMS``. Of kind python
    it is a completion of ``PROMPT``, as a model would give it; of every other kind it is the whole.
    """

    id: str
    completion: str
    expected: frozenset[Outcome]
    kind: str = "python"

    @property
    def source(self) -> str:
        """The whole program."""
        return PROMPT + self.completion if self.kind == "python" else self.completion


def attack(id: str, completion: str, *expected: Outcome, kind: str = "python") -> Attack:
    """Make an attack; any of the outcomes is right."""
    return Attack(id, completion, frozenset(expected), kind)


def escape(id: str, attempts: Collection[str], setting: str = "") -> Attack:
    """Make a completion that tries each expression, and is right if none of them comes true.

    What came true is printed. ``setting`` is executed first: functions and imports that they use.
    """
    lines = "".join(f"    {line}\n" for line in setting.splitlines())
    tries = "".join(f"    attempt({text!r}, lambda: {text})\n" for text in attempts)
    completion = f"""    import ctypes, os, resource, signal, socket
    libc, found = ctypes.CDLL(None), []
    def attempt(name, action):
        try:
            if action():
                found.append(name)
        except Exception:
            pass
{lines}{tries}    print("escaped:", found)
    return x + y if not found else x - y - 1
"""
    return attack(id, completion, Outcome.PASSED)
