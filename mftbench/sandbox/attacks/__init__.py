"""Hostile and awkward programs, with the verdicts that they must get.

Ids begin with those of the threat model's adversarial list: V forging a verdict, R resources, P
lifetime of processes, I isolation, E encoding. What stands here is run by ``mftbench sandbox
selftest`` and by the conformance check of sandboxes.

Those in ``HARMFUL`` harm the machine itself, and whoever runs them, where processes are not
isolated: they fork, fill memory or kill without bound. Never run them in a backend that does not
claim to hold them.
"""

from __future__ import annotations

from mftbench.sandbox.attacks.attack import ENTRY_POINT, PROMPT, SUITE, Attack
from mftbench.sandbox.attacks.encoding import TEXTS, VALUES
from mftbench.sandbox.attacks.forging import FORGING, PLUS
from mftbench.sandbox.attacks.isolation import ISOLATION
from mftbench.sandbox.attacks.languages import LANGUAGES
from mftbench.sandbox.attacks.lifetime import LIFETIME
from mftbench.sandbox.attacks.programs import LANGUAGE_OF, attack_program
from mftbench.sandbox.attacks.resources import RESOURCES
from mftbench.sandbox.attacks.sql import SQL
from mftbench.sandbox.attacks.tests import TESTS

__all__ = [
    "ATTACKS",
    "ENTRY_POINT",
    "EVERY_ATTACK",
    "HARMFUL",
    "HARMLESS",
    "ISOLATION",
    "LANGUAGE_OF",
    "PROMPT",
    "SUITE",
    "Attack",
    "attack_program",
]

ATTACKS: tuple[Attack, ...] = (*FORGING, *RESOURCES, *LIFETIME, *VALUES)
"""Completions of one Python function; so they serve any Python suite."""

EVERY_ATTACK: tuple[Attack, ...] = (
    *(*ATTACKS, *ISOLATION, *TEXTS, *PLUS, *TESTS, *SQL),
    *LANGUAGES,
)
HARMFUL = frozenset(
    {
        *("R1-fork-bomb", "R1-fork-bomb-ignoring-errors", "R1-threads", "R3-memory-of-children"),
        *("R4-many-files", "P4-zombies", "P5-kills-around"),
        "V13-shadow-modules",  # in /tmp, for every Python script that is run from there
        *(attack.id for attack in ISOLATION),
    }
)
HARMLESS: tuple[Attack, ...] = tuple(attack for attack in ATTACKS if attack.id not in HARMFUL)
