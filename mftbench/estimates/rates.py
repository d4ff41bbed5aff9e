"""How fast a machine is: measured on it, or stated of a device."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mftbench.canonical import dumps, plain
from mftbench.estimates.work import Work
from mftbench.records import from_json
from mftbench.store import Store

_log = logging.getLogger(__name__)

_FILE = "calibration.json"
_UTILISATION = 0.4
"""Of a device's peak in training; Llama 2 and others report 0.35 to 0.45."""
_GENERATING = 0.1
"""Of a device's peak in batched decoding, which waits for memory."""


@dataclass(frozen=True)
class Rates:
    """Floating point operations per second of one device, and executions per second."""

    training: float
    generating: float
    executing: float
    basis: str

    def seconds(
        self, work: Work, parameters: int, *, frozen_base: bool = False
    ) -> Mapping[str, float]:
        """Estimate a cell's time by stage: 6 operations a weight and token, 4 if it is frozen."""
        per_weight = 4 if frozen_base else 6
        decoded = work.prompt_tokens + work.new_tokens
        return {
            "train": per_weight * parameters * work.tokens / self.training,
            "generate": 2 * parameters * decoded / self.generating,
            "execute": work.executions / self.executing,
        }


def stated(tflops: float, executions_per_second: float = 10.0) -> Rates:
    """Give the rates of a device by its peak, with stated shares of it reached."""
    basis = (
        f"time from a stated peak of {tflops:g} Tflop/s, {_UTILISATION:.0%} of it in training and "
        f"{_GENERATING:.0%} in generation, and {executions_per_second:g} executions a second"
    )
    peak = tflops * 1e12
    return Rates(_UTILISATION * peak, _GENERATING * peak, executions_per_second, basis)


def write_rates(store: Path, rates: Rates) -> None:
    """Keep a machine's rates beside its artifacts, in the folder that is its own.

    Raises StoreError if the disk refuses.
    """
    Store(store).put(_FILE, dumps(plain(rates)) + "\n")


def read_rates(store: Path) -> Rates | None:
    """Give the rates that were measured for a store; None, with a warning if they are damaged."""
    path = store / _FILE
    try:
        return from_json(Rates, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        _log.warning("%s: no rates (%s); measure again: mftbench plan --calibrate", path, reason)
        return None
