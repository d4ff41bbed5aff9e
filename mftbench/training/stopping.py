"""When a training has learnt what it can: validation curves by task, early stopping, the best.

All of it is a function of the logged validations, which travel in every checkpoint: a resumed run
stops where one that was never stopped would.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from mftbench.stages import Optim

AGGREGATE = "eval_loss"
_TASK = "eval_loss/task/"

Log = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Curve:
    """One validation loss over training; ``stalled`` is the step at which patience ran out."""

    steps: tuple[int, ...]
    losses: tuple[float, ...]
    best_step: int
    best_loss: float
    stalled: int | None


def curves(log: Log, patience: int) -> dict[str, Curve]:
    """Give each validation loss's curve, by its logged name; none without validations.

    A curve is stalled from the first validation that is the ``patience``-th in a row without a
    lower loss than all before.
    """
    names = sorted({name for line in log for name in line if name.startswith(AGGREGATE)})
    return {name: _curve(name, log, patience) for name in names}


def _curve(name: str, log: Log, patience: int) -> Curve:
    points = [(int(line["step"]), float(line[name])) for line in log if name in line]
    best = stalled = None
    for index, (step, loss) in enumerate(points):
        if best is None or loss < points[best][1]:
            best = index
        elif stalled is None and index - best >= patience:
            stalled = step
    assert best is not None
    steps, losses = zip(*points, strict=True)
    return Curve(steps, losses, points[best][0], points[best][1], stalled)


STOPS: dict[str, Callable[[Mapping[str, Curve]], bool]] = {
    "never": lambda curves: False,
    "aggregate": lambda curves: curves[AGGREGATE].stalled is not None,
    "tasks": lambda curves: all(
        curve.stalled is not None for name, curve in curves.items() if name.startswith(_TASK)
    ),
}
"""Whether a training is over, by the name that ``optim.stop`` gives the rule."""


Gathered = TypeVar("Gathered")


class StoppingCallback(TrainerCallback, Generic[Gathered]):
    """Stop early, and keep the weights of the best validation where ``optim.keep`` asks for them.

    ``gather`` gives what is to be saved, on all ranks together; ``save`` writes it to a folder, on
    the first; ``best`` is the one for the best.
    """

    def __init__(
        self,
        optim: Optim,
        gather: Callable[[], Gathered],
        save: Callable[[Path, Gathered], None],
        best: Path,
    ) -> None:
        self.optim = optim
        self.gather = gather
        self.save = save
        self.best = best

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Look at the validation that was just logged."""
        found = curves(state.log_history, self.optim.patience)
        if self.optim.keep == "best" and found[AGGREGATE].best_step == state.global_step:
            self._keep(args)
        if STOPS[self.optim.stop](found):
            control.should_training_stop = True
            # The library would take one step too many when it resumes from a last step.
            control.should_save = False

    def _keep(self, args: TrainingArguments) -> None:
        gathered = self.gather()
        if not args.should_save:
            return
        scratch = self.best.with_name(f"{self.best.name}.part")
        for folder in (scratch, self.best):
            shutil.rmtree(folder, ignore_errors=True)
        self.save(scratch, gathered)
        scratch.rename(self.best)
