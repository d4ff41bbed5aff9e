"""Frozen records to plain JSON values and back, with pydantic checking what is read."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter

from mftbench.canonical import plain

Record = TypeVar("Record")


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}
"""One adapter per record type: building one is slow, and a stage reads thousands of records."""


def to_json(record: object) -> dict[str, Any]:
    """Turn a record into a JSON object's plain values."""
    value = plain(record)
    assert isinstance(value, dict)
    return value


def from_json(record: type[Record], value: object) -> Record:
    """Build a record from plain values, checking every type.

    Raises pydantic.ValidationError, a ValueError, if the value does not fit.
    """
    if record not in _ADAPTERS:
        _ADAPTERS[record] = TypeAdapter(record)
    result: Record = _ADAPTERS[record].validate_python(value)
    return result
