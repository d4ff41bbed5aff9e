"""Go files that stand alone: imports are those used, whatever the text brought."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mftbench.suites_go import go_file


def imports(text):
    return [line for line in go_file(text).splitlines() if line.startswith("import")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("func F() int { return 1 }", []),
        ("func F() float64 { return math.Abs(1) }", ['import  "math"']),
        ('import (\n    "math"\n)\nfunc F() int { return 1 }', []),
        ('import (\n    "math"\n    "sort"\n)\nfunc F() { sort.Ints(nil) }', ['import  "sort"']),
        ('import m "math"\nfunc F() float64 { return m.Pi }', ['import m "math"']),
        ('import "example.com/x"\nfunc F() { x.Do() }', ['import  "example.com/x"']),
        ('import _ "embed"\nfunc F() {}', ['import _ "embed"']),
        ('func F() string { return "math.Pi" } // strings.ToUpper', []),
        ("func F(a T) int { return a.math.Abs }", []),
        ("assert := assert.New(t)", ['import  "github.com/stretchr/testify/assert"']),
    ],
)
def test_imports_are_exactly_those_used(text, expected):
    assert imports(text) == expected


def test_the_package_clause_is_there_once():
    for text in ("func F() {}", "package main\nfunc F() {}", "package other\n\nfunc F() {}"):
        assert go_file(text).count("package ") == 1
        assert go_file(text).startswith("package main\n")


@given(st.text(st.sampled_from("import()\"'`/*\n .mathpackage")))
def test_any_text_is_answered_and_stays_as_it_is_the_second_time(text):
    once = go_file(text)
    assert once.startswith("package main")
    assert go_file(once).count('import  "math"') <= 1
