"""From a number of a board to its artifacts, and a board that any lost artifact gives again."""

import shlex
import shutil
from dataclasses import replace

import pytest
import typer
from board_rows import board_rows, row
from test_run import run_in
from typer.testing import CliRunner

from mftbench.commands import cards, figures, report, show
from mftbench.errors import UsageError
from mftbench.leaderboard.files import check_board, write_board
from mftbench.leaderboard.rows import read_rows, serialise
from mftbench.leaderboard.trace import trace
from mftbench.store import STAGES

app = typer.Typer()
for command in (cards.cards, figures.figures, report.report, show.show):
    app.command()(command)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Run a tiny study with fakes; give its folder, with store and board in it."""
    folder = tmp_path_factory.mktemp("study")
    write_board(folder / "board", run_in(folder / "store").rows)
    return folder


def run(study, command, *arguments):
    return CliRunner().invoke(app, [command, *arguments, "--store", str(study / "store")])


@pytest.mark.parametrize("stage", STAGES)
def test_deleting_any_artifact_and_running_again_gives_the_same_board(study, stage, tmp_path):
    shutil.copytree(study / "store", tmp_path / "store")
    before = (study / "board" / "results.jsonl").read_text()
    for artifact in sorted((tmp_path / "store" / stage).iterdir())[:2]:
        shutil.rmtree(artifact)
    outcome = run_in(tmp_path / "store")
    assert serialise(outcome.rows) == before
    assert outcome.made <= 2  # a training is not needed while its answers are there


def test_the_board_of_a_run_is_consistent(study):
    assert check_board(study / "board") == []


def test_a_cell_leads_to_its_chain_and_samples(study):
    result = run(study, "show", f"{study}/board/mft:task_token/completion", "-n", "1")
    assert result.exit_code == 0, result.output
    for stage in ("score", "execute", "generate", "train"):
        assert f"\n{stage} " in f"\n{result.output}"
    assert "def solve(x):" in result.output


def test_a_cell_has_a_row_per_seed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_board(tmp_path / "leaderboards" / "laptop", board_rows(seeds=(2, 1)))
    assert [found.seed for found in trace("laptop/mixed/sql")] == [1, 2]


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("laptop/mixed", "is no cell; write BOARD/SYSTEM/TASK"),
        ("laptop/mixd/sql", "unknown system 'mixd'; did you mean 'mixed'"),
        ("laptop/mixed/sqll", "unknown task 'sqll'; did you mean 'sql'"),
        ("laptop/mixed/sql@spider", "unknown source 'spider'"),
        ("laptop/mixed/completion", "names 2 cells: nano completion@humaneval, nano completion@st"),
        ("nowhere/mixed/sql", "no results.jsonl"),
    ],
)
def test_an_address_that_names_no_cell_is_refused(tmp_path, monkeypatch, address, complaint):
    monkeypatch.chdir(tmp_path)
    other = row([1.0, 0.0], mode="mixed", balancer="", source="humaneval")
    write_board(tmp_path / "leaderboards" / "laptop", [*board_rows(), other])
    with pytest.raises(UsageError, match=complaint):
        trace(address)


def test_the_report_command_writes_a_page_with_every_sample(study):
    out = study / "report.html"
    result = run(study, "report", f"{study}/board", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "Opening 32 samples" in out.read_text(encoding="utf-8")


def test_figures_are_the_same_bytes_for_the_same_study(study):
    first, second = study / "first", study / "second"
    for folder in (first, second):
        result = run(study, "figures", f"{study}/board", "--out", str(folder))
        assert result.exit_code == 0, result.output
    names = sorted(path.name for path in first.iterdir())
    assert {"scores.svg", "scores.pdf", "differences.svg", "conciseness.pdf"} <= set(names)
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_an_unknown_figure_format_is_refused(study):
    result = run(study, "figures", f"{study}/board", "--format", "svgg")
    assert "did you mean 'svg'" in str(result.exception)


def test_a_model_card_says_what_the_board_says(study):
    from huggingface_hub import ModelCard

    result = run(study, "cards", f"{study}/board", "--out", str(study / "cards"))
    assert result.exit_code == 0, result.output
    card = ModelCard.load(study / "cards" / "nano-mixed-seed1" / "README.md")
    found = {each.dataset_config: each.metric_value for each in card.data.eval_results}
    assert found == {"completion": 100.0, "text_to_code": 100.0}
    assert "| completion | starter |" in card.text
    assert "synthetic data" in card.text


def test_the_study_card_lists_every_model_and_data_set(study):
    run(study, "cards", f"{study}/board", "--out", str(study / "cards"))
    text = (study / "cards" / "STUDY.md").read_text()
    for label in ("single completion", "single text_to_code", "mixed", "mft:task_token"):
        assert f"| nano {label} | 1 |" in text
    assert text.count("| starter |") == 2


def test_the_address_that_a_board_shows_names_one_cell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"mode": "mft", "balancer": "task_token (micro-batch)"}
    pairs = [(model, source) for model in ("a", "b c") for source in ("humaneval", "starter")]
    rows = [row([1.0, 0.0], model=model, source=source, **names) for model, source in pairs]
    write_board(tmp_path / "leaderboards" / "laptop", rows)
    text = (tmp_path / "leaderboards" / "laptop" / "README.md").read_text()
    shown = next(line for line in text.splitlines() if line.startswith("mftbench show "))
    _, _, address, _, model, *_ = shlex.split(shown)
    assert [(found.model, found.source) for found in trace(address, model)] == [("a", "humaneval")]


def test_a_model_card_labels_what_a_forged_verdict_could_be(study, tmp_path):
    shutil.copytree(study / "board", tmp_path / "board")
    rows = read_rows(study / "board" / "results.jsonl")
    changed = [replace(each, in_process=each.problems) for each in rows]
    write_board(tmp_path / "board", changed)
    run(study, "cards", f"{tmp_path}/board", "--out", str(tmp_path / "cards"))
    text = (tmp_path / "cards" / "nano-mixed-seed1" / "README.md").read_text()
    assert "| completion (starter, synthetic, in-process checker for" in text
    assert "could forge its verdict" in text.replace("\n", " ")


def test_a_model_card_marks_a_lower_bound(study, tmp_path):
    shutil.copytree(study / "board", tmp_path / "board")
    rows = read_rows(study / "board" / "results.jsonl")
    write_board(tmp_path / "board", [replace(each, missing=1) for each in rows])
    run(study, "cards", f"{tmp_path}/board", "--out", str(tmp_path / "cards"))
    assert "| ≥100.0 |" in (tmp_path / "cards" / "nano-mixed-seed1" / "README.md").read_text()


@pytest.mark.parametrize("command", ["cards", "figures"])
def test_a_file_in_the_place_of_a_folder_is_refused(study, tmp_path, command):
    (tmp_path / "file").touch()
    result = run(study, command, f"{study}/board", "--out", str(tmp_path / "file"))
    assert result.exit_code == 2
    assert "is a file" in " ".join(result.output.replace("│", "").split())
