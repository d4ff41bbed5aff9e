import pytest
from hypothesis import given
from hypothesis import strategies as st

from mftbench.scoring.style import LANGUAGES, measure, summarise

CODE = "def add(a, b):\n    return a + b"


def test_bare_code_has_no_explanation():
    assert measure(CODE, 9, "python").code == len(CODE)
    assert summarise([measure(CODE, 9, "python")]).explanation == 0.0


def test_prose_around_a_fence_is_explanation():
    text = f"Here is the function:\n```python\n{CODE}\n```\nIt adds two numbers."
    style = measure(text, 30, "python")
    assert style.code == len(CODE)
    assert summarise([style]).explanation == pytest.approx(1 - len(CODE) / len(text))


@pytest.mark.parametrize(
    ("language", "code", "comment"),
    [
        ("python", "# adds\ndef f(a):\n    return a", "# adds"),
        ("python", 'def f(a):\n    """adds"""\n    return a', '"""adds"""'),
        ("sql", "SELECT 1\n-- rows", "-- rows"),
        ("javascript", "// adds\nfunction f(a) { return a; }", "// adds"),
        ("java", "/* adds */\nclass A { int f() { return 1; } }", "/* adds */"),
    ],
)
def test_comments_are_counted_in_each_language(language, code, comment):
    assert measure(code, 5, language).comments == len(comment)


def test_a_task_without_programs_has_no_code_to_measure():
    found = summarise([measure("Adds two numbers.", 4, "")])
    assert (found.tokens, found.explanation, found.comments) == (4, None, None)


def test_means_are_over_answers_that_hold_code():
    styles = [measure(CODE, 10, "python"), measure("no idea", 2, "python")]
    found = summarise(styles)
    assert (found.answers, found.tokens, found.explanation) == (2, 6, 0.0)


@given(st.text(max_size=300), st.sampled_from(sorted(LANGUAGES)))
def test_counts_are_within_the_text_whatever_it_holds(text, language):
    style = measure(text, 1, language)
    assert 0 <= style.comments <= style.code <= style.characters or style.code == 0
