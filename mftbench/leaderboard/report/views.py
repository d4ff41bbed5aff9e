"""What the template shows of a board: plain values, worded as in every other format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mftbench.leaderboard.board import Section
from mftbench.leaderboard.cells import Column, System
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.footnotes import footnotes
from mftbench.leaderboard.pairs import Pair
from mftbench.leaderboard.published import published_rows
from mftbench.leaderboard.settings import describe
from mftbench.leaderboard.table import Mark, Table
from mftbench.leaderboard.wording import (
    ABSENT,
    bounds,
    interval,
    p_value,
    percent,
    points,
    rank,
    rank_bounds,
    share,
    signs,
    value,
)
from mftbench.scoring.paired import NOISE, Comparison
from mftbench.study import study_toml


def section_view(evidence: Evidence, section: Section, several: bool) -> dict[str, Any]:
    """Give one base model's tables; ``several`` says whether names of samples hold the model."""
    prefix = f"{section.model} " if several else ""
    return {
        "model": section.model,
        "tables": [
            {"title": "Headlines", **_table(section.main, prefix)},
            *(
                {"title": f"All metrics of {table.columns[0].task}", **_table(table, prefix)}
                for table in section.tasks
            ),
        ],
        "footnotes": footnotes(section.main),
        "pairs": [_pair(pair) for pair in section.pairs],
        "sights": [
            (sight.column.label, sight.problems, share(sight.detectable), share(sight.floor))
            for sight in section.sights
        ],
        "styles": list(_styles(evidence, section)),
        "rows": list(_rows(section, prefix)),
        "trainings": list(_trainings(evidence, section)),
    }


def study_view(evidence: Evidence) -> dict[str, Any]:
    """Give what the study says of itself."""
    study = evidence.board.study
    if study is None:
        return {"notes": "", "settings": "", "toml": ""}
    return {"notes": study.notes, "settings": describe(study), "toml": study_toml(study)}


def _table(table: Table, prefix: str) -> dict[str, Any]:
    return {
        "columns": table.columns,
        "ranked": bool(table.ranks),
        "lines": [
            {
                "label": system.label,
                "sample_system": prefix + system.label,
                "cells": [_cell(table, system, column) for column in table.columns],
                "rank": rank(table, system) if table.ranks else "",
                "rank_bounds": rank_bounds(table, system) if table.ranks else "",
            }
            for system in table.systems
        ],
        "published": [
            {
                "label": row.label,
                "cells": [_published(row.values.get(column)) for column in table.columns],
            }
            for row in published_rows(table)
        ],
    }


def _published(share: float | None) -> dict[str, Any]:
    if share is None:
        return {"text": "", "sort": -1.0}
    return {"text": percent(share), "sort": share}


def _cell(table: Table, system: System, column: Column) -> dict[str, Any]:
    cell, mark = table.cell(system, column), table.mark(system, column)
    return {
        "text": f"{value(cell)} {signs(cell, mark)}".strip(),
        "interval": interval(cell),
        "best": mark is Mark.BEST,
        "behind": mark is Mark.BEHIND,
        "sort": -1.0 if cell is None or cell.value is None else cell.value,
        "there": cell is not None,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "a": pair.a,
        "b": pair.b,
        "counts": [pair.count(verdict) for verdict in ("better", NOISE, "worse")],
        "difference": ABSENT if pair.difference is None else points(pair.difference),
        "sort": pair.difference or 0.0,
        "bounds": bounds(pair.interval),
        "lines": [_comparison(column, found) for column, found in pair.compared],
        "skipped": [(column.label, column.metric, reason) for column, reason in pair.skipped],
    }


def _comparison(column: Column, found: Comparison) -> dict[str, Any]:
    return {
        "column": column,
        "difference": points(found.difference),
        "sort": found.difference,
        "bounds": f"[{points(found.low)}, {points(found.high)}]",
        "wins": f"{found.wins} : {found.losses} of {found.problems}",
        "p": p_value(found.p),
        "adjusted": p_value(found.adjusted),
        "verdict": found.verdict,
        "test": found.test,
    }


def _styles(evidence: Evidence, section: Section) -> Iterator[dict[str, Any]]:
    for column in section.main.columns:
        for system in section.main.systems:
            found = evidence.styles.get((system, column.label))
            if found:
                yield {
                    "task": column.label,
                    "system": system.label,
                    "tokens": f"{found.tokens:.1f}",
                    "explanation": share(found.explanation),
                    "comments": share(found.comments),
                }


def _rows(section: Section, prefix: str) -> Iterator[dict[str, Any]]:
    """Give a line per cell and seed, with the key that traces it."""
    table = section.main
    for column in table.columns:
        for system in table.systems:
            cell = table.cell(system, column)
            for row in cell.rows if cell else ():
                yield {
                    "task": column.label,
                    "system": system.label,
                    "sample_system": prefix + system.label,
                    "seed": row.seed,
                    "value": ABSENT if row.value is None else percent(row.value),
                    "problems": row.problems,
                    "samples": row.samples,
                    "missing": row.missing,
                    "outcomes": _outcomes(row.outcomes),
                    "key": row.keys.score,
                }


def _outcomes(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {name}" for name, count in ordered)


def _trainings(evidence: Evidence, section: Section) -> Iterator[dict[str, Any]]:
    for training in evidence.trainings_of(section.model):
        run, seconds = training.card.get("run", {}), training.card.get("seconds", {})
        padding = training.padding_share
        yield {
            "label": training.label,
            "seed": training.seed,
            "steps": run.get("steps", ABSENT),
            "tokens": f"{run['tokens']:,}" if "tokens" in run else ABSENT,
            "padding": ABSENT if padding is None else percent(padding),
            "seconds": f"{seconds['train']:.0f}" if "train" in seconds else ABSENT,
            "commit": training.provenance.get("commit", "") or ABSENT,
            "packages": ", ".join(
                f"{name} {number}"
                for name, number in sorted(training.provenance.get("packages", {}).items())
            ),
            "key": training.key,
        }
