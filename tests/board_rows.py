"""Rows for tests: a board whose answers are drawn with known shares."""

import random
from dataclasses import replace

from mftbench.leaderboard.rows import Keys, Row, digest_ids
from mftbench.scoring.intervals import mean_interval

ROW = Row(
    board="laptop",
    model="nano",
    mode="mft",
    balancer="task_token",
    task="completion",
    source="starter",
    metric="pass@1",
    headline=True,
    value=0.5,
    low=0.1,
    high=0.9,
    problems=2,
    samples=1,
    seed=1,
    train_tasks=("completion", "sql"),
    missing=0,
    outcomes={"passed": 1, "failed": 1},
    in_process=0,
    synthetic=True,
    engine="transformers",
    sandbox="bubblewrap",
    format="plain",
    keys=Keys(train="t", generate="g", execute="e", score="s"),
    items=(1.0, 0.0),
    items_digest=digest_ids(["a", "b"]),
)

BASE = {"mode": "base", "balancer": "", "train_tasks": ()}
SINGLE = {"mode": "single", "balancer": ""}
MIXED = {"mode": "mixed", "balancer": ""}
MFT = {"mode": "mft", "balancer": "task_token"}


def row(items, **changes):
    """Give a row of these per-problem values, with its value and counts."""
    known = [item for item in items if item is not None]
    passed = sum(item == 1 for item in known)
    ids = [f"p{number}" for number in range(len(items))]
    low, high = mean_interval(items) if len(known) == len(items) else (None, None)
    fields = {
        "items": tuple(items),
        "value": sum(known) / len(items) if known else None,
        "low": low,
        "high": high,
        "problems": len(items),
        "missing": len(items) - len(known),
        "outcomes": {"passed": passed, "failed": len(known) - passed},
        "items_digest": digest_ids(ids),
    }
    return replace(ROW, **(fields | changes))


def draw(share, seed, problems=100):
    """Draw binary answers; harder problems are harder for everyone."""
    rng = random.Random(seed)
    return [float((number / problems + rng.random()) / 2 < share) for number in range(problems)]


def board_rows(seeds=(1,), tasks=("completion", "sql")):
    """Give the rows of a study: base far behind, mft and mixed close, single between."""
    shares = ((BASE, 0.1), (SINGLE, 0.45), (MIXED, 0.55), (MFT, 0.57))
    return [
        row(draw(share, f"{mode['mode']} {task} {seed}"), task=task, seed=seed, **mode)
        for mode, share in shares
        for task in tasks
        for seed in seeds
    ]
