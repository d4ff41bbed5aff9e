"""The conformance check of tasks: it passes sound tasks and finds each fault by its claim."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from mftbench.contract import Example, Outcome, Problem, Program, Source, Step, Task, Verdict
from mftbench.errors import PluginError, SandboxError
from mftbench.plugins import find_tasks, load_task, open_source
from mftbench.sandbox.scripted import Scripted, passing
from mftbench.suites import judge_suite
from mftbench.testing.plugin import check_plugin
from mftbench.testing.task import TaskReport, check_task

LONG = "a b c d e f g h i j k l m n o p"


def problems() -> list[Problem]:
    return [Problem(f"p{n}", f"question {n}", f"right {n} {LONG}") for n in range(3)]


def examples() -> list[Example]:
    return [Example(f"t{n}", f"exercise {n}", f"answer {n}") for n in range(3)]


def exact(problem: Problem, completion: str) -> Program | Verdict:
    return Verdict(Outcome.PASSED if completion == problem.gold else Outcome.FAILED)


SOURCE = Source("own", "", "", examples, problems, lambda: "1")
TASK = Task(
    name="exact", version=1, summary="", sources={"own": lambda: SOURCE}, program=exact,
    judge=judge_suite,
)  # fmt: skip


def check(task: Task = TASK, source: Source = SOURCE, answers=passing) -> TaskReport:
    return check_task(task, Scripted(answers), source)


def refuted(report: TaskReport) -> list[str]:
    return [finding.claim for finding in report.findings if finding.holds is False]


def test_a_sound_task_has_nothing_refuted():
    report = check()
    assert report.holds
    assert (report.golds, report.in_process) == (3, 0)


def test_ids_that_repeat_are_found():
    source = replace(SOURCE, problems=lambda: problems() * 2)
    assert refuted(check(source=source)) == [
        "problem ids are unique, and the rows the same at every load"
    ]


def test_rows_that_change_between_loads_are_found():
    numbers = count()
    source = replace(SOURCE, problems=lambda: [Problem(f"p{next(numbers)}", "q", LONG)])
    assert "the rows the same at every load" in refuted(check(source=source))[0]


@pytest.mark.parametrize(
    "row", [Example("t", "question  1\n", "x"), Example("t", "x", f"right 1\n{LONG}")]
)
def test_a_training_row_that_is_a_problem_is_found(row):
    source = replace(SOURCE, train=lambda: [row])
    assert refuted(check(source=source)) == ["no training row is a problem"]


def test_a_gold_that_fails_is_found_and_named():
    source = replace(SOURCE, problems=lambda: [*problems(), Problem("bad", "q", "wrong")])
    task = replace(TASK, program=lambda p, c: replace(exact(p, c), outcome=Outcome.FAILED))
    report = check(task, source)
    assert "every gold passes" in refuted(report)
    assert "bad failed" in str(report.findings)


def test_a_task_that_passes_the_empty_completion_is_found():
    task = replace(TASK, program=lambda problem, completion: Verdict(Outcome.PASSED))
    assert refuted(check(task)) == ["the empty completion fails"]


def test_a_program_that_raises_on_garbage_is_found():
    def fragile(problem: Problem, completion: str) -> Program | Verdict:
        completion.encode()  # raises on lone surrogates
        return exact(problem, completion)

    report = check(replace(TASK, program=fragile))
    assert refuted(report) == ["program() answers any completion, and always alike"]
    assert "UnicodeEncodeError on lone surrogates" in str(report.findings)


def test_a_program_that_changes_is_found():
    numbers = count()

    def fickle(problem: Problem, completion: str) -> Program | Verdict:
        return replace(exact(problem, completion), reason=str(next(numbers)))

    assert refuted(check(replace(TASK, program=fickle))) == [
        "program() answers any completion, and always alike"
    ]


def test_a_task_that_passes_whoever_leaves_early_or_never_ends_is_found():
    task = replace(TASK, program=lambda problem, completion: Program("python", (Step("s", "r"),)))
    assert refuted(check(task)) == [
        "the empty completion fails",
        "leaving early fails",
        "an endless loop times out",
    ]


def test_a_sandbox_that_fails_refutes_nothing():
    def broken(program: Program) -> SandboxError:
        return SandboxError("no such language")

    task = replace(TASK, program=lambda problem, completion: Program("python", (Step("s", "r"),)))
    report = check(task, answers=broken)
    assert report.holds
    assert "3 could not be run: no such language" in str(report.findings)


def test_a_judge_that_raises_is_blamed():
    def judge(problem, execution):
        raise KeyError("facts")

    program = Program("python", (Step("s", "r"),))
    task = replace(TASK, program=lambda problem, completion: program, judge=judge)
    with pytest.raises(PluginError, match=r"task exact: judge\(\) raised KeyError on p"):
        check(task)


@pytest.mark.parametrize("name", list(find_tasks()))
def test_importing_a_built_in_task_has_no_effects_and_it_has_a_datasheet(name):
    findings = check_plugin(find_tasks()[name])
    assert [finding for finding in findings if not finding.holds] == []


def test_an_import_with_effects_is_found(tmp_path):
    folder = tmp_path / "loud"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "import os\nfrom mftbench.tasks.comment import TASK\nfrom dataclasses import replace\n"
        "print('hello')\nos.environ['LOUD'] = '1'\nopen(os.devnull, 'w').close()\n"
        "TASK = replace(TASK, name='loud')\n"
    )
    effects, datasheet = check_plugin(find_tasks([tmp_path])["loud"], [tmp_path])
    assert effects.holds is False
    assert "prints 'hello'" in effects.detail
    assert "environment" in effects.detail
    assert "open" in effects.detail
    assert datasheet.holds is False


def import_of(tmp_path, code, **options):
    """Check a plugin that does this when it is imported, in a folder that it may write to."""
    folder = tmp_path / "loud"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "import os, socket, sys\nfrom pathlib import Path\n"
        f"HERE = Path({str(tmp_path)!r})\n{code}\n"
        "from mftbench.tasks.comment import TASK\nfrom dataclasses import replace\n"
        "TASK = replace(TASK, name='loud')\n"
    )
    finding, _ = check_plugin(find_tasks([tmp_path])["loud"], [tmp_path], **options)
    return finding


@pytest.mark.parametrize(
    ("code", "effect"),
    [
        ("os.open(HERE / 'x', os.O_CREAT | os.O_WRONLY)", "open "),
        ("os.mkdir(HERE / 'x'); os.rmdir(HERE / 'x')", "os.rmdir "),
        ("os.link(__file__, HERE / 'x')", "os.link "),
        ("os.symlink(__file__, HERE / 'x')", "os.symlink "),
        ("os.truncate(__file__, 0)", "os.truncate "),
        ("os.posix_spawn('/bin/true', ['true'], {})", "os.posix_spawn "),
        ("socket.socket().bind(('127.0.0.1', 0))", "socket.bind "),
    ],
)
def test_an_effect_is_found_by_whatever_call_it_comes(tmp_path, code, effect):
    finding = import_of(tmp_path, code)
    assert finding.holds is False
    assert effect in finding.detail


def test_reading_a_file_by_its_descriptor_is_no_effect(tmp_path):
    assert import_of(tmp_path, "os.close(os.open(__file__, os.O_RDONLY))").holds


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("sys.exit(3)", "import() raised SystemExit: 3"),
        ("os._exit(3)", "ends the process, with exit status 3"),
        ("os._exit(0)", "ends the process, with exit status 0"),
        ("os.execv('/bin/true', ['true'])", "ends the process, with exit status 0"),
    ],
)
def test_a_plugin_that_ends_the_process_is_a_finding(tmp_path, code, detail):
    finding = import_of(tmp_path, code)
    assert finding.holds is False
    assert finding.detail.endswith(detail)


def test_a_plugin_that_prints_when_the_process_ends_is_a_finding(tmp_path):
    finding = import_of(tmp_path, "import atexit; atexit.register(print, 3)")
    assert (finding.holds, finding.detail) == (False, "prints '3'")


def test_a_plugin_whose_import_does_not_end_is_a_finding(tmp_path):
    finding = import_of(tmp_path, "import time; time.sleep(60)", patience_s=1.0)
    assert (finding.holds, finding.detail) == (False, "has not ended after 1 s")


@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize(
    "name", ["comment", "completion", "sql", "test_generation", "text_to_code"]
)
def test_a_built_in_task_keeps_its_contract_on_the_starter_suite(name, bubblewrap):
    task = load_task(name)
    source = open_source(task, "starter", {"train": 50, "problems": 12})
    report = check_task(task, bubblewrap, source)
    assert [finding for finding in report.findings if finding.holds is False] == []
    assert report.in_process == 0


@pytest.mark.needs_bubblewrap
@pytest.mark.needs_node
def test_translation_keeps_its_contract_and_is_judged_in_process(bubblewrap):
    task = load_task("translation")
    source = open_source(task, "starter", {"train": 50, "problems": 12})
    report = check_task(task, bubblewrap, source)
    assert report.holds
    assert report.in_process == 12


@pytest.mark.slow
@pytest.mark.needs_bubblewrap
def test_every_human_eval_gold_passes_outside_the_candidate_s_process(bubblewrap):
    task = load_task("completion")
    report = check_task(task, bubblewrap, open_source(task, "humaneval"))
    assert report.holds
    assert (report.golds, report.in_process) == (164, 0)


@pytest.mark.slow
@pytest.mark.needs_bubblewrap
@pytest.mark.needs_data
def test_every_mbpp_gold_passes_and_one_in_the_candidate_s_process(bubblewrap):
    task = load_task("text_to_code")
    report = check_task(task, bubblewrap, open_source(task, "mbpp"))
    assert report.holds
    assert (report.golds, report.in_process) == (500, 1)
