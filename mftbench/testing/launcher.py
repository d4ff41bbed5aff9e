"""The conformance check for launchers: what a study relies on, tried with small commands."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from mftbench.errors import PluginError
from mftbench.launching.launcher import Job, Launcher, State, Status

_PATIENCE_S = 120.0
_PAUSE_S = 0.02


def check_launcher(launcher: Launcher) -> None:
    """Prove that a launcher keeps the promises of ``Launcher``; closes it at the end.

    Raises PluginError naming the first promise that it breaks.
    """
    trial = _Trial(launcher)
    for promise in _PROMISES:
        promise(trial)


@dataclass(frozen=True)
class _Trial:
    launcher: Launcher

    def python(self, name: str, code: str, **environment: str) -> None:
        job = Job(name, (sys.executable, "-c", code), environment=environment)
        self.launcher.submit(job)

    def result(self, name: str) -> Status:
        deadline = time.monotonic() + _PATIENCE_S
        while not (status := self.launcher.poll(name)).over:
            self.demand(time.monotonic() < deadline, f"did not end {name!r}")
            time.sleep(_PAUSE_S)
        return status

    def demand(self, kept: bool, complaint: str) -> None:
        if not kept:
            raise PluginError(f"launcher {self.launcher.name!r}: {complaint}")


def _keeps_output(trial: _Trial) -> None:
    trial.python("output", "import sys; print('to out'); print('to log', file=sys.stderr)")
    status = trial.result("output")
    trial.demand(status == Status(State.ENDED, 0, "to out\n"), f"made {status} of a plain print")
    trial.demand("to log" in trial.launcher.logs("output"), "lost what went to standard error")


def _keeps_exit_codes(trial: _Trial) -> None:
    trial.python("three", "raise SystemExit(3)")
    status = trial.result("three")
    ended = (status.state, status.exit_code) == (State.ENDED, 3)
    trial.demand(ended, f"made {status} of exit code 3")


def _passes_environment(trial: _Trial) -> None:
    trial.python("environment", "import os; print(os.environ['COLOUR'])", COLOUR="green")
    output = trial.result("environment").output
    trial.demand(output == "green\n", "did not set a job's environment")


def _runs_again(trial: _Trial) -> None:
    for text in ("first", "second"):
        trial.python("again", f"print({text!r})")
        output = trial.result("again").output
        trial.demand(output == f"{text}\n", f"gave {output!r} of the {text} run of one name")


def _tells_the_killed(trial: _Trial) -> None:
    trial.python("killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    state = trial.result("killed").state
    trial.demand(state is State.LOST, f"says {state} of a job that was killed")


def _cancels(trial: _Trial) -> None:
    trial.python("endless", "import time; time.sleep(600)")
    trial.launcher.cancel("endless")
    state = trial.result("endless").state
    trial.demand(state is State.CANCELLED, f"says {state} of a job that was cancelled")
    trial.launcher.cancel("output")
    state = trial.result("output").state
    trial.demand(state is State.ENDED, f"says {state} of a job cancelled after its end")


def _runs_many(trial: _Trial) -> None:
    names = [f"many-{index}" for index in range(8)]
    for name in names:
        trial.python(name, f"print({name!r})")
    outputs = [trial.result(name).output for name in names]
    trial.demand(outputs == [f"{name}\n" for name in names], "mixed up the output of several jobs")


def _closes(trial: _Trial) -> None:
    trial.python("late", "import time; time.sleep(600)")
    begun = time.monotonic()
    trial.launcher.close()
    trial.demand(time.monotonic() - begun < 60, "waited for a job when it was closed")
    state = trial.launcher.poll("late").state
    trial.demand(state is State.CANCELLED, f"says {state} of a job that was there when it closed")


_PROMISES: tuple[Callable[[_Trial], None], ...] = (
    _keeps_output,
    _keeps_exit_codes,
    _passes_environment,
    _runs_again,
    _tells_the_killed,
    _cancels,
    _runs_many,
    _closes,
)
