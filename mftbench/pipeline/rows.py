"""From one evaluation's scores to the rows of its board."""

from __future__ import annotations

from mftbench.bench import Bench
from mftbench.leaderboard.rows import Keys, Row
from mftbench.pipeline.score import Scored
from mftbench.plan import Cell, Evaluation


def rows_of(bench: Bench, cell: Cell, evaluation: Evaluation, scored: Scored) -> list[Row]:
    """Give one row per metric."""
    source = evaluation.generate.source
    return [
        Row(
            board=bench.study.name,
            model=cell.model,
            mode=cell.mode,
            balancer=cell.balancer,
            task=evaluation.task,
            source=source.name,
            metric=score.metric,
            headline=score.headline,
            value=score.value,
            low=score.low,
            high=score.high,
            problems=scored.problems,
            samples=score.samples,
            seed=cell.seed,
            train_tasks=cell.train_tasks,
            missing=score.missing,
            outcomes=scored.outcomes,
            in_process=scored.in_process,
            synthetic=bench.source(evaluation.task, source).synthetic,
            engine=evaluation.generate.engine,
            sandbox=evaluation.execute.sandbox,
            format=evaluation.generate.format,
            keys=Keys(**evaluation.keys),
            items=score.items,
            items_digest=scored.items_digest,
        )
        for score in scored.scores
    ]
