"""Figures: all of them draw for boards of any size, and are safe to put into a page."""

import re
from dataclasses import replace

import pytest
from board_rows import MFT, board_rows, draw, row
from report_evidence import evidence, training

from mftbench.errors import StoreError
from mftbench.leaderboard.board import make_board
from mftbench.leaderboard.cells import System
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.figures.catalogue import PLOTS, write_figures
from mftbench.leaderboard.figures.catalogue import draw as draw_plot
from mftbench.leaderboard.figures.theme import inline_svg

BALANCERS = ("coba", "famo", "focal_task", "pcgrad", "uncertainty")


def large_evidence():
    """Give nine systems, two tasks, three seeds, and pass@k for three k."""
    rows = board_rows(seeds=(1, 2, 3))
    for name in BALANCERS:
        for task in ("completion", "sql"):
            for seed in (1, 2, 3):
                items = draw(0.5, f"{name} {task} {seed}")
                rows.append(row(items, task=task, seed=seed, **(MFT | {"balancer": name})))
    more = [replace(each, metric=f"pass@{k}", headline=False) for k in (5, 10) for each in rows]
    small = evidence()
    trainings = [training(System("nano", "mft", name)) for name in BALANCERS]
    board = make_board("large", [*rows, *more])
    return Evidence(board, (*small.trainings, *trainings), small.answers)


@pytest.mark.parametrize("name", PLOTS)
def test_every_figure_draws_for_many_systems(name):
    found = large_evidence()
    figure = draw_plot(name, found, found.board.sections[0])  # a warning is an error
    svg = inline_svg(figure, "a <title>")
    assert svg.startswith('<svg role="img" aria-label="a &lt;title&gt;"')
    assert svg.rstrip().endswith("</svg>")


@pytest.mark.parametrize("name", PLOTS)
def test_no_figure_is_made_of_nothing(name):
    board = make_board("laptop", [row([1.0, 0.0], **MFT)])
    figure = draw_plot(name, Evidence(board, (), ()), board.sections[0])
    assert (figure is not None) == (name == "scores")


def test_an_inline_figure_has_the_pages_colours_only():
    found = evidence()
    for name in ("scores", "loss", "shares", "affinity"):
        svg = inline_svg(draw_plot(name, found, found.board.sections[0]), name)
        assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) == set()


def test_names_in_a_figure_are_escaped():
    hostile = "<script>x</script> $_{"
    board = make_board("b", [row([1.0, 0.0], **(MFT | {"balancer": hostile}))])
    svg = inline_svg(draw_plot("scores", Evidence(board, (), ()), board.sections[0]), "scores")
    assert "<script" not in svg
    assert "&lt;script" in svg


def test_a_system_looks_the_same_in_all_figures_of_scores():
    found = large_evidence()
    looks = []
    for name in ("scores", "differences"):
        axes = draw_plot(name, found, found.board.sections[0]).axes[0]
        lines = [group.lines[0] for group in axes.containers]
        labels = [group.get_label() for group in axes.containers]
        each = ((line.get_color(), line.get_marker()) for line in lines)
        looks.append(dict(zip(labels, each, strict=True)))
    assert looks[1].items() <= looks[0].items()
    assert len(looks[1]) == 1 + len(BALANCERS)


def test_figures_below_a_file_are_one_line(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(StoreError, match=r"cannot make the folder .*file/figures: Not a directory"):
        list(write_figures(evidence(), tmp_path / "file" / "figures", ("svg",)))


@pytest.mark.parametrize("name", ["scores", "differences", "pass_at_k", "conciseness"])
def test_figures_of_scores_say_how_they_were_scored(name):
    found = large_evidence()
    svg = inline_svg(draw_plot(name, found, found.board.sections[0]), name)
    assert ">synthetic<" in svg
    assert "in-process" not in svg
    rows = [replace(each, synthetic=False, in_process=3) for each in found.board.rows]
    forged = replace(found, board=make_board("large", rows))
    svg = inline_svg(draw_plot(name, forged, forged.board.sections[0]), name)
    assert "in-process checker" in svg
    assert "synthetic" not in svg


def test_measured_data_needs_no_word_in_a_figure():
    rows = [replace(each, synthetic=False) for each in board_rows()]
    board = make_board("b", rows)
    svg = inline_svg(draw_plot("scores", Evidence(board, (), ()), board.sections[0]), "scores")
    assert "synthetic" not in svg


@pytest.mark.parametrize(
    ("models", "endings"),
    [
        (("meta/llama", "other/llama"), ("-meta-llama", "-other-llama")),
        (("meta/llama", "nano"), ("-llama", "-nano")),
        (("./runs/a/final", "/runs/a/final"), ("-runs-a-final", "-runs-a-final-2")),
        (("nano",), ("",)),
    ],
)
def test_no_figure_of_one_model_overwrites_that_of_another(models, endings, tmp_path):
    rows = [row([1.0, 0.0], **(MFT | {"model": model})) for model in models]
    board = make_board("b", rows)
    paths = list(write_figures(Evidence(board, (), ()), tmp_path, ("svg",)))
    assert {path.name for path in paths} == {f"scores{ending}.svg" for ending in endings}
