"""The samples of a report, packed so that a browser opens tens of thousands of them at once.

A small index has one number per sample and property. The texts lie in compressed blocks, a few
problems each, that the page inflates when somebody looks. All systems' answers to a problem share a
block: they resemble each other, and they are what a comparison needs.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mftbench.canonical import dumps
from mftbench.leaderboard.answers import Answer, Answers

BLOCK_SAMPLES = 48


@dataclass(frozen=True)
class Archive:
    """Base64 of gzipped JSON: the index, and the blocks in order."""

    index: str
    blocks: tuple[str, ...]
    samples: int


@dataclass(frozen=True)
class _Sample:
    """One answer with the places of its names in the index."""

    task: int
    problem: int
    system: int
    seed: int
    of: Answers
    answer: Answer


def pack(answers: Sequence[Answers], names: Sequence[str]) -> Archive:
    """Pack samples; ``names`` are the systems' names, one for each of ``answers``."""
    systems, tasks = _unique(names), _unique(_task(each) for each in answers)
    problems = _unique(answer.problem for each in answers for answer in each.answers)
    samples = sorted(
        (
            _Sample(tasks[_task(of)], problems[answer.problem], systems[name], of.seed, of, answer)
            for of, name in zip(answers, names, strict=True)
            for answer in of.answers
        ),
        key=lambda each: (each.task, each.problem, each.system, each.seed, each.answer.sample),
    )
    blocks = list(_blocks(samples))
    outcomes = _unique(each.answer.outcome for each in samples)
    index = {
        "systems": list(systems),
        "tasks": list(tasks),
        "problems": list(problems),
        "outcomes": list(outcomes),
        "blocks": [len(block) for block in blocks],
        "columns": {
            "task": [each.task for each in samples],
            "problem": [each.problem for each in samples],
            "system": [each.system for each in samples],
            "seed": [each.seed for each in samples],
            "sample": [each.answer.sample for each in samples],
            "outcome": [outcomes[each.answer.outcome] for each in samples],
            "tokens": [each.answer.style.tokens for each in samples],
        },
    }
    packed = tuple(_compress(_block(block)) for block in blocks)
    return Archive(_compress(index), packed, len(samples))


def _unique(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _task(answers: Answers) -> str:
    return f"{answers.task} ({answers.source})"


def _blocks(samples: Sequence[_Sample]) -> Iterator[list[_Sample]]:
    """Cut between problems, once a block has enough samples."""
    block: list[_Sample] = []
    for _, same in groupby(samples, key=lambda each: (each.task, each.problem)):
        block.extend(same)
        if len(block) >= BLOCK_SAMPLES:
            yield block
            block = []
    if block:
        yield block


def _block(samples: Sequence[_Sample]) -> dict[str, Any]:
    questions = {
        f"{each.task}/{each.problem}": [question.prompt, question.gold]
        for each in samples
        if (question := each.of.questions.get(each.answer.problem))
    }
    return {"questions": questions, "samples": [_texts(each.answer) for each in samples]}


def _texts(answer: Answer) -> dict[str, Any]:
    scores = ", ".join(f"{name} {value:.3f}" for name, value in sorted(answer.scores.items()))
    return {
        "text": answer.text,
        "program": answer.program,
        "output": answer.output,
        "reason": answer.reason,
        "scores": scores,
        "in_process": answer.in_process,
    }


def _compress(value: object) -> str:
    return base64.b64encode(gzip.compress(dumps(value).encode("ascii"), mtime=0)).decode("ascii")
