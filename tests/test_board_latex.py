"""The LaTeX of a board compiles with a standard TeX and carries the numbers of its rows."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from board_rows import board_rows, row

from mftbench.leaderboard.board import make_board
from mftbench.leaderboard.formats import render
from mftbench.leaderboard.wording import percent

BOARD = Path(__file__).resolve().parents[1] / "leaderboards" / "laptop"
DOCUMENT = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n%s\\end{document}\n"


def compile_latex(table, folder):
    (folder / "paper.tex").write_text(DOCUMENT % table)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.needs_latex
@pytest.mark.parametrize("source", ["starter", "humaneval", "a_b & 5% \\ {x} #1 $ ^ ~"])
def test_the_latex_of_a_board_compiles(source, tmp_path):
    rows = [
        row(
            r.items,
            task=r.task,
            mode=r.mode,
            balancer=r.balancer,
            source=source,
            train_tasks=r.train_tasks,
        )
        for r in board_rows()
    ]
    result = compile_latex(render(make_board("lap_top", rows), "latex"), tmp_path)
    assert result.returncode == 0, result.stdout[-2000:]
    assert "Missing character" not in result.stdout
    assert (tmp_path / "paper.pdf").stat().st_size > 10_000


@pytest.mark.needs_latex
def test_the_latex_of_the_built_in_board_compiles(tmp_path):
    result = compile_latex((BOARD / "table.tex").read_text(), tmp_path)
    assert result.returncode == 0, result.stdout[-2000:]


@pytest.mark.parametrize("style", ["md", "latex"])
def test_the_tables_carry_the_numbers_of_the_rows(style):
    rows = board_rows(seeds=(1, 2, 3))
    text = render(make_board("laptop", rows), style)
    shown = set(re.findall(r"\d+\.\d", text))
    for task in ("completion", "sql"):
        for mode in ("base", "single", "mixed", "mft"):
            values = [r.value for r in rows if (r.task, r.mode) == (task, mode)]
            assert percent(sum(values) / 3) in shown


def test_published_rows_stand_beside_humaneval_only_and_are_marked():
    rows = board_rows()
    assert "CodeFuse" not in render(make_board("laptop", rows), "md")
    human = [
        row(
            r.items,
            task=r.task,
            mode=r.mode,
            balancer=r.balancer,
            source="humaneval",
            train_tasks=r.train_tasks,
        )
        for r in rows
        if r.task == "completion"
    ]
    board = make_board("laptop", human)
    text = render(board, "md")
    assert "| CodeFuse-CodeLlama-34B: mft § | 74.4 § |" in text
    assert "§ published, not made here" in text
    assert len(board.sections[0].main.systems) == 4


def test_published_rows_do_not_stand_beside_other_tasks_on_humaneval():
    human = [replace(r, task="test_generation", source="humaneval") for r in board_rows()[:8]]
    rows = list({(r.mode, r.seed): r for r in human}.values())
    assert "CodeFuse" not in render(make_board("laptop", rows), "md")


def test_the_comparisons_say_how_their_numbers_were_scored():
    rows = [replace(r, in_process=3 if r.task == "sql" else 0) for r in board_rows()]
    text = render(make_board("laptop", rows), "latex")
    comparisons = text[text.rindex("\\begin{table}") :]
    assert comparisons.count("Synthetic data: all columns.") == 1
    assert "In-process checker: single on sql (starter) 3 of 100" in comparisons
    assert "base on sql" not in comparisons
    measured = [replace(r, synthetic=False) for r in board_rows()]
    assert "Synthetic" not in render(make_board("laptop", measured), "latex")
