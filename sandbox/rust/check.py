"""A Rust suite with the candidate in one crate: see python/compiled.py for what that proves."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(sys.path[0], "..", "python"))

from compiled import (
    CompileTimeoutError,
    NoTestsError,
    end_object,
    prepared,
    run_runner,
    write_file,
)
from toolchain import COMPILER, FLAGS, externs

OUTCOMES = {101: "failed"}  # a panic, in a test or outside
_LIST_S = 5


def build(job):
    """Compile source and suite as one crate under Rust's own test harness."""
    shared = prepared("rust")
    end, missing = end_object(shared)
    for command in missing:
        job.compile(command)
    # Between the two: an attribute that a source leaves dangling takes the mark, not the suite.
    mark = f"mark_{os.urandom(8).hex()}"
    write_file("program.rs", f"{job.source}\n#[test]\nfn {mark}() {{}}\n{job.suite}\n")
    link = ["-C", f"link-arg={end}", "-C", "link-arg=-Wl,--wrap=main", "-o", "program"]
    job.compile([COMPILER, *FLAGS, "--test", *externs(shared), *link, "program.rs"])
    wanted, found = job.suite.count("#[test]"), _tests()
    if not wanted or mark not in found or len(found) <= wanted:
        raise NoTestsError(f"of {wanted} tests some are not in the program")
    return ["./program"]


def _tests():
    """List what the harness would run: a source may have hidden the suite from the compiler."""
    try:
        said = subprocess.run(
            ["./program", "--list"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LIST_S,
        ).stdout
    except subprocess.TimeoutExpired:
        raise CompileTimeoutError("listing the tests took too long") from None
    lines = said.decode("utf-8", "replace").splitlines()
    return [line.removesuffix(": test") for line in lines if line.endswith(": test")]


def main():
    """Compile, run, report."""
    run_runner(build, OUTCOMES)


if __name__ == "__main__":
    main()
