"""Published data: digests, sizes, split rules, overlaps; damage is told by file and line."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path

import pytest

from mftbench.canonical import digest
from mftbench.contract import Prompt, Source
from mftbench.errors import PluginError, UsageError
from mftbench.plugins import find_tasks, load_task, open_source
from mftbench.sources import leetcode, mbpp, mbxp, spider
from mftbench.sources.broken import BROKEN_GOLDS
from mftbench.sources.catalogue import CATALOGUE
from mftbench.sources.eval_plus import MBPP_PLUS_FILES
from mftbench.sources.human_eval import FILE as HUMAN_EVAL
from mftbench.sources.mixture import distinct, mixture
from mftbench.sources.overlap import find_overlaps

FILES = [file for entry in CATALOGUE.values() for file in entry.files]


@pytest.fixture
def copy(monkeypatch, tmp_path):
    """Give the data folder's copy of HumanEval, to be damaged."""
    path = tmp_path / HUMAN_EVAL.path
    path.parent.mkdir()
    path.write_bytes(HUMAN_EVAL.package().read_bytes())
    monkeypatch.setenv("MFTBENCH_DATA", str(tmp_path))
    return path


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def write(path: Path, rows: list[dict[str, object]], encoding: str = "utf-8") -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(encoding, "replace")))


def opened() -> list[object]:
    return list(open_source(load_task("completion"), "humaneval").problems())


def test_the_published_bytes_are_accepted(copy):
    assert len(opened()) == 164


def test_a_cut_archive_is_refused(copy):
    copy.write_bytes(copy.read_bytes()[:-500])
    with pytest.raises(UsageError, match=r"HumanEval\.jsonl\.gz: cannot be read"):
        opened()


def test_a_missing_field_is_refused_with_its_line(copy):
    rows = lines(copy)
    del rows[6]["entry_point"]
    write(copy, rows)
    with pytest.raises(UsageError, match=r"HumanEval\.jsonl\.gz:7: field 'entry_point'"):
        opened()


def test_a_duplicate_id_is_refused_with_both_lines(copy):
    rows = lines(copy)
    write(copy, [*rows, rows[3]])
    with pytest.raises(UsageError, match=r"gz:165: field 'task_id': 'HumanEval/3'.*gz:4"):
        opened()


def test_a_wrong_encoding_is_refused_with_its_line(copy):
    rows = lines(copy)
    rows[2]["prompt"] = "é"
    write(copy, rows, "latin-1")
    with pytest.raises(UsageError, match=r"HumanEval\.jsonl\.gz:\d+: not UTF-8"):
        opened()


def test_a_changed_file_is_refused_by_its_digest(copy):
    rows = lines(copy)
    rows[0]["canonical_solution"] = "    return 1\n"
    write(copy, rows)
    with pytest.raises(UsageError, match=r"SHA-256 is \w{12}, not b796127e635a"):
        opened()


def test_a_changed_file_may_be_used_on_request(copy, monkeypatch):
    write(copy, lines(copy)[:5])
    monkeypatch.setenv("MFTBENCH_CHANGED_DATA", "1")
    assert len(opened()) == 5


def test_every_file_has_a_digest_an_address_and_a_size():
    assert all(len(file.sha256) == 64 and file.count > 0 for file in FILES)
    assert all(file.upstream.startswith("https://") for file in FILES)


def test_every_data_set_names_licence_citation_version_and_split_rule():
    for entry in CATALOGUE.values():
        about = entry.about
        assert about.licence
        assert about.citation
        assert about.version
        assert about.notes


@pytest.mark.needs_data
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.path)
def test_a_file_of_the_data_folder_is_whole_and_as_published(file):
    assert len(file.rows()) == file.count


@pytest.mark.needs_data
def test_the_training_splits_have_the_reference_s_sizes():
    sizes = {language: len(mbxp.solved(language)) for language in mbxp.FILES}
    broken = {language: len(ids & mbpp.TRAIN_IDS) for language, ids in mbxp.BROKEN.items()}
    assert {name: sizes[name] + broken[name] for name in sizes} == {
        "python": 354,
        "java": 307,
        "cpp": 282,
        "javascript": 341,
    }
    assert len(list(leetcode.leetcode_text().train())) == 1890
    assert len(list(spider.spider().train())) == 6605


@pytest.mark.needs_data
def test_mbxp_trains_on_mbpp_s_training_ids_only():
    rows = list(open_source(load_task("translation"), "mbxp").train())
    numbers = {int(row.id.split("/")[1]) for row in rows}
    assert numbers <= mbpp.TRAIN_IDS


@pytest.mark.needs_data
@pytest.mark.parametrize(("task", "source"), [("completion", "mbxp_java"), ("translation", "mbxp")])
def test_what_mbxp_leaves_out_is_part_of_the_fingerprint(task, source, monkeypatch):
    before = open_source(load_task(task), source).fingerprint()
    monkeypatch.setitem(mbxp.BROKEN, "java", frozenset({601}))
    assert open_source(load_task(task), source).fingerprint() != before


@pytest.mark.needs_data
def test_every_gold_listed_as_broken_is_a_problem_of_its_data_set_or_source():
    ids: dict[str, set[str]] = defaultdict(set)
    for plugin in find_tasks().values():
        task = plugin()
        for name in task.sources:
            opened = open_source(task, name)
            if not opened.synthetic:
                found = {problem.id for problem in opened.problems()}
                ids[opened.name] |= found
                ids[name] |= found
    missing = {place: set(broken) - ids[place] for place, broken in BROKEN_GOLDS.items()}
    assert missing == {place: set() for place in BROKEN_GOLDS}


@pytest.mark.needs_data
def test_mbpp_plus_scores_the_224_problems_of_the_evaluation_ids():
    rows = [row for row in MBPP_PLUS_FILES["full"].rows() if row.number in mbpp.EVALUATION_IDS]
    problems = list(open_source(load_task("text_to_code"), "mbppplus").problems())
    assert len(problems) == len(rows) == 224


@pytest.mark.needs_data
def test_whatever_comes_from_human_eval_has_nothing_to_train_on():
    for name, plugin in find_tasks().items():
        for source in plugin().sources:
            if source.startswith(("humaneval", "codefuse", "codetrans")):
                assert list(open_source(load_task(name), source).train()) == [], source


@pytest.mark.needs_data
def test_spider_s_training_databases_are_not_its_evaluation_databases():
    train = {row.db_id for row in spider.TRAIN.rows()}
    assert not train & {row.db_id for row in spider.DEV.rows()}


@pytest.mark.needs_data
@pytest.mark.slow
def test_no_training_row_of_any_task_is_a_problem_of_any_source():
    sources = {
        f"{name}/{source}": open_source(load_task(name), source)
        for name, plugin in find_tasks().items()
        for source in plugin().sources
        if source != "starter"
    }
    rows = distinct(row for source in sources.values() for row in source.train())
    overlaps = find_overlaps(rows, {name: each.problems() for name, each in sources.items()})
    assert {name: each.leaks for name, each in overlaps.items() if each.leaks} == {}


def test_a_mixture_has_each_row_once_and_its_first_rows_are_a_fair_sample():
    task = load_task("completion")
    starter = task.sources["starter"]
    mixed = mixture(lambda: starter(train=40), lambda: starter(train=60))
    rows = list(mixed().train())
    assert len(rows) == len({row.prompt for row in rows})
    assert [row.id for row in mixed(train=10).train()] == [row.id for row in rows[:10]]
    assert [row.id for row in rows] != sorted(row.id for row in rows)


def asking(template, fingerprint="x"):
    """Make the factory of a source without rows that asks with a template, or as its task does."""
    prompt = None if template is None else Prompt(template)
    return lambda: Source("s", "", "", tuple, tuple, lambda: fingerprint, prompt=prompt)


@pytest.mark.parametrize("template", [None, "{prompt}\n?\n"])
def test_a_mixture_asks_as_its_parts_do(template):
    part = asking(template)
    assert mixture(part, part)().prompt == part().prompt


@pytest.mark.needs_data
@pytest.mark.parametrize(("task", "source"), [("translation", "open"), ("test_generation", "open")])
def test_a_fingerprint_covers_the_prompt(task, source):
    opened = open_source(load_task(task), source)
    assert opened.prompt is not None
    assert f"prompt={digest(opened.prompt)}" in opened.fingerprint()


def test_parts_that_ask_in_different_ways_make_no_mixture():
    with pytest.raises(PluginError, match=r"'s', 's': a mixture's parts ask in different ways"):
        mixture(asking(None), asking("{prompt}"))()
