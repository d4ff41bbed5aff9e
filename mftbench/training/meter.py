"""What a run reports, as token-exact sums over steps; its state travels in every checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mftbench.training.window import StepRecord


@dataclass
class _Sums:
    """Sums over some steps; lists are by task."""

    token_sums: list[float]
    tokens: list[int]
    samples: list[int]
    weights: list[float]
    loss: float = 0.0
    steps: int = 0
    slots: int = 0
    real_tokens: int = 0

    @classmethod
    def zero(cls, tasks: int) -> _Sums:
        return cls([0.0] * tasks, [0] * tasks, [0] * tasks, [0.0] * tasks)

    def add(self, step: StepRecord) -> None:
        self.token_sums = _plus(self.token_sums, step.token_sums.tolist())
        self.tokens = _plus(self.tokens, step.batch.tokens.tolist())
        self.samples = _plus(self.samples, step.batch.samples.tolist())
        self.weights = _plus(self.weights, step.weights.tolist())
        self.loss += step.loss
        self.steps += 1


class Meter:
    """Sums since the last logged line, and sums of the whole run."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self.tasks = tuple(tasks)
        self._line = _Sums.zero(len(tasks))
        self._run = _Sums.zero(len(tasks))
        self._resumed_tokens = 0

    def add(self, step: StepRecord) -> None:
        """Count one optimizer step."""
        self._line.add(step)
        self._run.add(step)

    def add_layout(self, slots: int, real_tokens: int) -> None:
        """Count the positions that a window computed, and those that were not padding."""
        self._run.slots += slots
        self._run.real_tokens += real_tokens

    def take_line(self) -> dict[str, float]:
        """Give the metrics of the steps since the last line, by their logged names.

        Losses are token means over those steps; a task that was absent from all has none.
        """
        sums, self._line = self._line, _Sums.zero(len(self.tasks))
        line = {"loss": sums.loss / max(sums.steps, 1)}
        for index, task in enumerate(self.tasks):
            if sums.tokens[index]:
                line[f"loss/task/{task}"] = sums.token_sums[index] / sums.tokens[index]
            line[f"weight/task/{task}"] = sums.weights[index] / max(sums.steps, 1)
            line[f"tokens/task/{task}"] = sums.tokens[index]
        return line

    def summary(self) -> dict[str, Any]:
        """Describe the whole run: padding, and each task's tokens, samples and effective weight."""
        run = self._run
        total = max(sum(run.tokens), 1)
        return {
            "steps": run.steps,
            "tokens": run.real_tokens,
            "supervised_tokens": sum(run.tokens),
            "padding_share": 1 - run.real_tokens / max(run.slots, 1),
            "tasks": {
                task: {
                    "supervised_tokens": run.tokens[index],
                    "samples": run.samples[index],
                    "token_share": run.tokens[index] / total,
                    "effective_weight": run.weights[index] / max(run.steps, 1),
                }
                for index, task in enumerate(self.tasks)
            },
        }

    @property
    def tokens_counted_here(self) -> int:
        """Count the tokens but padding since the state was loaded, or ever if none was."""
        return self._run.real_tokens - self._resumed_tokens

    def state_dict(self) -> dict[str, Any]:
        """Give everything that a resumed run needs to report as if it had never stopped."""
        return {"line": asdict(self._line), "run": asdict(self._run)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._line = _Sums(**state["line"])
        self._run = _Sums(**state["run"])
        self._resumed_tokens = self._run.real_tokens


def _plus(left: list[Any], right: list[Any]) -> list[Any]:
    return [a + b for a, b in zip(left, right, strict=True)]
