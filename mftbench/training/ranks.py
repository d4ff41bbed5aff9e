"""One training on several ranks of this machine, which the Train stage starts with torchrun."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mftbench.contract import Example, Prompt
from mftbench.errors import EngineError, UsageError
from mftbench.progress import Progress
from mftbench.stages import TrainSpec
from mftbench.store import Store
from mftbench.training.sharding import divided, parallel_arguments

_INPUTS = "ranks.pickle"
_LAST = 12


@dataclass(frozen=True)
class _Inputs:
    spec: TrainSpec
    rows: Mapping[str, list[Example]]
    prompts: Mapping[str, Prompt]
    out: Path
    work: Path
    store: Path | None


def train(
    spec: TrainSpec,
    rows: Mapping[str, Iterable[Example]],
    prompts: Mapping[str, Prompt],
    out: Path,
    work: Path,
    progress: Progress,
    store: Store | None = None,
) -> None:
    """Train as ``mftbench.training.train`` does, in this process or on ``parallel.ranks`` of them.

    Ranks divide the accumulation, so the global batch is that of one rank and the same model comes
    out, up to the order in which floating point sums are taken.

    Raises UsageError if the ranks do not divide the accumulation, outnumber the GPUs, or the kind
    cannot be had here, EngineError if a rank fails.
    """
    parallel_arguments(spec.parallel, spec.parallel.ranks)
    if spec.parallel.ranks == 1:
        from mftbench.models.memory import free_memory
        from mftbench.training.train import train as train_here

        try:
            train_here(spec, rows, prompts, out, work, progress, store)
        finally:
            free_memory()  # for the next training, or an engine in a process of its own
        return
    divided(spec.optim, spec.parallel)
    _require_gpus(spec.parallel.ranks)
    listed = {task: list(examples) for task, examples in rows.items()}
    inputs = _Inputs(spec, listed, prompts, out, work, store.root if store else None)
    (work / _INPUTS).write_bytes(pickle.dumps(inputs))
    _run(spec, work / _INPUTS, progress)


def _require_gpus(ranks: int) -> None:
    import torch

    visible = torch.cuda.device_count()
    if 0 < visible < ranks:
        raise UsageError(
            f"parallel.ranks is {ranks}, but of the GPUs that every rank needs for itself "
            f"{visible} can be seen here; lower it, or give more by --gpus or CUDA_VISIBLE_DEVICES"
        )


def _run(spec: TrainSpec, inputs: Path, progress: Progress) -> None:
    command = (
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *(f"--nproc-per-node={spec.parallel.ranks}", "-m", __name__, str(inputs)),
    )
    # Without it torchrun sets one thread and says so at length.
    each = spec.threads or max((os.cpu_count() or 1) // spec.parallel.ranks, 1)
    threads = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(each))}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | threads
    ) as ranks:
        assert ranks.stderr is not None
        try:
            said = _follow(ranks.stderr, progress)
        except BaseException:
            ranks.terminate()  # torchrun ends its ranks
            raise
    if ranks.returncode:
        raise EngineError(f"training on {spec.parallel.ranks} ranks failed: {_cause(said)}")


def _follow(lines: Iterable[str], progress: Progress) -> list[str]:
    """Repeat the events of the first rank; give the last other lines."""
    said: list[str] = []
    for line in lines:
        event = _event(line)
        if event is None:
            said = [*said, line.rstrip()][-_LAST * 10 :]
        else:
            method, *arguments = event
            getattr(progress, method)(*arguments)
    return said


def _event(line: str) -> list[Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    known = isinstance(event, list) and event and event[0] in ("start", "advance", "finish")
    return event if known else None


def _cause(said: list[str]) -> str:
    """Find the line that says what was wrong: torchrun writes its own story after it."""
    ours = [line for line in said if "Error: " in line and "ChildFailedError" not in line]
    return (ours or said or ["it said nothing"])[-1].strip()


class _Events:
    """Progress that writes each call as a line, on the first rank only."""

    def __getattr__(self, method: str) -> Any:
        return partial(self._write, method)

    def _write(self, *event: object) -> None:
        if os.environ.get("RANK", "0") == "0":
            print(json.dumps(event), file=sys.stderr, flush=True)  # noqa: T201


def _main() -> None:
    import torch

    from mftbench.training.train import train as train_here

    # Written by our own parent a moment ago, in the store's work folder.
    inputs: _Inputs = pickle.loads(Path(sys.argv[1]).read_bytes())
    if inputs.spec.threads:
        torch.set_num_threads(inputs.spec.threads)
    store = Store(inputs.store) if inputs.store else None
    places = (inputs.out, inputs.work, _Events(), store)
    train_here(inputs.spec, inputs.rows, inputs.prompts, *places)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    # By its own name, so that what was pickled there is found here.
    from mftbench.training import ranks as itself

    itself._main()
