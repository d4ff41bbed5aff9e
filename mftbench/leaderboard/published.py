"""Numbers that the study published, shown beside ours and marked: never compared, never ranked.

Only what the authors' README and model cards state. Every other cell of the paper is not available
here and stays blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mftbench.leaderboard.cells import Column
from mftbench.leaderboard.table import Table

TASK, SOURCE, METRIC = "completion", "humaneval", "pass@1"
PUBLISHED = "§"
NOTE = (
    f"{PUBLISHED} published, not made here: HumanEval greedy pass@1 as the authors of the MFTCoder "
    "study (arXiv 2311.02303) state it, with other data, models and prompts. For orientation only: "
    "such rows are neither compared nor ranked, and what was not published stays blank."
)


@dataclass(frozen=True)
class Published:
    """One published model: HumanEval greedy pass@1 of its base, where stated, and after MFT."""

    model: str
    before: float | None
    after: float | None


MODELS = (
    Published("CodeFuse-CodeLlama-34B", 0.537, 0.744),
    Published("CodeFuse-StarCoder-15B", 0.336, 0.549),
    Published("CodeFuse-Qwen-14B", 0.323, 0.488),
    Published("CodeFuse-CodeGeeX2-6B", 0.359, 0.4512),
    Published("CodeFuse-Mixtral-8x7B", 0.40, 0.561),
    Published("CodeFuse-DeepSeek-33B", None, 0.787),
    Published("CodeFuse-StarCoder2-15B", None, 0.732),
    Published("GPT-4, as the study cites it", 0.67, None),
)


@dataclass(frozen=True)
class PublishedRow:
    """A row for a table: its label, and its values where something was published."""

    label: str
    values: Mapping[Column, float]


def published_rows(table: Table) -> list[PublishedRow]:
    """Give the published rows for headlines: none without HumanEval as completion."""
    if not all(column.headline for column in table.columns):
        return []
    columns = [
        column
        for column in table.columns
        if (column.task, column.source, column.metric) == (TASK, SOURCE, METRIC)
    ]
    if not columns:
        return []
    return [
        PublishedRow(f"{model.model}{suffix}", dict.fromkeys(columns, share))
        for model in MODELS
        for suffix, share in ((_base_suffix(model), model.before), (": mft", model.after))
        if share is not None
    ]


def _base_suffix(model: Published) -> str:
    return "" if model.after is None else ": base"
