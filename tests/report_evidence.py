"""Evidence for tests of the report: boards of known rows with samples made by hand."""

from board_rows import board_rows

from mftbench.leaderboard.answers import Answer, Answers, Question
from mftbench.leaderboard.board import make_board
from mftbench.leaderboard.cells import System
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.trainings import Affinity, Training
from mftbench.scoring.style import measure
from mftbench.store import key

HOSTILE = (
    "def solve():\n    return 1\n"
    "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>\n"
    "\x1b[31mred\x1b[0m \x07bell \u202eevil\u202c"
)
TASKS = ("completion", "sql")


def answer(problem, text, passed, sample=0):
    return Answer(
        problem=problem,
        sample=sample,
        text=text,
        outcome="passed" if passed else "failed",
        reason="" if passed else "line 1: assert <b>x</b>",
        scores={"killed": 0.5},
        in_process=False,
        program=f"== check: python/check.py\n-- source\n{text}",
        output="== check: exit status 0\n\x1b[2Jcleared",
        style=measure(text, 20, "python"),
    )


def answers_of(system, task, texts, seed=1):
    """Give one system's answers to some problems: texts and whether each passed."""
    made = tuple(answer(f"p{n:05d}", text, passed) for n, (text, passed) in enumerate(texts))
    questions = {each.problem: Question(f"# ask {each.problem}", "gold <i>") for each in made}
    place = key("score", [system.label, task, seed])
    return Answers(system, task, "starter", seed, place, made, questions)


def training(system, tasks=TASKS, affinity=None):
    curve = {task: [(step, 2.0 / step) for step in (1, 2, 4)] for task in tasks}
    run = {
        task: {"supervised_tokens": 10, "token_share": 0.5, "effective_weight": 0.5}
        for task in tasks
    }
    return Training(
        key="t" + system.label,
        system=system,
        seed=1,
        tasks=tasks,
        spec={"model": "nano"},
        provenance={"commit": "abc", "packages": {"torch": "2"}},
        card={"run": {"tasks": run, "padding_share": 0.1, "steps": 4, "tokens": 40}},
        loss=curve,
        weight=curve,
        affinity=affinity,
    )


def evidence(problems=3, name="laptop"):
    """Give mixed and mft on two tasks: mft alone fails on problem 1, with a hostile answer."""
    mixed, mft = System("nano", "mixed"), System("nano", "mft", "task_token")
    good = "def solve():\n    return 1\n"
    sets = []
    for task in TASKS:
        sets.append(answers_of(mixed, task, [(good, True)] * problems))
        hostile = [(HOSTILE if n == 1 else good, n != 1) for n in range(problems)]
        sets.append(answers_of(mft, task, hostile))
    affinity = Affinity(TASKS, ((1.0, -0.2), (None, 1.0)), (("completion",), ("sql",)))
    trainings = (training(mixed), training(mft, affinity=affinity))
    return Evidence(make_board(name, board_rows()), trainings, tuple(sets))
