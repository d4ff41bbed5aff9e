"""Code translation: a program in one language to the same program in another."""

from mftbench.checking import judge_source, language_of, source_program
from mftbench.contract import JsonValue, Problem, Program, Prompt, Task, Verdict
from mftbench.extraction import extract
from mftbench.languages import JAVASCRIPT
from mftbench.sources.code_trans import DIRECTIONS, code_trans
from mftbench.sources.human_eval_x_pairs import PAIRS, human_eval_x_pair
from mftbench.sources.mbxp import mbxp_translation
from mftbench.sources.mixture import mixture
from mftbench.sources.starter import starter_programs
from mftbench.starter.suite import ProgramItem
from mftbench.suites import Suite, entry_point, javascript_asserts


def ask(item: ProgramItem) -> str:
    """Show the Python function."""
    return item.python.rstrip("\n")


def answer(item: ProgramItem) -> str:
    """Give the JavaScript function of the same name."""
    return item.javascript


def facts(item: ProgramItem) -> dict[str, JsonValue]:
    """Check every case of the program, as JavaScript values."""
    text = javascript_asserts(item.name, item.cases)
    suite = Suite(text, (item.name,), len(item.cases), in_process=True)
    return {**suite.facts(), "language": JAVASCRIPT.name}


def program(problem: Problem, completion: str) -> Program | Verdict:
    """Run the program that the completion holds, in the problem's target language."""
    source = extract(completion, language_of(problem), entry_point(problem))
    return source_program(problem, source)


TASK = Task(
    name="translation",
    version=1,
    summary="a program in one language to the same program in another",
    sources={
        "starter": starter_programs("translation", ask=ask, answer=answer, facts=facts),
        "mbxp": mbxp_translation,
        "open": mixture(mbxp_translation),
        **{f"codetrans_{a}_to_{b}": code_trans(a, b) for a, b in DIRECTIONS},
        **{f"humanevalx_{a}_to_{b}": human_eval_x_pair(a, b) for a, b in PAIRS},
    },
    prompt=Prompt(template="{prompt}\n// JavaScript\n", stop=("\n//", "\nconsole.")),
    program=program,
    judge=judge_source,
    program_version=2,
)
