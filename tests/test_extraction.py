"""Extraction: the documented rule, case by case, and what it must never do."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mftbench.extraction import JAVASCRIPT, PYTHON, SQL, Block, blocks, extract, splice
from mftbench.languages import CPP, JAVA
from mftbench.sources.human_eval_x import SHORT, X_FILES

CODE = "def f(x):\n    return x\n"
PROMPT = 'import math\n\n\ndef f(x):\n    """Give x."""\n'


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        f"```python\n{CODE}```",
        f"```py\n{CODE}```\n",
        f"```\n{CODE}```",
        f"~~~python\n{CODE}~~~",
        f"```Python title=x\n{CODE}```",
        f"```{{.python}}\n{CODE}```",
        f"```python\n{CODE}",
        f"Sure! Here it is.\n\n```python\n{CODE}```\n\nIt gives x back.",
        f"Sure! Here it is.\n\n{CODE}\nThis function gives x back.\n",
        f"````\n{CODE}````",
        "  ```python\n  def f(x):\n      return x\n  ```",
        f"```text\nnothing\n```\n```python\n{CODE}```",
        f"```python\nf(1)\n```\n```python\n{CODE}```\n```python\nprint(f(1))\n```",
        f"```python\ndef f(x):\n    return 0\n```\nNo, this:\n```python\n{CODE}```",
        f"{CODE}```\nThat is all.",
        CODE.replace("\n", "\r\n"),
        "\ufeff" + CODE,
    ],
)
def test_the_function_is_found(text):
    assert extract(text, PYTHON, "f") == CODE


@pytest.mark.parametrize(
    "text", ["", " \n\t", "I cannot do that.", "```\n```", "```sql\nSELECT 1\n```", "~~~\n\n~~~"]
)
def test_where_there_is_no_code_there_is_none(text):
    assert extract(text, PYTHON, "f") == ""


def test_a_longer_fence_holds_a_shorter_one():
    assert blocks("````md\n```\nx\n```\n````") == [Block("md", "```\nx\n```\n")]


def test_a_fence_of_the_other_sign_is_content():
    assert blocks("~~~\n```\n~~~") == [Block("", "```\n")]


def test_a_fence_with_a_label_does_not_close():
    assert blocks("```\n```python\n```") == [Block("", "```python\n")]


def test_lines_at_the_margin_inside_triple_quotes_are_no_prose():
    code = 'x = """\nThis is text.\n"""\ny = 1\n'
    assert extract(code, PYTHON) == code


def test_tabs_nuls_and_surrogates_are_kept():
    code = "def f(x):\n\treturn '\0\ud800'\n"
    assert extract(code, PYTHON, "f") == code


def test_javascript_is_found_by_its_own_labels():
    text = "```python\nf(1)\n```\n```js\nconst f = (x) => x;\n```"
    assert extract(text, JAVASCRIPT, "f") == "const f = (x) => x;\n"


def test_sql_keywords_at_line_starts_are_no_prose():
    query = "SELECT a\nFROM t\nWHERE a > 1\n"
    assert extract(query, SQL) == query


@pytest.mark.parametrize(
    "query", ["Select a\nFrom t\nWhere a > 20\n", "Select a\nFrom t\nOrder By a\nLimit 1\n"]
)
def test_title_case_keywords_are_no_prose(query):
    assert extract(f"{query}\nFrom this you see the rows.\n", SQL) == query


def test_a_sentence_with_with_is_no_query():
    assert extract("With the given tables:\nSELECT 1\n", SQL) == "SELECT 1\n"


@pytest.mark.parametrize(
    "query", ["WITH a AS (SELECT 1)\nSELECT * FROM a\n", "WITH\na(b) AS (\n1)\n"]
)
def test_a_common_table_expression_is_a_query(query):
    assert extract(query, SQL) == query


def test_a_body_is_appended_to_its_prompt():
    assert splice(PROMPT, "    return x\n", "f") == PROMPT + "    return x\n"


@pytest.mark.parametrize(
    "completion",
    [
        f"{PROMPT}    return x\n",
        "def f(x):\n    return x\n",
        "```python\ndef f(x):\n    return x\n```",
        "Here is the function:\n\ndef f(x):\n    return x\n",
    ],
)
def test_a_completion_that_repeats_the_function_replaces_it(completion):
    source = splice(PROMPT, completion, "f")
    namespace: dict[str, object] = {}
    exec(source, namespace)
    assert namespace["f"](7) == 7
    assert "math" in namespace, "what stands above the function is kept"


def test_a_fenced_body_at_the_margin_is_indented():
    source = splice(PROMPT, "```python\nif x:\n    return x\nreturn 0\n```", "f")
    assert source == PROMPT + "    if x:\n        return x\n    return 0\n"


def test_a_body_that_runs_into_a_closing_fence_ends_there():
    assert splice(PROMPT, "    return x\n```\nDone.", "f") == PROMPT + "    return x\n"


@pytest.mark.parametrize("completion", ["", "\n \n", "```\n```"])
def test_nothing_spliced_is_no_code(completion):
    assert splice(PROMPT, completion, "f") == ""


CPP_PROMPT = "#include<vector>\n/*\nAdd.\n>>> add({1}, 2)\n3\n*/\nint add(int x,int y){\n"
CPP_ADD = "int add(int x, int y) {\n    return x + y;\n}\n"
JAVA_PROMPT = (
    "import java.util.*;\n\nclass Solution {\n    /**\n    Add.\n    >>> add(1, 2)\n    */\n"
    "    public int add(int x, int y) {\n"
)
JAVA_ADD = "    public int add(int x, int y) {\n        return x + y;\n    }\n"


@pytest.mark.parametrize("completion", [CPP_ADD, f"```cpp\n{CPP_ADD}```\n"])
def test_a_docstring_s_example_is_not_where_a_repeated_function_begins(completion):
    above = CPP_PROMPT[: CPP_PROMPT.index("int add")]
    assert splice(CPP_PROMPT, completion, "add", CPP) == above + CPP_ADD


@pytest.mark.parametrize("completion", [JAVA_ADD, f"```java\n{JAVA_ADD}```\n"])
def test_a_method_alone_stands_in_the_class_of_its_prompt_which_is_closed(completion):
    above = JAVA_PROMPT[: JAVA_PROMPT.index("    public int add")]
    assert splice(JAVA_PROMPT, completion, "add", JAVA) == f"{above}{JAVA_ADD}}}\n"


@pytest.mark.needs_data
@pytest.mark.parametrize("short", ["cpp", "java"])
def test_a_function_repeated_without_its_description_leaves_no_comment_or_class_open(short):
    language = SHORT[short]
    for row in X_FILES[short].rows():
        prompt = row.asked(language)
        header = [line for line in prompt.split("\n") if line.rstrip().endswith("{")][-1]
        body = row.canonical_solution.rstrip()
        body = body.removesuffix("}").rstrip() if short == "java" else body
        answer = f"```{short}\n{header}\n{body}\n```\n"
        source = splice(prompt, answer, row.entry_point, language)
        assert source.count("/*") == source.count("*/"), row.task_id
        assert source.count("{") == source.count("}"), row.task_id


BODY = "    return x\n"


@pytest.mark.parametrize(
    "more",
    [
        "\n\ndef f(x):\n    return x\n",
        "\nf = f\n",
        "\nif __name__ == '__main__':\n    print(f(1))\n",
    ],
)
def test_a_body_is_a_body_whatever_follows_it_at_the_margin(more):
    assert splice(PROMPT, BODY + more, "f") == PROMPT + BODY + more


@pytest.mark.parametrize(
    "more",
    ["This function gives x back.\n", "```python\nprint(f(1))\n```\n", "```\nDone.\n",
     "```python\ndef f(x):\n    return 0\n```\n"],
)  # fmt: skip
def test_a_body_ends_before_prose_and_fences_at_the_margin(more):
    assert splice(PROMPT, BODY + more, "f") == PROMPT + BODY


def test_a_fence_in_a_body_s_docstring_is_part_of_the_body():
    body = f'    """Give x.\n\n    ```\n    f(1)\n    ```\n    """\n{BODY}'
    assert splice(PROMPT, body, "f") == PROMPT + body


@pytest.mark.parametrize("said", [" Here is the function:", "  Sure! Here it is:", "  1. Do this"])
def test_an_indented_sentence_above_a_fence_is_no_body(said):
    source = splice(PROMPT, f"{said}\n\n```python\n{CODE}```\n", "f")
    assert source == PROMPT[: PROMPT.index("def f")] + CODE


def test_a_recursive_call_broken_over_two_lines_is_no_definition():
    body = "    return add(x, y - 1)\n        + 1;\n}\n"
    assert splice(CPP_PROMPT, body, "add", CPP) == CPP_PROMPT + body


def test_a_body_in_braces_ends_before_the_same_function_again():
    body = "    return x + y;\n}\n"
    assert splice(CPP_PROMPT, f"{body}\n{CPP_ADD}", "add", CPP) == CPP_PROMPT + body


def test_a_sentence_that_names_the_function_is_no_header():
    assert extract(f"Here is add(x, y)\n```\n{CPP_ADD}```\n", CPP, "add") == CPP_ADD


def test_a_type_with_a_capital_begins_a_body():
    body = '        String s = "";\n        return x + y;\n    }\n}\n'
    assert splice(JAVA_PROMPT, f"{body}\n{JAVA_ADD}", "add", JAVA) == JAVA_PROMPT + body


def test_imports_from_the_future_stand_first():
    code = f"from __future__ import annotations\nimport re\n\n{CODE}"
    source = splice(PROMPT, f"```python\n{code}```\n", "f")
    compile(source, "joined", "exec")
    assert source.startswith("from __future__ import annotations\nimport math\n")


def test_a_late_import_from_the_future_is_left_where_it_fails():
    code = f"import re\nx = 1\nfrom __future__ import annotations\n{CODE}"
    with pytest.raises(SyntaxError):
        compile(splice(PROMPT, f"```python\n{code}```\n", "f"), "joined", "exec")


def test_imports_of_a_method_alone_stand_above_the_class_of_its_prompt():
    source = splice(JAVA_PROMPT, f"```java\nimport java.io.*;\n{JAVA_ADD}```", "add", JAVA)
    assert source.startswith("import java.io.*;\nimport java.util.*;\n")


FENCED_DOCSTRING = 'def f(x):\n    """Do.\n\n    ```\n    f(1)\n    ```\n    """\n    return x\n'


@pytest.mark.parametrize("text", [FENCED_DOCSTRING, f"```python\n{FENCED_DOCSTRING}```\nDone.\n"])
def test_a_fence_in_a_docstring_neither_opens_nor_closes(text):
    assert extract(text, PYTHON, "f") == FENCED_DOCSTRING


def test_a_heading_above_a_bare_fence_is_no_code():
    assert extract(f"# Solution\n\n```\n{CODE}```\n", PYTHON, "f") == CODE


@pytest.mark.parametrize(
    "code",
    [
        "int add(int x, int y)\n{\n    return x + y;\n}\n",
        "int add(int x,\n        int y) {\n    return x + y;\n}\n",
        "int one(int x)\n{\n    return x;\n}\nNode add(int x)\n{\n    return one(x);\n}\n",
    ],
)
@pytest.mark.parametrize("said", ["", "Here is the function add(x, y):\n\n"])
def test_an_unfenced_header_is_kept_wherever_its_brace_is(code, said):
    assert extract(said + code, CPP, "add") == code


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_any_text_is_answered_alike_every_time(text):
    for language in (PYTHON, JAVASCRIPT, SQL):
        assert extract(text, language, "f") == extract(text, language, "f")
    assert splice(PROMPT, text, "f") == splice(PROMPT, text, "f")


FRAGMENTS = ["```", "~~~", "````", "python", "\n", " ", "def f(x):", "\r", "\0", '"""', "text", ";"]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))
def test_any_mixture_of_fences_and_code_is_answered(text):
    lines = re.split("\r\n|\r|\n", text)
    found = extract(text, PYTHON, "f")
    assert {line.strip() for line in found.split("\n")} <= {line.strip() for line in lines} | {""}
    joined = splice(PROMPT, text, "f")
    assert not joined or joined.startswith(PROMPT) or "def f" in joined


@pytest.mark.parametrize(
    "text",
    [" " * 10**6, "a " * 10**6, "```" + " " * 10**6 + "`", "`" * 10**6, "x = 1\n" * 200_000,
     "'" * 10**6, "```\n" * 10**5, "if " * 10**6, "/*" * 10**6, "(" * 10**6,
     "int f(" + "throws " * 10**5 + "!", "int f(\n" * 10**5, "  a\n" * 10**5 + "{\n"],
    ids=range(13),
)  # fmt: skip
def test_a_huge_completion_takes_linear_time(text):
    start = time.process_time()
    for language in (PYTHON, JAVASCRIPT, CPP, JAVA, SQL):
        extract(text, language, "f")
    for language in (PYTHON, CPP):
        splice(PROMPT, text, "f", language)
    assert time.process_time() - start < 5
