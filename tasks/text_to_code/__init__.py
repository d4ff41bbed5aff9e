"""Text-to-code: a description in English to a Python function."""

from mftbench.checking import judge_source, source_program
from mftbench.contract import JsonValue, Problem, Program, Prompt, Task, Verdict
from mftbench.extraction import PYTHON, extract
from mftbench.sources.eval_plus import mbpp_plus
from mftbench.sources.leetcode import leetcode_text
from mftbench.sources.mbpp import mbpp_text, mbpp_text_rows
from mftbench.sources.mixture import mixture
from mftbench.sources.starter import starter_programs
from mftbench.starter.suite import ProgramItem
from mftbench.suites import Suite, entry_point, python_asserts


def ask(item: ProgramItem) -> str:
    """State the description, which names the function, as a comment."""
    return f"# {item.english}\n"


def answer(item: ProgramItem) -> str:
    """Give the whole function."""
    return item.python


def facts(item: ProgramItem) -> dict[str, JsonValue]:
    """Check every case of the program."""
    return Suite(
        python_asserts(item.name, item.cases), (item.name,), checks=len(item.cases)
    ).facts()


def program(problem: Problem, completion: str) -> Program | Verdict:
    """Run the code that the completion holds."""
    return source_program(problem, extract(completion, PYTHON, entry_point(problem)))


TASK = Task(
    name="text_to_code",
    version=1,
    summary="a description in English to a Python function",
    sources={
        "starter": starter_programs("text_to_code", ask=ask, answer=answer, facts=facts),
        "mbpp": mbpp_text,
        "mbppplus": mbpp_plus,
        "leetcode": leetcode_text,
        "open": mixture(mbpp_text_rows, leetcode_text),
    },
    prompt=Prompt(stop=("[DONE]", "\nassert ", "\nprint(", "\nif __name__"), max_new_tokens=512),
    program=program,
    judge=judge_source,
    program_version=2,
)
