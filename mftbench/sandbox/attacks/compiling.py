"""Harming the compiler instead of running: R11. It must end under its limits and read nothing."""

from __future__ import annotations

from mftbench.contract import Outcome
from mftbench.sandbox.attacks.attack import Attack, attack

_CPP_ADD = "int add(int x, int y) { return x + y; }\n"


def _bomb(id: str, source: str, *expected: Outcome) -> Attack:
    kind = id.rpartition("-")[2]
    return attack(id, source, *(expected or (Outcome.COMPILE_ERROR,)), kind=kind)


COMPILING = (
    _bomb(
        "R11-templates-cpp",
        "template <int N> struct A { A<N - 1> left; A<N - 2> right; };\nA<1000000> a;\n" + _CPP_ADD,
    ),
    _bomb(
        "R11-macros-cpp",
        "#define A(x) x x x x x x x x x x\n#define B(x) A(A(A(A(x))))\n#define C(x) B(B(x))\n"
        'const char *a = C("aaaaaaaaaa");\n' + _CPP_ADD,
        Outcome.COMPILE_ERROR,
        Outcome.OUT_OF_MEMORY,
    ),
    _bomb(
        "R11-endless-include-cpp",
        '#include "/dev/urandom"\n' + _CPP_ADD,
        Outcome.COMPILE_ERROR,
        Outcome.OUT_OF_MEMORY,
    ),
    _bomb("R11-includes-secrets-cpp", '#include "/etc/shadow"\n' + _CPP_ADD),
    _bomb(
        "R11-reads-secrets-rust",
        'const SECRET: &[u8] = include_bytes!("/etc/shadow");\n'
        "fn add(x: i32, y: i32) -> i32 { x + y }\n",
    ),
    _bomb(
        "R11-macros-rust",
        "macro_rules! grow { ($($x:tt)*) => { grow!($($x)* $($x)* a) } }\ngrow!(a);\n"
        "fn add(x: i32, y: i32) -> i32 { x + y }\n",
        Outcome.COMPILE_ERROR,
        Outcome.OUT_OF_MEMORY,
    ),
    _bomb(
        "R11-embeds-secrets-go",
        'package main\nimport _ "embed"\n//go:embed /etc/shadow\nvar secret string\n'
        "func Add(x int, y int) int { return x + y }\n",
    ),
    _bomb(
        "R11-giant-constant-java",
        'class Solution { static String s = "' + "a" * 70_000 + '";\n'
        "  int add(int x, int y) { return x + y; } }\n",
    ),
)
