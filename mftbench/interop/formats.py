"""The file formats of other harnesses, by name: how each is written, and what each can be read for.

Fields are exactly those that the harness writes or reads; nothing of ours is added to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mftbench.interop import codefuse, evalplus, humaneval_files, inspect_log, lm_eval
from mftbench.interop.imported import Imported
from mftbench.interop.results import Results

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True)
class Format:
    """One format. ``write`` returns the files that it wrote."""

    write: Callable[[Results, Path], list[Path]]
    read: Callable[[Path], Sequence[Imported]]


FORMATS: Mapping[str, Format] = {
    "humaneval": Format(humaneval_files.write, humaneval_files.read),
    "evalplus": Format(evalplus.write, evalplus.read),
    "codefuse": Format(codefuse.write, codefuse.read),
    "lm-eval": Format(lm_eval.write, lm_eval.read),
    "inspect": Format(inspect_log.write, inspect_log.read),
}
