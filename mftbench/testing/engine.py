"""The conformance check for engines: what a study relies on, tried on a few requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mftbench.errors import PluginError
from mftbench.inference.engine import Completion, Engine, Request
from mftbench.stages import ModelRef, Sampling

Answers = dict[tuple[str, int], Completion]

PROMPTS = (
    "def add(left, right):\n",
    "SELECT name",
    "x",
    "function square(value) {\n    return value",
    "for each number in the list, add it to the total; then return the total",
)
GREEDY = Sampling(batch=4)
SAMPLED = Sampling(n=3, temperature=1.0, top_p=0.95, batch=4)


def check_engine(engine: Engine, model: ModelRef, *, max_new_tokens: int = 24) -> None:
    """Prove on a small model that an engine keeps the promises of ``Engine``.

    Raises PluginError naming the first promise that it breaks.
    """
    for sampling in (GREEDY, SAMPLED):
        trial = _Trial(engine, model, sampling)
        requests = _requests(sampling.n, max_new_tokens)
        answers = trial.answers(requests)
        _check_repeats(trial, requests, answers)
        _check_resumes(trial, requests, answers)
        _check_order(trial, requests, answers)
        _check_stops(trial, requests, answers)
    _check_seeds(trial, answers)


@dataclass(frozen=True)
class _Trial:
    """An engine under test, with one model and one way of drawing."""

    engine: Engine
    model: ModelRef
    sampling: Sampling

    def answers(
        self, requests: Sequence[Request], done: frozenset[tuple[str, int]] = frozenset()
    ) -> Answers:
        completions = list(self.engine.generate(self.model, requests, self.sampling, done))
        answers = {(each.problem, each.sample): each for each in completions}
        wanted = {(each.problem, each.sample) for each in requests} - done
        self.demand(len(completions) == len(answers), "made a completion twice")
        self.demand(answers.keys() == wanted, "did not make exactly the missing completions")
        return answers

    def demand(self, kept: bool, complaint: str) -> None:
        if not kept:
            how = "greedy" if self.sampling.temperature == 0 else "sampled"
            raise PluginError(f"engine {self.engine.name!r}: generate() {complaint} ({how})")


def _requests(samples: int, max_new_tokens: int) -> list[Request]:
    return [
        Request(f"problem-{index}", sample, prompt, (), max_new_tokens, seed=100 * index + sample)
        for index, prompt in enumerate(PROMPTS)
        for sample in range(samples)
    ]


def _check_repeats(trial: _Trial, requests: Sequence[Request], answers: Answers) -> None:
    again = trial.answers(requests)
    trial.demand(again == answers, "answered the same requests differently the second time")


def _check_resumes(trial: _Trial, requests: Sequence[Request], answers: Answers) -> None:
    rest = trial.answers(requests, done=frozenset(list(answers)[::2]))
    same = all(rest[key] == answers[key] for key in rest)
    trial.demand(same, "made other completions when some were already done")


def _check_order(trial: _Trial, requests: Sequence[Request], answers: Answers) -> None:
    turned = trial.answers(requests[::-1])
    trial.demand(turned == answers, "made other completions when the requests were reversed")


def _check_stops(trial: _Trial, requests: Sequence[Request], answers: Answers) -> None:
    """Use a piece of each completion as the stop sequence of all."""
    spared = []
    for answer in answers.values():
        middle = len(answer.text) // 2
        stop = answer.text[middle : middle + 3]
        if stop:
            stopped = trial.answers([replace(each, stop=(stop,)) for each in requests])
            for key, whole in answers.items():
                _check_stop(trial, stop, whole, stopped[key])
                spared.append(stopped[key].tokens < whole.tokens)
    # One stop sequence may lie in the last token, not those of all; some servers count no tokens.
    frugal = any(spared) or not any(answer.tokens for answer in answers.values())
    trial.demand(not spared or frugal, "went on generating after every stop sequence")


def _check_stop(trial: _Trial, stop: str, whole: Completion, stopped: Completion) -> None:
    before, found, _ = whole.text.partition(stop)
    trial.demand(stop not in stopped.text, f"left the stop sequence {stop!r} in a completion")
    trial.demand(stopped.finish == "stop" or not found, f"did not stop at {stop!r}")
    same = stopped.text == before
    trial.demand(same, f"made {stopped.text!r} of {whole.text!r} by the stop sequence {stop!r}")


def _check_seeds(trial: _Trial, answers: Answers) -> None:
    texts = {answer.text for (problem, _), answer in answers.items() if problem == "problem-0"}
    trial.demand(len(texts) > 1, "drew the same sample from different seeds")
