"""Code completion: a function's signature and docstring to its body, in six languages."""

from mftbench.checking import judge_source, language_of, source_program
from mftbench.contract import JsonValue, Problem, Program, Prompt, Task, Verdict
from mftbench.extraction import splice
from mftbench.sources import human_eval_x, mbxp
from mftbench.sources.eval_plus import human_eval_plus
from mftbench.sources.human_eval import human_eval
from mftbench.sources.leetcode import leetcode_completion
from mftbench.sources.mbpp import mbpp_completion
from mftbench.sources.mixture import mixture
from mftbench.sources.starter import starter_programs
from mftbench.starter.suite import ProgramItem
from mftbench.suites import Suite, entry_point, python_asserts


def ask(item: ProgramItem) -> str:
    """Show the signature and the docstring, as the function's beginning."""
    return f'{item.signature}\n    """{item.docstring}"""\n'


def answer(item: ProgramItem) -> str:
    """Give the body: what follows the header line."""
    return item.python.split("\n", 1)[1]


def facts(item: ProgramItem) -> dict[str, JsonValue]:
    """Check every case of the program."""
    return Suite(
        python_asserts(item.name, item.cases), (item.name,), checks=len(item.cases)
    ).facts()


def program(problem: Problem, completion: str) -> Program | Verdict:
    """Run prompt and completion together; a completion that repeats the function replaces it."""
    source = splice(problem.prompt, completion, entry_point(problem), language_of(problem))
    return source_program(problem, source)


MBXP = {f"mbxp_{name}": mbxp.mbxp_completion(name) for name in mbxp.FILES}

TASK = Task(
    name="completion",
    version=1,
    summary="a function's signature and docstring to its body",
    sources={
        "starter": starter_programs("completion", ask=ask, answer=answer, facts=facts),
        "humaneval": human_eval,
        "humanevalplus": human_eval_plus,
        "mbpp": mbpp_completion,
        "leetcode": leetcode_completion,
        **MBXP,
        "open": mixture(leetcode_completion, *MBXP.values()),
        **{
            f"humanevalx_{short}": human_eval_x.human_eval_x(short)
            for short in human_eval_x.X_FILES
        },
        **{
            f"codefuse_{short}": human_eval_x.codefuse(short)
            for short in human_eval_x.CODEFUSE_FILES
        },
    },
    # Where a function ends, by the HumanEval paper (arXiv 2107.03374, section 2.3).
    prompt=Prompt(stop=("\nclass", "\ndef", "\n#", "\nif", "\nprint"), max_new_tokens=512),
    program=program,
    judge=judge_source,
    program_version=2,
)
