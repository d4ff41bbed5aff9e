"""Frozen records to plain JSON values and back, with pydantic checking what is read."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from mftbench.canonical import plain

Record = TypeVar("Record")


@cache
def _adapter(record: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(record)  # building one is slow, and there are few


def to_json(record: object) -> dict[str, Any]:
    """Turn a record into a JSON object's plain values."""
    value = plain(record)
    assert isinstance(value, dict)
    return value


def from_json(record: type[Record], value: object) -> Record:
    """Build a record from plain values, checking every type.

    Raises pydantic.ValidationError, a ValueError, if the value does not fit.
    """
    result: Record = _adapter(record).validate_python(value)
    return result
