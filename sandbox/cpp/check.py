"""A C++ suite with the candidate in one program: see python/compiled.py for what that proves."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(sys.path[0], "..", "python"))

from compiled import end_object, prepared, run_runner, write_file
from toolchain import COMPILER, FLAGS, PRELUDE

_HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = "program.cpp"
# Where an assertion fails or an exception reaches nobody.
OUTCOMES = {-signal.SIGABRT: "failed"}


def build(job):
    """Compile source and suite as one translation unit."""
    shared = prepared("cpp")
    prelude = os.path.join(shared or _HERE, PRELUDE)
    end, missing = end_object(shared)
    for command in missing:
        job.compile(command)
    # Defined after the last line of the suite: a source that swallows the suite does not link.
    mark = f"suite_{os.urandom(8).hex()}"
    write_file(PROGRAM, _join(job.source, job.suite, mark))
    link = [end, "-Wl,--wrap=main", f"-Wl,--require-defined={mark}", "-lcrypto", "-o", "program"]
    command = [COMPILER, *FLAGS, "-include", prelude, PROGRAM, *link]
    job.compile(command, job.limits["memory_bytes"])
    return ["./program"]


def _join(source, suite, mark):
    # The blank line is for a source that ends in a backslash. What takes in more than that, such as
    # an open comment, takes in the class as well, and then the last line does not compile.
    return (
        f'#line 1 "candidate.cpp"\n{source}\n\n#undef main\nclass in_{mark} {{}};\n'
        f'#line 1 "suite.cpp"\n{suite}\nextern "C" {{ in_{mark} {mark}; }}\n'
    )


def main():
    """Compile, run, report."""
    run_runner(build, OUTCOMES)


if __name__ == "__main__":
    main()
