"""A stand-in for sbatch: checks options as SLURM's manual has them, then runs the tasks in turn.

State is in $STUB_SBATCH: job number to the exit codes of its tasks.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

KNOWN = {
    "job-name": r"[\w.-]+",
    "output": r"/.+",
    "open-mode": "append|truncate",
    "requeue": "",
    "cpus-per-task": r"[1-9]\d*",
    "gres": r"gpu:[1-9]\d*",
    "partition": r"\w+",
    "parsable": "",
    "array": r"(\d+)-(\d+)",
    "export": r"ALL(,\w+=\w*)*",
    "dependency": r"(aftercorr|afterany)(:\d+)+",
    "kill-on-invalid-dep": "yes|no",
}
JOBS = Path(os.environ["STUB_SBATCH"])


def parse(arguments: list[str]) -> dict[str, str]:
    options = {}
    for argument in arguments:
        name, _, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or name not in KNOWN:
            raise SystemExit(f"sbatch: unrecognized option '{argument}'")
        if not re.fullmatch(KNOWN[name], value):
            raise SystemExit(f"sbatch: error: invalid {name} '{value}'")
        options[name] = value
    return options


def directives(script: str) -> list[str]:
    lines = script.splitlines()
    if not lines[0].startswith("#!"):
        raise SystemExit("sbatch: error: This does not look like a batch script")
    found = []
    for line in lines[1:]:
        if line.startswith("#SBATCH "):
            found.append(line.removeprefix("#SBATCH "))
        elif line and not line.startswith("#"):
            break  # later directives are ignored
    return found


def run(script: Path, options: dict[str, str], job: int, task: int | None) -> int:
    environment = dict(os.environ)
    environment |= dict(part.split("=") for part in options.get("export", "ALL").split(",")[1:])
    environment["SLURM_CPUS_PER_TASK"] = options.get("cpus-per-task", "1")
    if task is not None:
        environment["SLURM_ARRAY_TASK_ID"] = str(task)
    log = options["output"].replace("%A", str(job)).replace("%a", str(task)).replace("%j", str(job))
    with open(log, "ab") as output:  # noqa: PTH123
        return subprocess.call(["bash", script], env=environment, stdout=output, stderr=output)


def allowed(options: dict[str, str], codes: dict[str, list[int]], task: int | None) -> bool:
    kind, *jobs = options.get("dependency", "afterany").split(":")
    unknown = [job for job in jobs if job not in codes]
    if unknown:
        raise SystemExit(f"sbatch: error: Job dependency problem: {unknown}")
    return kind == "afterany" or all(codes[job][task or 0] == 0 for job in jobs)


def main() -> None:
    script = Path(sys.argv[-1])
    codes = json.loads(JOBS.read_text()) if JOBS.exists() else {}
    options = parse(directives(script.read_text())) | parse(sys.argv[1:-1])
    job = len(codes) + 1
    first, last = map(int, options["array"].split("-")) if "array" in options else (0, 0)
    tasks = [None] if "array" not in options else list(range(first, last + 1))
    codes[str(job)] = [
        run(script, options, job, task) if allowed(options, codes, task) else 99 for task in tasks
    ]
    JOBS.write_text(json.dumps(codes))
    print(job)


if __name__ == "__main__":
    main()
