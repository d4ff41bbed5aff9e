"""A Java suite with the candidate in one program: see python/compiled.py for what that proves."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(sys.path[0], "..", "python"))

from compiled import prepared, run_runner, write_file
from prepare import compile_launcher
from toolchain import ARCHIVE, JAR, launch

_HERE = os.path.dirname(os.path.abspath(__file__))
# The exit statuses of Launcher.java.
OUTCOMES = {65: "compile_error", 66: "failed", 67: "error", 68: "out_of_memory"}
_HEAP_SHARE = 0.6  # of the memory: classes, code and stacks need the rest


def build(job):
    """Write source and suite as one file; the launcher compiles it in its own virtual machine."""
    shared = prepared("java")
    jar = os.path.join(shared or ".", JAR)
    if shared is None:
        compile_launcher(os.path.join(_HERE, "Launcher.java"), JAR, "launcher")
    # Defined after the last line of the suite: a source that swallows the suite lacks it.
    # Its base comes before the suite: a comment that a source leaves open takes that in first.
    mark = f"Suite{os.urandom(8).hex()}"
    suite = f"class Before{mark} {{}}\n{job.suite}\nclass {mark} extends Before{mark} {{}}\n"
    write_file("Main.java", f"{job.source}\n{suite}")
    heap = int(_HEAP_SHARE * job.limits["memory_bytes"]) >> 20
    options = [f"-Xmx{heap}m"]
    if shared is not None:
        options.append(f"-XX:SharedArchiveFile={os.path.join(shared, ARCHIVE)}")
    return [*launch(jar, *options), "Main.java", mark]


def main():
    """Compile, run, report."""
    run_runner(build, OUTCOMES)


if __name__ == "__main__":
    main()
