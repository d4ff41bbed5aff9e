import re
from itertools import islice
from random import Random

import pytest

from mftbench.starter.composing import compose
from mftbench.starter.corpus import documents
from mftbench.starter.grammar import HELD_OUT, Kind, split_of
from mftbench.starter.operations import ANSWERS, OPERATIONS, TRANSFORMS
from mftbench.starter.querying import ask, draw_select
from mftbench.starter.suite import DIFFICULTIES, programs, queries
from mftbench.starter.values import PARAMETERS

DIGITS_AS_LETTERS = str.maketrans("012", "OIZ")

NAMES = re.compile(r"\b(?:" + "|".join(name for k in PARAMETERS.values() for name in k) + r")\b")
FIXED = re.compile(r"% 2 == [01]|% 10|\[::2\]|\[0\]|\[-1\]")  # numbers that are not constants
CONSTANTS = re.compile(r'(?<![\w.])\d+|"[a-z!]"|"(?:ant|bee|cat|dog|elk)"')


def skeleton(item):
    """Forget names and constants of a program: what is left is its composition."""
    header, body = item.python.split("\n", 1)
    kept = FIXED.sub(lambda found: found[0].translate(DIGITS_AS_LETTERS), body)
    return header.split(": ")[1], CONSTANTS.sub("K", NAMES.sub("x", kept))


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_train_and_test_share_no_composition(difficulty):
    count = 900 if difficulty > 1 else 200
    train = {skeleton(i) for i in programs("train", count, difficulty=difficulty, seed=1, task="a")}
    test = {skeleton(i) for i in programs("test", 120, difficulty=difficulty, seed=2, task="b")}
    assert len(test) > 20
    assert not train & test


def test_train_and_test_share_no_query():
    train = {item.query for item in queries("train", 2000, difficulty=1, seed=1)}
    assert not train & {item.query for item in queries("test", 200, difficulty=1, seed=2)}


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_draw_keeps_to_its_split(split):
    rng = Random(0)
    drawn = [draw_select(2, split, rng) for _ in range(300)]
    asked = [ask(2, split, rng) for _ in range(100)]
    assert any(drawn)
    assert any(asked)


def test_the_held_out_share_of_structures_is_as_declared():
    rng = Random(0)
    structures = {compose(3, rng).structure for _ in range(4000)}
    held_out = sum(split_of(structure) == "test" for structure in structures)
    assert abs(held_out / len(structures) - 1 / HELD_OUT) < 0.03


def test_every_operation_is_seen_in_training():
    rng = Random(0)
    drawn = (compose(2, rng) for _ in range(6000))
    trained = [c for c in drawn if split_of(c.structure) == "train"]
    seen = {stage.operation.name for composition in trained for stage in composition.stages}
    assert seen == {operation.name for operation in OPERATIONS}


def test_operation_names_are_distinct():
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_every_value_can_be_transformed_and_answered():
    for kind in set(Kind) - {Kind.TRUTH}:
        assert TRANSFORMS[kind]
        assert ANSWERS[kind]


def test_every_phrase_uses_the_constant_exactly_when_there_is_one():
    for operation in OPERATIONS:
        for text in (operation.python, operation.javascript, *operation.phrases):
            assert ("$k" in text) == bool(operation.constants), (operation.name, text)


def bodies(text):
    """Find the bodies of Python functions in a text."""
    return {part.split("\n", 1)[1] for part in text.split("\n\n") if part.startswith("def ")}


def test_corpus_holds_no_test_program():
    test = [*programs("test", 120, difficulty=1, seed=1, task="completion"),
            *programs("test", 120, difficulty=2, seed=1, task="completion")]  # fmt: skip
    corpus = bodies("\n\n".join(islice(documents(0), 5000)))
    assert len(corpus) > 300
    assert not corpus & bodies("\n\n".join(item.python for item in test))


def test_corpus_is_the_same_for_a_seed():
    assert list(islice(documents(5), 50)) == list(islice(documents(5), 50))
