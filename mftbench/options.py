"""Options of a plugin, checked against the keyword parameters of its factory."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import JsonValue, TypeAdapter, ValidationError

from mftbench.errors import UsageError, unknown


def typed_options(
    factory: Callable[..., object],
    options: Mapping[str, JsonValue],
    place: str,
    *,
    given: int = 0,
) -> dict[str, Any]:
    """Check options against a signature and convert them to its types.

    The first ``given`` parameters are the caller's and no options. Raises UsageError for an option
    that is unknown, missing or of the wrong type.
    """
    parameters = dict(list(inspect.signature(factory).parameters.items())[given:])
    for name in options:
        if name not in parameters:
            raise unknown("option", name, parameters, place)
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in options:
            raise UsageError(f"{place} needs the option {name!r}")
    hints = get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    return {
        name: _typed(value, hints.get(name, Any), f"option {name!r} of {place}")
        for name, value in options.items()
    }


def _typed(value: JsonValue, hint: Any, place: str) -> Any:
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].lower()
        raise UsageError(f"{place} is {value!r}: {reason}") from None
