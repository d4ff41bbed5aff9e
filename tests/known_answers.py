"""Right and wrong answers to any problem: its gold in several dresses, and changes whose verdict
is certain. What is wrong about a wrong one is written here; no text of a data set is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mftbench.contract import Outcome, Problem
from mftbench.languages import LANGUAGES, Language

PASSED = frozenset({Outcome.PASSED})
NO_CODE = frozenset({Outcome.NO_CODE})
FAILED = frozenset({Outcome.FAILED})
ERROR = frozenset({Outcome.ERROR})
EARLY_EXIT = frozenset({Outcome.EARLY_EXIT})
TIMEOUT = frozenset({Outcome.TIMEOUT})
NO_BUILD = frozenset({Outcome.ERROR, Outcome.COMPILE_ERROR})
# A wrong value may make the suite itself stumble: a comparison with None, say.
WRONG_VALUE = FAILED | ERROR
# Prose may hold a line that looks like code.
NO_ANSWER = NO_CODE | NO_BUILD


@dataclass(frozen=True)
class Answer:
    """A completion, how it came about, and the outcomes of which one must be found."""

    kind: str
    text: str
    outcomes: frozenset[Outcome]


# Bodies of a function in Python, of whatever parameters.
PYTHON_BODIES = {
    "returns nothing": ("    return None\n", WRONG_VALUE),
    "a wrong constant": ("    return 'not what was asked for'\n", WRONG_VALUE),
    "raises": ("    raise KeyError(1)\n", ERROR),
    "recurses": (
        "    return (lambda f: f(f))(lambda f: f(f))\n",
        ERROR,
    ),
    "leaves": ("    import os\n    os._exit(0)\n", EARLY_EXIT),
    "exits": ("    raise SystemExit(0)\n", EARLY_EXIT | ERROR),
    "does not parse": ("    return (\n", NO_BUILD | NO_CODE),
    "an unknown name": ("    return there_is_no_such_name\n", ERROR),
}
PYTHON_ENDLESS = "    while True:\n        pass\n"

# First statements of a function in a language with braces; what follows still compiles. In C++ and
# in Rust what is not caught ends the process as a failed assertion does, so it is no error apart.
STATEMENTS = {
    "java": {
        "throws": ("if (true) throw new RuntimeException();", ERROR),
        "leaves": ("System.exit(0);", EARLY_EXIT),
        "endless": ("if (true) while (true) {}", TIMEOUT),
        "does not compile": ("int x = ;", NO_BUILD),
        "an unknown name": ("thereIsNoSuchName();", NO_BUILD),
    },
    "cpp": {
        "throws": ("if (true) throw 1;", FAILED),
        "leaves": ("exit(0);", EARLY_EXIT),
        "endless": ("for (volatile int i = 0; ; ) { i = 1; }", TIMEOUT),
        "returns a default": ("if (true) return {};", WRONG_VALUE),
        "does not compile": ("int x = ;", NO_BUILD),
    },
    "javascript": {
        "throws": ('if (true) throw new Error("no");', ERROR),
        "leaves": ("process.exit(0);", EARLY_EXIT),
        "endless": ("while (true) {}", TIMEOUT),
        "a wrong constant": ('if (true) return "not what was asked for";', WRONG_VALUE),
        "does not parse": ("let x = ;", NO_BUILD),
    },
    "go": {
        "panics": ('if true { panic("no") }', ERROR),
        "endless": ("for { }", TIMEOUT),
        "does not compile": ("x := ", NO_BUILD),
        "an unknown name": ("thereIsNoSuchName()", NO_BUILD),
        "an unused variable": ("unused := 1", NO_BUILD),
    },
    "rust": {
        "panics": ("if true { panic!() }", FAILED),
        "leaves": ("if true { std::process::exit(0) }", EARLY_EXIT),
        "endless": ("if true { loop {} }", TIMEOUT),
        "does not compile": ("let x = ;", NO_BUILD),
        "an unknown name": ("there_is_no_such_name();", NO_BUILD),
    },
}

TESTS = {
    "fails on the function": ("assert 1 == 2\n", FAILED),
    "asks nothing": ("x = 1\n", frozenset({Outcome.NO_TESTS, Outcome.FAILED})),
    "asserts the true": ("assert True\n", frozenset({Outcome.NO_TESTS, Outcome.FAILED})),
    "calls and accepts all": ("try:\n    {name}\nexcept Exception:\n    pass\nassert True\n",
                              frozenset({Outcome.NO_TESTS, Outcome.FAILED})),
    "raises": ("raise KeyError(1)\n", ERROR),
    "leaves": ("import os\nos._exit(0)\n", EARLY_EXIT),
    "does not parse": ("assert (\n", NO_BUILD | NO_CODE),
    "an unknown name": ("assert there_is_no_such_name() == 1\n", ERROR),
}  # fmt: skip


def answers(task: str, problem: Problem, *, endless: bool) -> Iterator[Answer]:
    """Give the answers to a problem; ``endless`` ones cost the whole time limit each."""
    language = LANGUAGES[str(problem.facts.get("language", "python"))]
    yield Answer("gold", problem.gold, PASSED)
    # A fence is closed on a line of its own.
    gold = problem.gold if problem.gold.endswith("\n") else f"{problem.gold}\n"
    label = language.labels[0]
    if task != "completion":
        yield Answer("fenced", f"Sure:\n```{label}\n{gold}```\nThat is it.", PASSED)
    else:
        whole = f"{problem.prompt}{gold}"
        yield Answer("fenced", f"Sure:\n```{label}\n{whole}```\nThat is it.", PASSED)
    yield Answer("Windows line ends", problem.gold.replace("\n", "\r\n"), PASSED)
    yield Answer("nothing", "", NO_CODE)
    yield Answer("white space", "  \n\n", NO_CODE)
    yield Answer("prose", "I cannot answer that.", NO_ANSWER)
    if task == "test_generation":
        name = entry_point(problem)
        for kind, (text, outcomes) in TESTS.items():
            yield Answer(kind, text.replace("{name}", name), outcomes)
    elif language.braces:
        yield from _braced(task, problem, language, endless)
    else:
        yield from _python(task, problem, endless)


def entry_point(problem: Problem) -> str:
    """Name the function under test."""
    names = problem.facts["entry_points"]
    assert isinstance(names, list)
    return str(names[0])


def _python(task: str, problem: Problem, endless: bool) -> Iterator[Answer]:
    # A completion is a body; elsewhere the gold's function is defined once more, and that counts.
    name = entry_point(problem)
    head = "" if task == "completion" else f"{problem.gold}\n\ndef {name}(*arguments, **named):\n"
    own = "" if head else problem.gold.lstrip("\n")
    indent = own[: len(own) - len(own.lstrip())] or "    "
    for kind, (body, outcomes) in PYTHON_BODIES.items():
        yield Answer(kind, head + body.replace("    ", indent), outcomes)
    if endless:
        yield Answer("endless", head + PYTHON_ENDLESS.replace("    ", indent), TIMEOUT)


def _braced(task: str, problem: Problem, language: Language, endless: bool) -> Iterator[Answer]:
    for kind, (statement, outcomes) in STATEMENTS[language.name].items():
        if kind == "endless" and not endless:
            continue
        changed = statement + "\n" + problem.gold
        if task != "completion":
            changed = _inserted(statement, problem.gold, entry_point(problem), language)
        yield Answer(kind, changed, outcomes)


def _inserted(statement: str, gold: str, name: str, language: Language) -> str:
    """Put a statement at the beginning of a function that the gold defines."""
    found = language.defined(gold, name)
    assert found, f"the gold does not define {name}"
    body = re.compile(r"\{[ \t]*\n").search(gold, found.start())
    assert body, f"the body of {name} does not begin on a line of its own"
    return gold[: body.end()] + statement + "\n" + gold[body.end() :]
