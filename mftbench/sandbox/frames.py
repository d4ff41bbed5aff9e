"""Frames between the host and a container's supervisor: a header of JSON, then parts as they are.

Copied into containers: standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_LENGTH = 8
_MAX_BYTES = 1 << 30


class MalformedFrameError(ValueError):
    """Bytes that are no frame of ours."""


def write_frame(header: Mapping[str, Any], parts: Sequence[bytes] = ()) -> bytes:
    """Write one frame: the header's length in eight bytes, the header, which sizes parts, parts."""
    head = json.dumps({**header, "parts": [len(part) for part in parts]}).encode("ascii")
    return b"".join([len(head).to_bytes(_LENGTH, "big"), head, *parts])


def read_frame(exactly: Callable[[int], bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Read one frame with a function that gives exactly so many bytes.

    Raises MalformedFrameError, and whatever ``exactly`` raises at the end of the stream.
    """
    length = int.from_bytes(exactly(_LENGTH), "big")
    if length > _MAX_BYTES:
        raise MalformedFrameError(f"a frame's header of {length} bytes")
    try:
        header = json.loads(exactly(length))
        sizes = header.pop("parts")
        well = isinstance(header, dict) and all(type(size) is int and size >= 0 for size in sizes)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedFrameError(f"a frame's header is not ours: {error}") from None
    if not well or sum(sizes) > _MAX_BYTES:
        raise MalformedFrameError("a frame's parts have no size, or too much of it")
    return header, [exactly(size) for size in sizes]
