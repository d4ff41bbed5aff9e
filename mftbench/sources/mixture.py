"""Several sources' training rows as one: joined, without repeated rows, in an order by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from pydantic import NonNegativeInt

from mftbench.contract import Example, Prompt, Source
from mftbench.errors import PluginError

__all__ = ["distinct", "mixture"]


def mixture(*factories: Callable[..., Source]) -> Callable[..., Source]:
    """Make the factory of a source that trains on the rows of all the given ones.

    Rows come in the order of a hash of their ids, so that the first ones are a fair sample. It has
    no problems: each part is evaluated under its own name. It asks as its parts do; their
    fingerprints cover how.
    """

    def factory(*, train: NonNegativeInt | None = None) -> Source:
        """Open the mixture; ``train`` takes only the first rows.

        Raises PluginError if its parts ask in different ways.
        """
        parts = [make() for make in factories]
        prompt = _common_prompt(parts)

        def fingerprint() -> str:
            return f"mixture 1 train={train} of {' + '.join(part.fingerprint() for part in parts)}"

        return Source(
            name="open",
            licence=_joined(part.licence for part in parts),
            citation=_joined(part.citation for part in parts),
            version=_joined(part.version for part in parts),
            notes="training only; open data in the place of the study's, which were never released",
            train=partial(_rows, parts, train),
            problems=lambda: (),
            fingerprint=fingerprint,
            prompt=prompt,
        )

    return factory


def distinct(rows: Iterable[Example]) -> Iterator[Example]:
    """Leave out rows that ask and answer, up to layout, what one before them does."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        text = (" ".join(row.prompt.split()), " ".join(row.completion.split()))
        if text not in seen:
            seen.add(text)
            yield row


def _common_prompt(parts: Sequence[Source]) -> Prompt | None:
    first, *others = (part.prompt for part in parts)
    if any(other != first for other in others):
        names = ", ".join(repr(part.name) for part in parts)
        raise PluginError(f"{names}: a mixture's parts ask in different ways; give them one prompt")
    return first


def _rows(parts: Iterable[Source], train: int | None) -> Iterator[Example]:
    rows = [row for part in parts for row in part.train()]
    return islice(distinct(sorted(rows, key=_place)), train)


def _place(row: Example) -> str:
    return hashlib.sha256(row.id.encode()).hexdigest()


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))
