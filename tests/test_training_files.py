"""Training rows from files: every form that people have, and malformed rows named and counted."""

import json
import re

import pytest
from tiny_llama import save_tiny_llama
from typer.testing import CliRunner

from mftbench.cli import app
from mftbench.errors import UsageError
from mftbench.formats import Turn, render_conversation, render_prompt
from mftbench.models import load_tokenizer
from mftbench.training.files import RowFile, named_files

USER, ANSWER = Turn("user", "q"), "a"


def read(tmp_path, *rows):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    )
    file = RowFile(path)
    return list(file), file.malformed


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "completion": "a"},
        {"prompt": "q", "answer": "a"},
        {"instruction": "q", "output": "a", "system": ""},
        {"chat_rounds": [{"role": "human", "content": "q"}, {"role": "bot", "content": "a"}]},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
    ],
    ids=lambda row: next(iter(row)) + "/" + list(row)[-1],
)
def test_every_form_gives_the_pair(tmp_path, row):
    ((dialogue,), malformed) = read(tmp_path, row)
    assert (dialogue.turns, dialogue.answer, malformed) == ((USER,), ANSWER, [])


def test_every_answer_of_several_rounds_is_supervised(tmp_path):
    rounds = [("system", "s"), ("human", "1"), ("bot", "2"), ("human", "3"), ("bot", "4")]
    row = {"chat_rounds": [{"role": role, "content": content} for role, content in rounds]}
    dialogues, _ = read(tmp_path, row)
    assert [(len(d.turns), d.answer) for d in dialogues] == [(2, "2"), (4, "4")]


def test_answers_of_one_row_and_of_equal_rows_validate_together(tmp_path):
    rounds = [{"role": role, "content": role} for role in ("human", "bot", "human", "bot")]
    dialogues, _ = read(tmp_path, {"chat_rounds": rounds}, {"chat_rounds": rounds})
    assert len(dialogues) == 4
    assert len({dialogue.id for dialogue in dialogues}) == 1


def test_a_rows_name_does_not_depend_on_its_files(tmp_path):
    row = {"prompt": "q", "completion": "a"}
    ((one,), _) = read(tmp_path, row)
    (tmp_path / "rows.jsonl").rename(tmp_path / "other.jsonl")
    (other,) = RowFile(tmp_path / "other.jsonl")
    assert one.id == other.id


@pytest.mark.parametrize(("given", "asked"), [("", "sort"), ("[2, 1]", "sort\n\n[2, 1]")])
def test_alpacas_instruction_is_asked_with_its_input(tmp_path, given, asked):
    ((dialogue,), _) = read(tmp_path, {"instruction": "sort", "input": given, "output": "x"})
    assert dialogue.turns == (Turn("user", asked),)


def test_half_a_surrogate_pair_is_replaced(tmp_path):
    ((dialogue,), malformed) = read(tmp_path, r'{"prompt": "q", "completion": "a \ud800 b"}')
    assert (dialogue.answer.replace("\ufffd", ""), malformed) == ("a  b", [])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "an object is wanted, not list"),
        ("[" * 200_000, "not JSON: nested too deeply"),
        ({"instruction": 1, "input": "x", "output": "a"}, "content of the user is"),
        ({"text": "x"}, "no known form: keys text"),
        ({"prompt": 1, "answer": "a"}, "content of the user is int"),
        ({"prompt": "q", "answer": ""}, "an answer is empty"),
        ({"messages": []}, "a list of turns is wanted"),
        ({"messages": [{"role": "judge", "content": "x"}]}, "unknown role 'judge'"),
        ({"messages": [{"role": "user", "content": "x"}]}, "must take turns, found user"),
        ({"messages": ["x"]}, r"messages\[0\]: an object is wanted"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_malformed_row_is_named_by_line_and_the_others_are_read(tmp_path, row, reason):
    good = {"prompt": "q", "completion": "a"}
    dialogues, malformed = read(tmp_path, good, row, good)
    assert [d.answer for d in dialogues] == ["a", "a"]
    (line,) = malformed
    assert re.search(rf"rows\.jsonl:2: .*{reason}", line)


def test_row_that_is_not_utf8_is_malformed(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"prompt": "\xff", "completion": "a"}\n')
    file = RowFile(path)
    assert list(file) == []
    assert "not UTF-8 at byte" in file.malformed[0]


def test_task_is_the_files_stem_or_the_name_given(tmp_path):
    for name in ("sql.jsonl", "py.jsonl.gz"):
        (tmp_path / name).touch()
    files = named_files([str(tmp_path / "sql.jsonl"), f"python={tmp_path}/py.jsonl.gz"])
    assert list(files) == ["sql", "python"]


def test_two_files_of_one_task_are_refused(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "train.jsonl").touch()
    with pytest.raises(UsageError, match="two files of task 'train'"):
        named_files([str(tmp_path / folder / "train.jsonl") for folder in "ab"])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("format", ["plain", "mftcoder", "mftcoder-v1"])
def test_one_turn_is_dressed_as_a_prompt(model, format):
    tokenizer = load_tokenizer(str(model))
    assert render_conversation(format, [USER], tokenizer) == render_prompt(format, "q", tokenizer)


def test_rounds_are_dressed_as_mftcoder_does(model):
    turns = [Turn("system", "s"), USER, Turn("assistant", "a"), USER]
    assert render_conversation("mftcoder", turns, load_tokenizer(str(model))) == (
        "<s>system\ns\n<s>human\nq\n<s>bot\na<|end|>\n<s>human\nq\n<s>bot\n"
    )


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("setting", ["format=chat", "seeds=[9]", "models=['smollm2']"])
def test_a_setting_that_train_would_not_heed_is_refused(setting, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "q", "answer": "a"}\n')
    result = run("train", rows, "--out", tmp_path / "out", "--set", setting)
    assert isinstance(result.exception, UsageError)
    assert "unknown setting" in str(result.exception)


def test_train_writes_a_model_that_merges(model, tmp_path):
    rows = tmp_path / "sums.jsonl"
    lines = [json.dumps({"prompt": f"add {i} 1", "answer": str(i + 1)}) for i in range(12)]
    rows.write_text("\n".join([*lines, "{"]))
    settings = ("--set", "optim.steps=2", "--set", "optim.padding=packed", "--skip-malformed")
    common = ("--model", model, "--adapter", "lora", "--store", tmp_path / "store", *settings)
    result = run("train", rows, "--out", tmp_path / "out", *common)
    assert result.exit_code == 0, result.output
    assert "1 malformed rows were left out" in result.output
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["rows"]["sums"]["read"] == 12
    assert card["run"]["padding_share"] == 0
    merged = run("merge", tmp_path / "out" / "model", tmp_path / "merged")
    assert merged.exit_code == 0, merged.output
    assert (tmp_path / "merged" / "model.safetensors").is_file()
    again = run("train", rows, "--out", tmp_path / "again", *common)
    assert "from the store" in again.output


def test_malformed_rows_are_counted_before_anything_is_loaded(tmp_path):
    rows = tmp_path / "bad.jsonl"
    rows.write_text('{"prompt": "q", "answer": "a"}\n' + "nope\n" * 7)
    result = run("train", rows, "--out", tmp_path / "out")
    assert isinstance(result.exception, UsageError)
    assert "7 malformed rows" in str(result.exception)
    assert "bad.jsonl:2" in str(result.exception)
    assert "and 2 more" in str(result.exception)


def test_merging_a_folder_without_an_adapter_is_refused(model, tmp_path):
    result = run("merge", model, tmp_path / "merged")
    assert "holds no adapter_config.json" in str(result.exception)
