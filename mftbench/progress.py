"""Where stages say how far they are: a protocol, and the fake that says nothing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """One stage's progress. Calls are cheap and may come from several threads."""

    def start(self, label: str, total: int) -> None:
        """Begin a stage of ``total`` items; a second start begins the next stage."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count finished items; ``note`` says what is going on (a loss, the oldest item)."""

    def finish(self, note: str = "") -> None:
        """End the stage that was started last."""


class Silent:
    """Progress that nobody reads: the fake for tests and for library use."""

    def start(self, label: str, total: int) -> None:
        """Ignore the stage."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Ignore the count."""

    def finish(self, note: str = "") -> None:
        """Ignore the end."""
