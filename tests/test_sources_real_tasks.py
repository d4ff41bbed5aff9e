"""Programs of the real sources: languages, splicing, mutants and prompts, without a sandbox."""

from __future__ import annotations

import pytest

from mftbench.checking import language_of
from mftbench.contract import Problem, Program
from mftbench.extraction import extract, splice
from mftbench.languages import CPP, GO, JAVA, JAVASCRIPT, LANGUAGES, RUST
from mftbench.mutation import mutants
from mftbench.plugins import asked_by, find_tasks, load_task, open_source
from mftbench.sources.human_eval_x import X_FILES
from mftbench.sources.mbpp_plus_inputs import restored

JAVA_PROMPT = "import java.util.*;\n\nclass Solution {\n    public int twice(int x) {\n"
JAVA_BODY = "        return 2 * x;\n    }\n}\n"


def real(name):
    return [(name, source) for source in load_task(name).sources if source != "starter"]


REAL = [pair for name in find_tasks() for pair in real(name)]


@pytest.mark.needs_data
@pytest.mark.parametrize(("task", "source"), REAL)
def test_every_gold_of_a_real_source_makes_a_program_and_no_stop_cuts_it(task, source):
    opened = open_source(load_task(task), source)
    asked = asked_by(opened, load_task(task))
    problems = list(opened.problems())[:40]
    for problem in problems:
        if task != "comment":
            assert isinstance(asked.program(problem, problem.gold), Program)
        cut = [stop for stop in asked.prompt.stop if stop in problem.gold.rstrip("\n")]
        assert cut == [] or problem.id == "CPP/94", "a file of upstream ends in its own test"


@pytest.mark.needs_data
@pytest.mark.parametrize("name", find_tasks())
def test_real_rows_are_learnt_as_they_are_evaluated(name):
    task = load_task(name)
    asked = {source: asked_by(open_source(task, source), task).prompt for _, source in real(name)}
    templates = {source: prompt.template for source, prompt in asked.items()}
    assert len(set(templates.values())) == 1, templates


@pytest.mark.needs_data
@pytest.mark.parametrize("short", X_FILES)
def test_a_gold_spliced_in_any_form_is_prompt_and_gold(short):
    opened = open_source(load_task("completion"), f"humanevalx_{short}")
    for problem in opened.problems():
        language, name = language_of(problem), problem.facts["entry_points"][0]
        whole = problem.prompt + problem.gold
        assert splice(problem.prompt, problem.gold, name, language) == whole
        fenced = f"Here it is:\n```\n{whole}```\n"
        assert whole.strip() in splice(problem.prompt, fenced, name, language)


def test_a_java_method_closes_its_class_if_the_answer_did_not():
    assert splice(JAVA_PROMPT, JAVA_BODY, "twice", JAVA) == JAVA_PROMPT + JAVA_BODY
    short = "        return 2 * x;\n    }\n"
    assert splice(JAVA_PROMPT, short, "twice", JAVA) == JAVA_PROMPT + short + "}\n"


def test_a_java_class_that_is_repeated_replaces_the_prompt_s():
    answer = (
        "```java\nclass Solution {\n    public int twice(int x) {\n        return 2;\n    }\n}\n```"
    )
    spliced = splice(JAVA_PROMPT, answer, "twice", JAVA)
    assert spliced.count("class Solution") == 1
    assert spliced.startswith("import java.util.*;")


@pytest.mark.parametrize(
    ("language", "answer", "kept"),
    [
        (CPP, "int f(int x) {\n  return x;\n}\nint main() {\n  f(1);\n}\n", "int f"),
        (GO, "func F() int {\n\treturn 1\n}\nfunc main() {\n\tF()\n}\n", "func F"),
        (RUST, "fn f() -> i32 {\n    1\n}\nfn main() {\n    f();\n}\n", "fn f"),
        (JAVASCRIPT, "const f = () => {\n  return 1;\n}\nconst g = () => {\n  if (", "const f"),
    ],
)
def test_another_main_program_and_an_unfinished_function_are_left_out(language, answer, kept):
    found = extract(answer, language, "f")
    assert found.startswith(kept)
    assert "main" not in found
    assert found.rstrip().endswith("}")


def test_prose_inside_a_block_comment_is_code():
    text = "/*\nReturn the number.\n*/\nint f() {\n  return 1;\n}\nThat is it.\n"
    assert extract(text, CPP, "f") == "/*\nReturn the number.\n*/\nint f() {\n  return 1;\n}\n"


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_a_huge_line_is_read_in_linear_time(language):
    prose = " " * 300_000 + "{" + "a " * 100_000
    assert len(extract(prose, language, "f")) <= len(prose)
    body = "class " + "a" * 200_000 + "f (" * 50_000
    assert splice("x", body, "f", language).startswith("x")


def test_a_problem_without_a_language_is_python():
    assert language_of(Problem("p", "", "")).name == "python"


def test_mutants_change_one_place_and_parse():
    source = (
        "def f(a, b):\n    if not a:\n        return b + 1  # + here\n"
        "    return a <= b and a in (1, 2)\n"
    )
    found = {mutant.name: mutant.source for mutant in mutants(source)}
    assert "return b - 1  # + here" in found["3:17 -"]
    assert "if not not a" in found["2:7 not"]
    assert "return a < b and" in found["4:13 <"]
    assert "a <= b or a in" in found["4:18 or"]
    assert "a not in (1, 2)" in found["4:24 not in"]
    assert "return None\n" in found["4:11 return"]
    for mutant in found.values():
        compile(mutant, "mutant", "exec")
        assert mutant != source


def test_mutants_are_named_without_a_word_of_the_program():
    assert [each.name for each in mutants("x = 'secret'\n")] == ["1:4 constant"]


def test_docstrings_are_not_mutated():
    assert mutants('def f():\n    """Say 1 + 1."""\n') == []


@pytest.mark.parametrize(
    ("number", "given", "wanted"),
    [
        (2, [[1], [2]], [(1,), (2,)]),
        (63, [[[1, 2]]], [[(1, 2)]]),
        (115, [[[1], []]], [[{1}, {}]]),
        (124, [1, "2j"], [1.0, 2j]),
        (722, [{"a": [1]}, 2], [{"a": (1,)}, 2]),
        (580, [[1, [2]]], [(1, (2,))]),
        (3, [[1]], [[1]]),
    ],
)
def test_mbpp_plus_s_arguments_get_their_types_back(number, given, wanted):
    assert restored(number, [given]) == [wanted]


@pytest.mark.needs_data
def test_the_study_s_prompt_names_the_language_first():
    opened = open_source(load_task("completion"), "codefuse_java", {"prompt": "mftcoder"})
    prompt = asked_by(opened, load_task("completion")).prompt
    assert prompt.render("X") == "// language: Java\nX\n"


@pytest.mark.needs_data
def test_translation_is_asked_as_the_study_asks():
    problem = next(iter(open_source(load_task("translation"), "codetrans_java_to_cpp").problems()))
    first, second, *_ = problem.prompt.split("\n")
    assert (first, second) == ("# Translate the following java program to cpp", "# java")
    assert "The result code must follow this function name :" in problem.prompt


@pytest.mark.needs_data
def test_mbxp_s_pairs_show_no_test_in_either_program():
    for row in list(open_source(load_task("translation"), "mbxp").train())[:200]:
        assert ">>>" not in row.prompt + row.completion
        assert "/**" not in row.prompt + row.completion
