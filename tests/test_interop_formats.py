"""Files of other harnesses: what is written has their fields, and is read back as it was."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic_core import from_json
from typer.testing import CliRunner

from mftbench.cli import app
from mftbench.contract import Outcome, Problem, Verdict
from mftbench.errors import UsageError
from mftbench.inference.engine import Completion
from mftbench.interop.formats import FORMATS
from mftbench.interop.humaneval import completion_after, read_samples
from mftbench.interop.imported import Imported, write_json, write_jsonl
from mftbench.interop.results import Item, Results, executed_source
from mftbench.pipeline.score import Scored
from mftbench.plugins import load_task
from mftbench.scoring.score import score
from mftbench.suites import Suite

TASK = load_task("completion")
PROMPT = 'def f(x):\n    """Add one."""\n'
FACTS = Suite("assert f(1) == 2\n", ("f",)).facts()
PROBLEMS = [Problem(f"HumanEval/{n}", PROMPT, "    return x + 1\n", FACTS) for n in range(2)]
ANSWERS = [
    ("HumanEval/0", 0, "    return x + 1\n", Verdict(Outcome.PASSED)),
    ("HumanEval/0", 1, "    return x\n", Verdict(Outcome.FAILED, "wrong")),
    ("HumanEval/1", 0, "def f(x):\n    return x + 1\n", Verdict(Outcome.PASSED)),
    ("HumanEval/1", 1, "no code \ud83d", Verdict(Outcome.TIMEOUT)),
]
SPEC = {
    "model": "nano",
    "model_fingerprint": "m" * 64,
    "train": "",
    "adapter": False,
    "task": "completion",
    "task_version": 1,
    "source": {"name": "humaneval", "options": {}, "fingerprint": "f" * 64},
    "format": "plain",
    "engine": "scripted",
    "dtype": "float32",
    "seed": 1,
    "sampling": {"n": 2, "temperature": 0.8, "top_p": 0.95, "max_new_tokens": 0, "batch": 8},
}


@pytest.fixture
def results() -> Results:
    problems = {problem.id: problem for problem in PROBLEMS}
    verdicts = {name: [v for p, _, _, v in ANSWERS if p == name] for name in problems}
    items = [
        Item(
            problems[name],
            PROMPT,
            Completion(name, sample, text, 5, "stop"),
            executed_source(TASK, problems[name], text),
            verdict,
        )
        for name, sample, text, verdict in ANSWERS
    ]
    scores = score(verdicts, TASK.metrics, [1], list(problems), samples=2)
    scored = Scored(scores, {"passed": 2}, 0, 2, "d")
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    return Results(TASK, "humaneval", "v", SPEC, {"commit": "c"}, items, scored, moment)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_human_eval_gets_completions_that_do_the_same_after_the_prompt(results, tmp_path):
    samples, judged = FORMATS["humaneval"].write(results, tmp_path / "samples.jsonl")
    rows = lines(samples)
    assert [set(row) for row in rows] == [{"task_id", "completion"}] * 4
    assert PROMPT + rows[0]["completion"] == PROMPT + "    return x + 1\n"
    assert rows[2]["completion"] == "\n\ndef f(x):\n    return x + 1\n"
    assert [row["passed"] for row in lines(judged)] == [True, False, True, False]
    assert lines(judged)[3]["result"] == "timed out"


def test_evalplus_gets_whole_solutions(results, tmp_path):
    (path,) = FORMATS["evalplus"].write(results, tmp_path / "samples.jsonl")
    assert [set(row) for row in lines(path)] == [{"task_id", "solution"}] * 4
    assert lines(path)[0]["solution"] == PROMPT + "    return x + 1\n"


def test_codefuse_gets_generations_with_the_row_s_fields(results, tmp_path):
    path, judged = FORMATS["codefuse"].write(results, tmp_path / "gen.jsonl")
    first = lines(path)[0]
    assert first["task_id"] == "Python/0"
    assert {"prompt", "canonical_solution", "test", "language", "generation"} <= first.keys()
    assert {"result", "passed", "completion_id"} <= lines(judged)[0].keys()


def test_codefuse_gets_no_file_of_a_task_without_functions(results, tmp_path):
    items = [replace(each, problem=replace(each.problem, facts={})) for each in results.items]
    queries = replace(results, task=load_task("sql"), items=items)
    with pytest.raises(UsageError, match="codefuse's files are of functions; task 'sql' has none"):
        FORMATS["codefuse"].write(queries, tmp_path / "gen.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_lm_eval_gets_results_and_samples_by_its_names(results, tmp_path):
    summary, samples = FORMATS["lm-eval"].write(results, tmp_path)
    top = json.loads(summary.read_text())
    assert top["results"]["completion_humaneval"]["pass@1,extract"] == 0.5
    assert top["n-samples"]["completion_humaneval"] == {"original": 2, "effective": 2}
    fields = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "doc_hash"}
    assert fields | {"prompt_hash", "target_hash", "filter", "metrics"} <= lines(samples)[0].keys()


def test_inspect_gets_one_log_of_version_two(results, tmp_path):
    (path,) = FORMATS["inspect"].write(results, tmp_path / "log.json")
    log = json.loads(path.read_text())
    assert (log["version"], log["status"]) == (2, "success")
    assert [sample["epoch"] for sample in log["samples"]] == [1, 2, 1, 2]
    assert log["samples"][1]["scores"]["verify"]["value"] == "I"


def test_inspect_s_log_is_read_by_its_parser_though_an_answer_is_no_unicode(results, tmp_path):
    (path,) = FORMATS["inspect"].write(results, tmp_path / "log.json")
    log = from_json(path.read_bytes())  # what inspect reads a log with
    assert log["samples"][3]["output"]["completion"] == "no code ?"


def test_inspect_s_viewer_lists_a_log_in_a_folder_by_the_time_in_its_name(results, tmp_path):
    (path,) = FORMATS["inspect"].write(results, tmp_path / "logs")
    assert path.parent.name == "logs"
    assert re.match(r"^\d{4}-\d{2}-\d{2}T\d{2}[:-]\d{2}[:-]\d{2}.*\.json$", path.name)


READ = {
    "humaneval": ("samples.jsonl", 0, [None] * 4),
    "evalplus": ("samples.jsonl", 0, [None] * 4),
    "codefuse": ("samples_results.jsonl", 1, [True, False, True, False]),
    "lm-eval": ("folder", 1, [None] * 4),
    "inspect": ("log.json", 0, [True, False, True, False]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_written_is_read_back(results, tmp_path, name):
    file, which, passed = READ[name]
    base = file.replace("_results", "")
    found = FORMATS[name].read(FORMATS[name].write(results, tmp_path / base)[which])
    assert len(found) == 4
    assert [each.passed for each in found] == passed
    assert "return x + 1" in (found[0].completion or found[0].solution)


def test_a_solution_becomes_a_completion_that_follows_the_prompt():
    assert completion_after(PROMPT, PROMPT + "    return 1\n") == "    return 1\n"
    assert completion_after(PROMPT, "def f(x): return 1\n") == "\n\ndef f(x): return 1\n"


def test_score_reads_evalplus_s_solutions(results, tmp_path):
    (path,) = FORMATS["evalplus"].write(results, tmp_path / "samples.jsonl")
    samples = read_samples(path, {each.id: each for each in PROBLEMS}, partial=False)
    assert samples[0]["completion"] == "    return x + 1\n"


def test_import_writes_samples_and_counts_what_passed_there(results, tmp_path):
    (log,) = FORMATS["inspect"].write(results, tmp_path / "log.json")
    out = tmp_path / "samples.jsonl"
    arguments = ["import", str(log), "--format", "inspect", "--out", str(out)]
    told = CliRunner().invoke(app, arguments).stdout
    assert "4 samples of 2 problems, 2 of 4 passed there" in told
    assert [set(row) for row in lines(out)] == [{"task_id", "completion"}] * 4


def test_the_texts_of_an_answer_in_parts_are_joined(tmp_path):
    parts = [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "text", "text": "return "},
        {"type": "text", "text": "1"},
    ]
    path = tmp_path / "log.json"
    path.write_text(INSPECT % ('"p"', json.dumps(parts)))
    assert FORMATS["inspect"].read(path) == [Imported("p", completion="return 1")]


def test_evalplus_s_row_without_a_status_has_no_verdict(tmp_path):
    row = {"task_id": "HumanEval/0", "solution": "x"}
    rows = [row, {**row, "base_status": "pass"}, {**row, "plus_status": "fail"}]
    path = write_json(tmp_path / "results.json", {"eval": {"HumanEval/0": rows}})
    assert [each.passed for each in FORMATS["evalplus"].read(path)] == [None, True, False]


def test_lm_eval_s_answers_are_taken_once_though_each_filter_has_a_line(tmp_path):
    line = {"doc_id": 3, "doc": {"task_id": 11}, "resps": [["right", "wrong"]]}
    rows = [{**line, "filter": name} for name in ("none", "extract")]
    path = write_jsonl(tmp_path / "samples.jsonl", [*rows, {**line, "doc_id": 4}])
    found = [(each.task_id, each.completion) for each in FORMATS["lm-eval"].read(path)]
    assert found == [("11", "right"), ("11", "wrong")] * 2


INSPECT = '{"samples": [{"id": %s, "output": {"choices": [{"message": {"content": %s}}]}}]}'
LM_EVAL = '{"doc_id": 0, "doc": {"task_id": "HumanEval/0"}, '


@pytest.mark.parametrize(
    ("evaluated", "fault"),
    [
        ({}, "field 'eval': field required"),
        ({"eval": []}, "field 'eval': "),
        ({"eval": {"T/0": [{"solution": "x"}]}}, "field 'eval.T/0.0.task_id': field required"),
        ({"eval": {"T/0": [{"task_id": "T/0"}]}}, "field 'eval.T/0.0.solution': field required"),
        ({"eval": {"T/0": {"nfiles": 1, "base": [["success", []]]}}}, "field 'eval.T/0': "),
    ],
)
def test_evalplus_s_results_of_another_shape_are_refused(tmp_path, evaluated, fault):
    path = write_json(tmp_path / "results.json", evaluated)
    with pytest.raises(UsageError, match=rf"results\.json: {fault}"):
        FORMATS["evalplus"].read(path)


def test_evalplus_s_folder_with_another_encoding_is_refused(tmp_path):
    file = tmp_path / "HumanEval_0" / "0.py"
    file.parent.mkdir()
    file.write_bytes("# caf\xe9".encode("latin-1"))
    with pytest.raises(UsageError, match=r"HumanEval_0/0\.py: cannot be read: .*utf-8"):
        FORMATS["evalplus"].read(tmp_path)


def test_evalplus_s_own_results_are_read_back_whatever_the_answers_hold(tmp_path):
    row = {"task_id": "Mbpp/2", "solution": "\ud83d", "base_status": "pass", "plus_status": None}
    path = write_json(tmp_path / "results.json", {"eval": {"Mbpp/2": [row]}})
    assert FORMATS["evalplus"].read(path) == [Imported("Mbpp/2", None, "\ud83d", passed=True)]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("inspect", "{}", "field 'samples' is missing"),
        ("inspect", '{"samples": [{"id": 1}]}', r"samples\[0\]: no output"),
        ("inspect", "[1]", "a JSON object is expected"),
        ("inspect", "{", "cannot be read as JSON"),
        ("inspect", "[" * 100_000, "cannot be read as JSON"),
        ("humaneval", '{"completion": ""}', "field 'task_id'"),
        ("humaneval", '{"task_id": "T/0"}', ":1: neither 'completion' nor 'solution'"),
        ("evalplus", '{"task_id": "T/0", "text": "x"}', ":1: neither 'completion' nor 'solution'"),
        ("codefuse", "[]", r":1: "),
        ("codefuse", '{"task_id": "T/0", "completion": "x"}', ":1: field 'generation'"),
        ("inspect", INSPECT % ("1", "null"), r"samples\[0\]: field 'output' holds no text"),
        ("inspect", INSPECT % ("1", "[]"), r"samples\[0\]: field 'output' holds no text"),
        ("inspect", INSPECT % ("null", '"x"'), r"samples\[0\]: field 'id' is missing"),
        ("lm-eval", '{"doc_id": 0, "doc": {}, "resps": [["a"]]}', ":1: field 'doc.task_id'"),
        ("lm-eval", LM_EVAL + '"filtered_resps": ["a"]}', ":1: field 'resps'"),
        ("lm-eval", LM_EVAL + '"resps": []}', ":1: field 'resps'"),
        ("lm-eval", LM_EVAL + '"resps": [[]]}', ":1: field 'resps.0'"),
        ("lm-eval", LM_EVAL + '"resps": [[[-1.5, false]]]}', ":1: field 'resps.0.0'"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path, name, content, fault):
    path = tmp_path / "file.json" if name == "inspect" else tmp_path / "file.jsonl"
    path.write_text(content + "\n")
    with pytest.raises(UsageError, match=fault):
        FORMATS[name].read(path)


def test_an_unknown_format_is_answered_with_the_nearest(tmp_path):
    arguments = ["import", "x", "--format", "inspekt", "--out", "y"]
    error = CliRunner().invoke(app, arguments).exception
    assert "did you mean 'inspect'?" in str(error)
