"""EvalPlus problems: the reference judges from another process, by upstream's rules."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runner_modules import runner_module

from mftbench.contract import Limits, Outcome, Problem
from mftbench.errors import SandboxError
from mftbench.suites_plus import PlusSuite, judge_plus, plus_program, typed

wire = runner_module("wire")
oracles = runner_module("oracles")

REFERENCE = "def f(values):\n    return [value / 3 for value in values]\n"


def judged(sandbox, source, *, reference=REFERENCE, atol=0.0, base=([[3]],), plus=([[1, 2]],)):
    suite = PlusSuite(reference, "f", base, plus, atol, "humaneval")
    problem = Problem("p", "", "", suite.facts())
    program = replace(plus_program(problem, source), limits=Limits(wall_s=3))
    return judge_plus(problem, sandbox.run(program, Limits()))


@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize(
    ("source", "outcome", "scores"),
    [
        (REFERENCE, Outcome.PASSED, (1, 1)),
        (REFERENCE.replace("/ 3", "* (1 / 3)"), Outcome.PASSED, (1, 1)),
        ("def f(v): return [1.0]", Outcome.FAILED, (1, 0)),
        ("def f(v): return (1.0,)", Outcome.FAILED, (0, 0)),
        ("def f(v): return None", Outcome.FAILED, (0, 0)),
        ("def f(v): return [1.0] if len(v) == 1 else 1 / 0", Outcome.ERROR, (1, 0)),
        ("import os\ndef f(v): os._exit(0)", Outcome.EARLY_EXIT, (0, 0)),
        ("def f(v): v.clear(); return []", Outcome.FAILED, (0, 0)),
        ("def f(", Outcome.COMPILE_ERROR, (0, 0)),
        ("def f(v):\n    while len(v) > 1: pass\n    return [1.0]", Outcome.TIMEOUT, (1, 0)),
    ],
)
def test_a_completion_is_compared_with_the_reference(bubblewrap, source, outcome, scores):
    verdict = judged(bubblewrap, source)
    assert verdict.outcome is outcome, verdict.reason
    assert (verdict.scores["base"], verdict.scores["plus"]) == scores


@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize(
    ("source", "passes"),
    [
        ("import re\ndef check_str(text): return re.match('a', text)", True),
        ("def check_str(text): return text.startswith('a')", True),
        ("def check_str(text): return None", False),
        ("def check_str(text): return True", False),
    ],
)
def test_where_upstream_asks_only_for_a_value_its_type_does_not_matter(bubblewrap, source, passes):
    reference = "import re\ndef check_str(text): return re.match('a', text)\n"
    suite = PlusSuite(reference, "check_str", [["ab"]], [["b"]], 0, "mbpp")
    problem = Problem("p", "", "", suite.facts())
    execution = bubblewrap.run(plus_program(problem, source), Limits())
    assert judge_plus(problem, execution).passed is passes


@pytest.mark.needs_bubblewrap
def test_a_reference_that_does_not_load_gives_no_verdict(bubblewrap):
    with pytest.raises(SandboxError, match="LoadError"):
        judged(bubblewrap, REFERENCE, reference="def f(")


@pytest.mark.needs_bubblewrap
def test_the_candidate_finds_no_reference_and_no_other_input(bubblewrap):
    source = (
        "import gc\ndef f(values):\n"
        "    texts = [each for each in gc.get_objects() if isinstance(each, str)]\n"
        "    found = [each for each in texts if 'value / 3 ' + 'for' in each]\n"
        "    return [] if found else [value / 3 for value in values]\n"
    )
    assert judged(bubblewrap, source).passed


INPUTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.sets(st.integers(), max_size=1)  # so that repr knows no order
        | st.dictionaries(st.integers() | st.text("ab"), inner)
    ),
    max_leaves=10,
)


@given(INPUTS)
def test_typed_inputs_are_what_the_sandbox_reads(value):
    assert repr(wire.decode(wire.parse(wire.write(typed(value))))) == repr(value)


def test_a_value_without_a_form_is_refused():
    with pytest.raises(TypeError, match="'object'"):
        typed([object()])


@pytest.mark.parametrize(
    ("oracle", "arguments", "found", "expected", "right"),
    [
        (None, [], 1.0000000001, 1.0, True),
        (None, [], 1.1, 1.0, False),
        (None, [], 1, 1.0, True),
        (None, [], "a", 1.0, False),
        (None, [], [1.0, float("nan")], [1.0, float("nan")], False),
        (None, [], math.inf, math.inf, True),
        (None, [], {1: 2}, {1: 2}, True),
        ("mbpp/find_dissimilar", [], (2, 1), (1, 2), True),
        ("mbpp/find_dissimilar", [], (3,), (1, 2), False),
        ("mbpp/check_str", [], "match", True, True),
        ("mbpp/check_str", [], None, True, False),
        ("mbpp/check_str", [], False, True, False),
        ("mbpp/are_equivalent", [], 1, 2, True),
        ("mbpp/sum_div", [], 0, 7, True),
        ("mbpp/digit_distance_nums", [23, 7], 2 + 4, 5, True),
        ("mbpp/surface_Area", [3, 4], 35, 33, True),
        ("mbpp/surface_Area", [3, 4], 36, 33, False),
        ("humaneval/find_zero", [[-2.0, 1.0]], 2.0, 1.0, True),
    ],
)
def test_the_rules_of_comparison_are_upstream_s(oracle, arguments, found, expected, right):
    assert (
        oracles.agree(oracle, arguments, found, expected, 0.0 if oracle is None else 1e-6) is right
    )
