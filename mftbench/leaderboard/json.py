"""A board as one JSON document, with the keys behind its numbers."""

from __future__ import annotations

import json
from typing import Any

from mftbench.canonical import plain
from mftbench.leaderboard.board import Board, Section
from mftbench.leaderboard.cells import Cell, Column, System
from mftbench.leaderboard.footnotes import footnotes
from mftbench.leaderboard.pairs import Pair
from mftbench.leaderboard.published import published_rows
from mftbench.leaderboard.rows import rounded
from mftbench.leaderboard.table import Table


def render_json(board: Board) -> str:
    """Write a board; shares are on the scale 0..1, with the digits of results.jsonl."""
    value = {
        "board": board.name,
        "study": plain(board.study) if board.study else None,
        "sections": [_section(section) for section in board.sections],
    }
    return json.dumps(rounded(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _section(section: Section) -> dict[str, Any]:
    return {
        "model": section.model,
        "main": _table(section.main),
        "tasks": [_table(table) for table in section.tasks],
        "pairs": [_pair(pair) for pair in section.pairs],
        "sights": [{**plain(sight), "column": plain(sight.column)} for sight in section.sights],
        "published": [
            {"label": row.label, "column": plain(column), "value": share}
            for row in published_rows(section.main)
            for column, share in row.values.items()
        ],
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "systems": [_system(table, system) for system in table.systems],
        "columns": [plain(column) for column in table.columns],
        "cells": [
            _cell(table, system, column, cell)
            for system in table.systems
            for column in table.columns
            if (cell := table.cell(system, column)) is not None
        ],
        "ranked_columns": table.ranked_columns,
        "footnotes": list(footnotes(table)),
    }


def _system(table: Table, system: System) -> dict[str, Any]:
    return {
        **plain(system),
        "label": system.label,
        "rank": table.ranks.get(system),
        "rank_interval": table.rank_intervals.get(system),
    }


def _cell(table: Table, system: System, column: Column, cell: Cell) -> dict[str, Any]:
    return {
        "system": system.label,
        "column": plain(column),
        "value": cell.value,
        "interval": cell.interval,
        "standing": str(table.mark(system, column)),
        "problems": cell.first.problems,
        "samples": cell.samples,
        "missing": cell.missing,
        "outcomes": cell.outcomes,
        "seeds": [
            {"seed": row.seed, "value": row.value, "keys": plain(row.keys)} for row in cell.rows
        ],
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "a": pair.a,
        "b": pair.b,
        "difference": pair.difference,
        "interval": pair.interval,
        "compared": [
            {"column": plain(column), **plain(found), "verdict": found.verdict}
            for column, found in pair.compared
        ],
        "skipped": [{"column": plain(column), "reason": reason} for column, reason in pair.skipped],
    }
