"""Canonical JSON: one byte sequence for one value, so that digests and files can be compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, is_dataclass
from typing import Any


def dumps(value: object) -> str:
    """Write sorted, compact, ASCII JSON without NaN; lone surrogates survive as escapes.

    Raises ValueError for NaN and infinities.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def plain(value: Any) -> Any:
    """Turn a frozen record into dicts and lists of plain values."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def digest(value: object, length: int = 20) -> str:
    """Give the first ``length`` hex digits of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(dumps(plain(value)).encode()).hexdigest()[:length]
