"""One task's rows, tokenised once into memory-mapped files that all trainings of a study share."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mftbench.contract import Example, Prompt
from mftbench.errors import StoreError
from mftbench.formats import encode_all
from mftbench.stages import SourceRef
from mftbench.training.splitting import place

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CHUNK = 2000  # rows that are held as Python lists at a time
_COLUMNS = ("lengths", "prompt_lengths", "places")


@dataclass(frozen=True)
class TokenSpec:
    """Everything that one task's token rows depend on: data, prompt, format, tokenizer.

    Length limits and splits are not among them: they are applied to the rows when they are read.
    """

    task: str
    task_version: int
    source: SourceRef
    template: str
    format: str
    model_fingerprint: str
    version: int = 1


@dataclass(frozen=True)
class StoredTokens:
    """One task's rows on disk. All but ``flat``, the token ids of all rows, are (rows,).

    ``places`` are where the examples' ids fall in [0, 1), which decides who validates.
    """

    flat: NDArray[Any]
    lengths: NDArray[np.int64]
    prompt_lengths: NDArray[np.int64]
    places: NDArray[np.float64]


@dataclass
class _Columns:
    lengths: array[int] = field(default_factory=lambda: array("q"))
    prompt_lengths: array[int] = field(default_factory=lambda: array("q"))
    places: array[float] = field(default_factory=lambda: array("d"))


def write_tokens(
    folder: Path,
    examples: Iterable[Example],
    prompt: Prompt,
    format: str,
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """Tokenise examples and write them as they come: memory grows by 24 bytes a row."""
    columns = _Columns()
    kind = np.uint16 if len(tokenizer) <= 2**16 else np.uint32
    with (folder / "tokens.bin").open("wb") as file:
        for chunk in _chunks(examples):
            pairs = [(prompt.render(example.prompt), example.completion) for example in chunk]
            encoded = encode_all(format, pairs, tokenizer)
            columns.lengths.extend(len(row.input_ids) for row in encoded)
            columns.prompt_lengths.extend(row.prompt_length for row in encoded)
            columns.places.extend(place(example.id) for example in chunk)
            ids = [np.array(row.input_ids, dtype=kind) for row in encoded]
            file.write(np.concatenate(ids).tobytes())
    np.save(folder / "dtype.npy", np.zeros(0, kind))
    for name in _COLUMNS:
        np.save(folder / f"{name}.npy", np.asarray(getattr(columns, name)))


def read_tokens(folder: Path) -> StoredTokens:
    """Map the files of ``write_tokens`` into memory; nothing is read until it is used.

    Raises StoreError if they do not belong together.
    """
    try:
        kind = np.load(folder / "dtype.npy").dtype
        columns = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _COLUMNS}
        file = folder / "tokens.bin"
        total = file.stat().st_size // kind.itemsize
        flat = np.memmap(file, kind, "r") if total else np.zeros(0, kind)
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder}: unreadable ({error}); delete it to re-make it") from error
    if total != columns["lengths"].sum():
        raise StoreError(f"{folder}: tokens.bin is cut short; delete {folder} to re-make it")
    return StoredTokens(flat, **columns)


def _chunks(examples: Iterable[Example]) -> Iterator[Sequence[Example]]:
    iterator = iter(examples)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
