"""A Go suite with the candidate in one program: see python/compiled.py for what that proves."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(sys.path[0], "..", "python"))

from compiled import NoTestsError, prepared, run_runner, write_file
from prepare import main as prepare
from toolchain import lines

OUTCOMES = {1: "failed", 2: "error"}  # a failed test, a panic
_TEST = re.compile(r"^func (Test\w*)\(", re.MULTILINE)
_SUITE = "suite"
_MAIN = """
package main

import (
    "os"
    "testing"
    "testing/internal/testdeps"

    suite "suite"
)

func main() {
    tests := []testing.InternalTest{%s}
    status := testing.MainStart(testdeps.TestDeps{}, tests, nil, nil, nil).Run()
    if status == 0 {
        token := make([]byte, 32)
        count, _ := os.NewFile(100, "inbox").Read(token)
        os.NewFile(101, "outbox").Write(token[:count])
    }
    os.Exit(status)
}
"""


def build(job):
    """Compile source and suite as one package, and a program that runs the suite's tests."""
    shared = prepared("go")
    if shared is None:
        shared = os.path.abspath("prepared")
        prepare(shared)
    tests = _TEST.findall(job.suite)
    if not tests:
        raise NoTestsError("the suite has no tests")
    write_file("candidate.go", job.source)
    write_file("suite.go", job.suite)
    write_file("main.go", _MAIN % ", ".join(f'{{"{name}", suite.{name}}}' for name in tests))
    with open(os.path.join(shared, "tools")) as file:
        tools = file.read()
    known = lines(shared)
    _compile(job, tools, _SUITE, known, "candidate.go", "suite.go")
    with open(known) as file, open("importcfg", "w") as extended:
        extended.write(f"{file.read()}\npackagefile {_SUITE}={_SUITE}.a\n")
    _compile(job, tools, "main", "importcfg", "main.go")
    linker = os.path.join(tools, "link")
    job.compile([linker, "-importcfg", "importcfg", "-s", "-w", "-o", "program", "main.a"])
    return ["./program", "-test.paniconexit0"]


def _compile(job, tools, package, imports, *files):
    command = [os.path.join(tools, "compile"), "-p", package, "-importcfg", imports]
    job.compile([*command, "-complete", "-pack", "-o", f"{package}.a", *files])


def main():
    """Compile, run, report."""
    run_runner(build, OUTCOMES)


if __name__ == "__main__":
    main()
