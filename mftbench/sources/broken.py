"""Golds that are known not to pass their own tests, by source, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

BROKEN_GOLDS: Mapping[str, Mapping[str, str]] = {}
