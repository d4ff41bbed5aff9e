"""Code comment: a Python function to one sentence that says what it does, judged by its words."""

from mftbench.contract import Execution, Metric, Outcome, Problem, Prompt, Task, Verdict
from mftbench.scoring.text import bleu, chrf
from mftbench.sources.human_eval_x import X_FILES, human_eval_x_comment
from mftbench.sources.leetcode import leetcode_comment
from mftbench.sources.mbpp import mbpp_comment
from mftbench.sources.mixture import mixture
from mftbench.sources.starter import starter_programs
from mftbench.starter.suite import ProgramItem

LONGEST = 1000  # characters; what is beyond them is no comment, and costs the metrics seconds


def ask(item: ProgramItem) -> str:
    """Show the function, which has no docstring."""
    return item.python.rstrip("\n")


def answer(item: ProgramItem) -> str:
    """Give the docstring's text."""
    return item.docstring


def sentence(text: str) -> str:
    """Take the first line that says something, without comment signs and quotes."""
    lines = (" ".join(line.split()).strip("#/*\"'` ") for line in text.splitlines())
    return next((line for line in lines if line), "")[:LONGEST]


def verdict(problem: Problem, completion: str) -> Verdict:
    """Compare with the reference; nothing is run. Only the same sentence passes."""
    said, reference = sentence(completion), sentence(problem.gold)
    if not said:
        return Verdict(Outcome.NO_CODE, "no sentence", {"bleu4": 0.0, "chrf": 0.0})
    scores = {"bleu4": bleu(said, [reference]), "chrf": chrf(said, [reference])}
    same = said.rstrip(".").casefold() == reference.rstrip(".").casefold()
    return Verdict(Outcome.PASSED if same else Outcome.FAILED, "" if same else said, scores)


def judge(problem: Problem, execution: Execution) -> Verdict:
    """Refuse: ``program`` answers with the verdict itself, so there is no execution to judge."""
    raise TypeError("the comment task runs nothing")


TASK = Task(
    name="comment",
    version=1,
    summary="a Python function to one sentence that says what it does",
    sources={
        "starter": starter_programs("comment", ask=ask, answer=answer, facts=lambda item: {}),
        "mbpp": mbpp_comment,
        "leetcode": leetcode_comment,
        "open": mixture(mbpp_comment, leetcode_comment),
        **{f"humanevalx_{short}": human_eval_x_comment(short) for short in X_FILES},
    },
    prompt=Prompt(template="{prompt}\n# Comment:\n", stop=("\n",), max_new_tokens=96),
    program=verdict,
    judge=judge,
    metrics=(Metric("bleu4", "mean"), Metric("chrf", "mean"), Metric("exact", "pass")),
)
