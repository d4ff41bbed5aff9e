"""Turn generated tokens into text, and find where a stop sequence ends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PARTIAL = 4
"""Tokens that one character may be split into: UTF-8 has at most four bytes."""


class Detokenizer:
    """Decode completions exactly as they follow the prompt, leading white space included.

    A sentencepiece tokenizer drops the first space of what it decodes, which costs generated code
    its indentation. So every completion is decoded behind an anchor, which is then taken off.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer: Any = tokenizer
        self._anchor: list[int] = tokenizer.encode(":", add_special_tokens=False)
        self._skip = len(self._decode([self._anchor])[0])

    def text(self, ids: Sequence[int]) -> str:
        """Decode one completion."""
        return self._decode([[*self._anchor, *ids]])[0][self._skip :]

    def ends(self, rows: Sequence[Sequence[int]], longest_stop: int) -> list[str]:
        """Decode the last tokens of several completions: enough to hold a stop that ended just now.

        ``longest_stop`` is in UTF-8 bytes; a token stands for at least one.
        """
        window = longest_stop + _PARTIAL
        return self._decode([[*self._anchor, *row[-window:]] for row in rows])

    def _decode(self, rows: list[list[int]]) -> list[str]:
        texts: list[str] = self._tokenizer.decode(rows, clean_up_tokenization_spaces=False)
        return texts


def cut(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """Cut a text before the first of its stop sequences; say whether there was one."""
    found = [place for sequence in stop if sequence and (place := text.find(sequence)) >= 0]
    return (text[: min(found)], True) if found else (text, False)


def holds_stop(text: str, stop: Sequence[str]) -> bool:
    """Say whether a stop sequence is in the text."""
    return any(sequence in text for sequence in stop if sequence)
