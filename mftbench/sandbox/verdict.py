"""What one step's result is worth: limits, proof and report become a verdict here."""

from __future__ import annotations

import signal

from mftbench.contract import Outcome, StepResult, Verdict


def verdict_of(result: StepResult) -> Verdict:
    """Judge a step: a pass needs the proved report and exit status 0; no proof is early exit."""
    outcome, reason = _outcome(result)
    return Verdict(outcome, reason, in_process=result.in_process)


def _outcome(result: StepResult) -> tuple[Outcome, str]:
    if result.limit is not None:
        return Outcome(result.limit), ""
    if result.signal is not None:
        return Outcome.ERROR, f"ended by {_signal_name(result.signal)}"
    if result.report is None:
        return Outcome.EARLY_EXIT, f"exit status {result.exit_code} and no proof of the end"
    if result.exit_code != 0 and result.report.outcome is Outcome.PASSED:
        return Outcome.EARLY_EXIT, f"exit status {result.exit_code} after the end"
    return result.report.outcome, result.report.message


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
