from dataclasses import replace

import pytest
from board_rows import BASE, MFT, MIXED, SINGLE, board_rows, row

from mftbench.contract import Metric, Outcome, Verdict
from mftbench.errors import UsageError
from mftbench.leaderboard.board import make_board
from mftbench.leaderboard.table import Mark
from mftbench.scoring.score import score
from mftbench.study import Study

HALF = [1.0, 0.0] * 50


def section(rows, study=None):
    return make_board("laptop", rows, study).sections[0]


def column_marks(rows):
    table = section(rows).main
    return {system.label: table.mark(system, table.columns[0]) for system in table.systems}


def test_systems_stand_in_the_order_of_the_study():
    labels = [system.label for system in section(board_rows()).main.systems]
    assert labels == ["base", "single", "mixed", "mft:task_token"]


def test_columns_follow_the_studys_tasks_else_their_names():
    study = Study(name="s", models=("nano",), tasks=("sql", "completion"))
    assert [c.task for c in section(board_rows()).main.columns] == ["completion", "sql"]
    assert [c.task for c in section(board_rows(), study).main.columns] == ["sql", "completion"]


def test_a_difference_inside_the_noise_is_marked_as_a_tie():
    near = [1.0, 1.0, *HALF[2:]]
    rows = [row(near, **MFT), row(HALF, **MIXED), row([0.0] * 99 + [1.0], **BASE)]
    assert column_marks(rows) == {
        "mft:task_token": Mark.BEST,
        "mixed": Mark.TIED,
        "base": Mark.BEHIND,
    }


def test_equal_values_share_the_best_and_the_rank():
    table = section([row(HALF, **MFT), row(HALF, **MIXED), row([0.0] * 100, **SINGLE)]).main
    assert sorted(table.ranks.values()) == [1.5, 1.5, 3.0]
    assert set(table.marks.values()) == {Mark.BEST, Mark.BEHIND}


def test_the_rank_is_the_mean_over_tasks():
    rows = [
        row([1.0] * 10, task="a", **MFT),
        row([0.0] * 10, task="a", **MIXED),
        row([0.5] * 10, task="b", **MFT),
        row([0.5] * 10, task="b", **MIXED),
    ]
    ranks = {system.label: rank for system, rank in section(rows).main.ranks.items()}
    assert ranks == {"mft:task_token": 1.25, "mixed": 1.75}


def test_a_score_with_missing_items_is_neither_ranked_nor_compared():
    broken = [None, *HALF[1:]]
    found = section([row(broken, **MFT), row(HALF, **MIXED), row(HALF, **SINGLE)])
    assert found.main.ranks == {}
    assert found.main.marks.keys() == {
        (system, found.main.columns[0]) for system in found.main.systems if system.mode != "mft"
    }
    assert [pair.compared for pair in found.pairs[:2]] == [(), ()]
    assert found.pairs[0].skipped[0][1].startswith("items are missing")


def test_a_cell_is_the_mean_of_its_seeds():
    rows = [row([1.0] * 10, seed=1, **MFT), row([0.0] * 10, seed=2, **MFT)]
    table = section(rows).main
    cell = table.cell(table.systems[0], table.columns[0])
    assert (cell.value, cell.seeds) == (0.5, (1, 2))
    assert cell.interval.high - cell.interval.low == 1.0


def test_the_interval_of_one_seed_is_the_scores_interval():
    verdicts = {str(i): [Verdict(Outcome.PASSED if i % 3 else Outcome.FAILED)] for i in range(90)}
    (scored,) = score(verdicts, (Metric("pass"),), (1,), list(verdicts))
    table = section([row(scored.items, **MFT)]).main
    cell = table.cell(table.systems[0], table.columns[0])
    assert tuple(cell.interval) == (scored.low, scored.high)


def test_the_study_compares_mft_with_mixed_first_and_base_with_nothing():
    pairs = section(board_rows()).pairs
    assert [(pair.a, pair.b) for pair in pairs] == [
        ("mft:task_token", "mixed"),
        ("mft:task_token", "single"),
        ("mixed", "single"),
    ]


def test_p_values_are_corrected_across_the_tasks_of_a_pair():
    pair = section(board_rows(tasks=("a", "b", "c"))).pairs[1]
    smallest = min((found for _, found in pair.compared), key=lambda found: found.p)
    assert smallest.adjusted == pytest.approx(3 * smallest.p)


def test_every_balancer_is_a_system_of_its_own():
    rows = [row(HALF, **MFT), row(HALF, **(MFT | {"balancer": "famo"})), row(HALF, **MIXED)]
    pairs = section(rows).pairs
    assert [(pair.a, pair.b) for pair in pairs] == [
        ("mft:famo", "mixed"),
        ("mft:task_token", "mixed"),
    ]


def test_only_headlines_stand_in_the_main_table():
    rows = [row(HALF, **MFT), row(HALF, metric="pass@5", headline=False, **MFT)]
    found = section(rows)
    assert [column.metric for column in found.main.columns] == ["pass@1"]
    assert [column.metric for column in found.tasks[0].columns] == ["pass@1", "pass@5"]


def test_every_base_model_has_its_own_section():
    rows = [*board_rows(), *(replace(r, model="smollm2") for r in board_rows())]
    assert [s.model for s in make_board("b", rows).sections] == ["nano", "smollm2"]


def test_two_rows_of_one_cell_and_seed_are_refused():
    with pytest.raises(UsageError, match="2 rows of nano mft:task_token on completion"):
        make_board("laptop", [row(HALF, **MFT), row(HALF, **MFT)])


def test_rows_of_different_problems_do_not_share_a_table():
    with pytest.raises(UsageError, match=r"different problems on completion \(starter\)"):
        make_board("laptop", [row(HALF, **MFT), row(HALF, items_digest="other", **MIXED)])


def test_no_rows_make_an_empty_board():
    assert make_board("laptop", []).sections == ()


def test_the_mean_difference_weighs_tasks_and_not_their_sources():
    rows = [row([1.0] * 100, task="a", source=f"edition{i}", **MFT) for i in range(3)]
    rows += [row([0.0] * 100, task="a", source=f"edition{i}", **MIXED) for i in range(3)]
    rows += [row(HALF, task="b", **mode) for mode in (MFT, MIXED)]
    (pair,) = section(rows).pairs
    assert (pair.difference, pair.count("better")) == (0.5, 3)


def test_means_over_seeds_that_are_equal_are_both_best():
    def over_seeds(mode, *passes):
        return [
            row(items, seed=seed, value=round(count / 120, 6), **mode)
            for seed, count in enumerate(passes, start=1)
            for items in [[1.0] * count + [0.0] * (120 - count)]
        ]

    table = section([*over_seeds(MIXED, 40, 40, 40), *over_seeds(MFT, 35, 42, 43)]).main
    assert set(table.ranks.values()) == {1.5}
    assert set(table.marks.values()) == {Mark.BEST}
