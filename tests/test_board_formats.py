import csv
import io
import json
import re
from dataclasses import replace

import pytest
from board_rows import BASE, MFT, MIXED, board_rows, row
from rich.console import Console

from mftbench.errors import UsageError
from mftbench.leaderboard.board import make_board
from mftbench.leaderboard.formats import FORMATS, render
from mftbench.leaderboard.latex import escape
from mftbench.leaderboard.settings import describe
from mftbench.leaderboard.terminal import print_board
from mftbench.leaderboard.wording import p_value, points
from mftbench.stages import Adapter, Balance, Optim
from mftbench.study import Study
from mftbench.training.adapters import METHODS

HALF = [1.0, 0.0] * 50


def markdown(rows, study=None):
    return render(make_board("laptop", rows, study), "md")


def printed(board):
    out = io.StringIO()
    print_board(board, Console(file=out, width=100, color_system=None))
    return out.getvalue()


def test_markdown_shows_the_best_in_bold_with_its_interval():
    text = markdown([row([1.0] * 50 + [0.0] * 50, **MFT), row([0.0] * 100, **BASE)])
    assert re.search(r"\| mft:task_token \| \*\*50\.0\*\*<br>\[40\.0, 60\.0\] \|", text)
    assert re.search(r"\| base \| 0\.0<br>\[0\.0, 3\.6\] \|", text)


def test_markdown_tables_are_rectangular():
    lines = markdown(board_rows(seeds=(1, 2, 3))).splitlines()
    heads = [i for i, line in enumerate(lines) if line.startswith("| :--")]
    assert len(heads) == 7
    for head in heads:
        width = lines[head].count("|")
        body = [lines[head - 1]]
        body += lines[head + 1 : next(i for i in range(head, len(lines)) if not lines[i])]
        assert {line.count("|") for line in body} == {width}


def test_markdown_says_how_each_comparison_ended():
    text = markdown([row([1.0] * 100, **MFT), row(HALF, **MIXED)])
    assert "**mft:task_token against mixed**: better on 1, worse on 0" in text
    assert "| +50.0 |" in text
    assert "| 50 : 0 of 100 | <0.001 | <0.001 | better |" in text


def test_markdown_is_labelled_as_a_re_creation():
    assert "were never released" in markdown([])
    assert "There are no rows yet." in markdown([])


def test_markdown_carries_the_studys_notes_and_settings():
    study = Study(name="s", models=("nano",), tasks=("completion", "sql"), notes="What it shows.")
    text = markdown(board_rows(), study)
    assert "What it shows." in text
    assert "greedy, one sample" in text


@pytest.mark.parametrize("kind", METHODS)
def test_settings_name_every_kind_of_adapter(kind):
    study = Study(name="s", models=("nano",), tasks=("sql",), adapter=Adapter(kind, rank=7))
    assert ("7" in describe(study)) == (kind != "full")


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"synthetic": True}, "Synthetic data: all columns."),
        ({"in_process": 7}, "In-process checker: mft:task_token on completion (starter) 7 of 100"),
        ({"outcomes": {"no_code": 4, "passed": 96}}, "extracted: mft:task_token on completion"),
        ({"train_tasks": ("sql",)}, "not trained on this task"),
        ({"value": None, "items": ()}, "n/a: not available"),
        ({"samples": 8}, "samples per problem (n) 8,"),
        ({"engine": "vllm", "sandbox": "process"}, "engine vllm, sandbox process"),
        ({}, "Training seeds: 1."),
    ],
)
def test_what_limits_a_number_is_in_a_footnote(changes, note):
    rows = [replace(row(HALF, **MFT), **changes)]
    assert note in markdown(rows)
    assert escape(note) in render(make_board("laptop", rows), "latex")


def test_three_seeds_need_no_warning():
    assert "Training seeds" not in markdown(board_rows(seeds=(1, 2, 3)))


def test_missing_items_show_a_lower_bound_and_their_count():
    text = markdown([row([None, *HALF[1:]], **MFT), row([None] * 100, **MIXED)])
    assert "mft:task_token on completion (starter) 1 of 100" in text
    assert "| ≥" in text
    assert "| missing |" in text


def test_a_cell_that_was_not_evaluated_is_a_dash():
    text = markdown([row(HALF, **MFT), row(HALF, task="sql", **MIXED)])
    assert "| – |" in text
    assert "- – not evaluated." in text


def test_latex_escapes_every_special_character():
    assert escape(r"a_b & 5% \ {x} #1 $ ^ ~ ≥ ≈") == (
        r"a\_b \& 5\% \textbackslash{} \{x\} \#1 \$ \textasciicircum{} \textasciitilde{} "
        r"$\geq$ $\approx$"
    )


def test_latex_is_ascii_with_balanced_columns():
    text = render(make_board("laptop", board_rows()), "latex")
    assert text.isascii()
    body = text[text.index("\\toprule") : text.index("\\bottomrule")]
    lines = [line for line in body.splitlines() if line.endswith("\\\\")]
    assert {line.count(" & ") for line in lines} == {3}


def test_csv_has_a_line_per_system_and_column():
    rows = [*board_rows(), row(HALF, metric="chrf", headline=False, **MFT)]
    found = list(csv.DictReader(io.StringIO(render(make_board("laptop", rows), "csv"))))
    assert len(found) == 9
    chrf = next(line for line in found if line["metric"] == "chrf")
    assert (chrf["mode"], chrf["balancer"], chrf["value"]) == ("mft", "task_token", "0.500000")


def test_terminal_shows_values_intervals_and_statements():
    text = printed(make_board("laptop", board_rows()))
    assert "mft:task_token against mixed: " in text
    assert re.search(r"\[\d+\.\d, \d+\.\d\]", text)


def test_terminal_shows_an_empty_board_too():
    assert "there are no rows yet" in printed(make_board("laptop", []))


@pytest.mark.parametrize("name", FORMATS)
def test_rendering_twice_gives_the_same_text(name):
    rows = board_rows()
    first = render(make_board("laptop", rows), name)
    assert render(make_board("laptop", rows[::-1]), name) == first


def test_an_unknown_format_suggests_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'latex'"):
        render(make_board("laptop", []), "latx")


def test_small_numbers_read_as_what_they_are():
    assert (p_value(0.0004), p_value(0.0312)) == ("<0.001", "0.031")
    assert (points(-0.0001), points(0.03)) == ("+0.0", "+3.0")


def test_json_and_csv_carry_the_numbers_of_the_rows():
    rows = board_rows(seeds=(1, 2, 3))
    board = make_board("laptop", rows)
    found = json.loads(render(board, "json"))["sections"][0]["main"]["cells"]
    lines = list(csv.DictReader(io.StringIO(render(board, "csv"))))
    for mode in ("base", "single", "mixed", "mft"):
        values = [r.value for r in rows if (r.mode, r.task) == (mode, "sql")]
        cell = next(
            each
            for each in found
            if each["column"]["task"] == "sql" and each["system"].split(":")[0] == mode
        )
        line = next(each for each in lines if (each["mode"], each["task"]) == (mode, "sql"))
        assert cell["value"] == pytest.approx(sum(values) / 3, abs=1e-6)
        assert float(line["value"]) == pytest.approx(sum(values) / 3, abs=1e-6)
        assert [seed["value"] for seed in cell["seeds"]] == pytest.approx(values, abs=1e-6)


def test_json_names_the_keys_behind_every_number():
    board = make_board("laptop", board_rows())
    for cell in json.loads(render(board, "json"))["sections"][0]["main"]["cells"]:
        assert [seed["keys"]["score"] for seed in cell["seeds"]] == ["s"]


def test_markdown_says_how_systems_compare_over_all_tasks():
    rows = [row([1.0] * 100, task=t, **MFT) for t in ("a", "b")]
    rows += [row(HALF, task=t, **MIXED) for t in ("a", "b")]
    assert "| mft:task_token against mixed | 2 | 0 | 0 | +50.0 | [" in markdown(rows)


def test_markdown_says_what_the_board_can_see():
    text = markdown(board_rows(seeds=(1, 2, 3)))
    assert re.search(r"\| sql \(starter\) \| 100 \| \d+\.\d \| \d+\.\d \|", text)
    assert re.search(r"\| sql \(starter\) \| 100 \| \d+\.\d \| – \|", markdown(board_rows()))


@pytest.mark.parametrize(("discordant", "shown"), [(5, "–"), (6, r"\d+\.\d")])
def test_nothing_is_detectable_where_no_test_can_be_significant(discordant, shown):
    better = [1.0] * discordant + [0.0] * (100 - discordant)
    text = markdown([row(better, **MFT), row([0.0] * 100, **MIXED)])
    assert re.search(rf"\| completion \(starter\) \| 100 \| {shown} \| – \|", text)


def test_seeds_that_disagree_make_the_detectable_difference_larger():
    def detectable(*shares):
        rows = [
            row([1.0] * share + [0.0] * (100 - share), seed=seed, **mode)
            for mode, turned in ((MFT, 0), (MIXED, 10))
            for seed, share in enumerate((share - turned for share in shares), start=1)
        ]
        return make_board("s", rows).sections[0].sights[0].detectable

    assert detectable(20, 50, 80) > 2 * detectable(50, 50, 50) > 0


def test_intervals_over_seeds_say_how_seeds_enter():
    assert "widened by a t quantile" in markdown(board_rows(seeds=(1, 2)))
    assert "widened by a t quantile" not in markdown(board_rows())


def test_settings_name_balancers_only_where_there_is_mft():
    study = Study(name="s", models=("nano",), tasks=("sql",), modes=("mixed",))
    assert "task_token" not in describe(study)


def test_settings_tell_two_settings_of_a_balancer_apart():
    both = (Balance("task_token"), Balance("task_token", scope="micro"))
    study = Study(name="s", models=("nano",), tasks=("sql",), balancers=both)
    assert "mft with task_token, task_token (micro-batch);" in describe(study)


def test_settings_name_the_budget_that_counts():
    optim = Optim(tokens=5_000_000, epochs=2)
    study = Study(name="s", models=("nano",), tasks=("sql",), optim=optim)
    assert "5,000,000 tokens, learning rate" in describe(study)


def test_the_noise_floor_is_of_trainings_only():
    trained = board_rows(seeds=(1, 2, 3), tasks=("sql",))[3:]
    sampled = [row([0.0] * 100, task="sql", seed=seed, **BASE) for seed in (1, 2, 3)]
    floors = [
        make_board("s", rows).sections[0].sights[0].floor for rows in (trained, trained + sampled)
    ]
    assert floors[0] == floors[1] > 0


def test_a_board_says_where_its_intervals_hold_exact_limits():
    rare = [1.0] * 3 + [0.0] * 97
    assert "- Where fewer than 10 problems passed or failed" in markdown([row(rare, **MFT)])
    assert "Clopper" not in markdown([row(HALF, **MFT)])
