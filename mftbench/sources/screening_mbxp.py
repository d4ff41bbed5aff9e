"""Find MBXP's training solutions that fail their own tests, in the sandbox: ``mbxp_broken.py``.

``python -m mftbench.sources.screening_mbxp java`` prints the numbers of one language.
"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mftbench.contract import Limits, Problem, Program
from mftbench.errors import SandboxError
from mftbench.languages import LANGUAGES
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.select import open_sandbox
from mftbench.sandbox.verdict import verdict_of
from mftbench.sources.mbpp import TRAIN_IDS
from mftbench.sources.mbxp import FILES, Row
from mftbench.suites import PROGRAMS, Suite

LIMITS = Limits(wall_s=60, cpu_s=60, memory_mb=2048, processes=256, files_mb=256)
# The JavaScript suites use one function of lodash, which the standard library has as well.
_LODASH = 'const _ = require("lodash")'
_STANDARD = 'const _ = {isEqual: require("node:util").isDeepStrictEqual}'


def main(
    language: Annotated[str, typer.Argument(help="python, java, cpp or javascript.")],
    sandbox: Annotated[str, typer.Option(help="The sandbox backend.")] = "auto",
) -> None:
    """Run every training solution of a language under its own tests; print those that fail."""
    rows = {
        row.number: row
        for row in FILES[language].rows()
        if row.number in TRAIN_IDS and row.canonical_solution is not None
    }
    backend = open_sandbox(sandbox)
    failed: dict[int, str] = {}
    try:
        jobs = [Job(str(number), _program(row)) for number, row in rows.items()]
        for key, done in run_all(backend, jobs, LIMITS, os.cpu_count() or 1):
            if isinstance(done, SandboxError):
                raise done
            verdict = verdict_of(done.steps[-1])
            if not verdict.passed:
                failed[int(key)] = f"{verdict.outcome} {verdict.reason}"
    finally:
        backend.close()
    for number, told in sorted(failed.items()):
        typer.echo(f"{number}: {told[:120]}")
    typer.echo(f"{language}: {len(failed)} of {len(rows)} fail: {sorted(failed)}")


def _program(row: Row) -> Program:
    language = LANGUAGES[row.language].name
    test = row.test.replace(_LODASH, _STANDARD)
    called = f"{test}\ncheck({row.entry_point})\n" if language == "python" else test
    # The JavaScript suites throw instead of asserting, so the last line counts as the check.
    suite = f"{called}\nassert.ok(true);\n" if language == "javascript" else called
    facts = Suite(suite, (row.entry_point,)).facts()
    program = PROGRAMS[language](Problem(row.task_id, "", "", facts), row.program)
    assert isinstance(program, Program), "a solution is never empty"
    return program


if __name__ == "__main__":
    typer.run(main)
