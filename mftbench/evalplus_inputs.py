"""The types that JSON took from MBPP+ inputs, given back by task.

After ``mbpp_deserialize_inputs`` of evalplus 0.3.1, ``data/mbpp.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["restore_mbpp_inputs"]

Arguments = Sequence[Any]


def restore_mbpp_inputs(task: int, inputs: Sequence[Arguments]) -> list[Arguments]:
    """Give the arguments of one MBPP+ task as its reference expects them."""
    restore = _BY_TASK.get(task)
    return [restore(arguments) for arguments in inputs] if restore else list(inputs)


def _each(arguments: Arguments) -> Arguments:
    return [tuple(item) for item in arguments]


def _each_of_each(arguments: Arguments) -> Arguments:
    return [[tuple(item) for item in items] for items in arguments]


def _all_levels(value: Any) -> Any:
    return tuple(map(_all_levels, value)) if isinstance(value, list) else value


def _lists_within(arguments: Arguments) -> Arguments:
    return [tuple(_tuple_if_list(item) for item in arguments[0])]


def _tuple_if_list(item: Any) -> Any:
    return tuple(item) if isinstance(item, list) else item


def _set_or_empty_dict(item: Any) -> Any:
    # An empty list stands for {}, which upstream's own restoring makes a dict.
    return set(item) if isinstance(item, list) and item else {}


_RULES: tuple[tuple[tuple[int, ...], Callable[[Arguments], Arguments]], ...] = (
    (
        (
            *(2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429),
            *(470, 560, 579, 596, 616, 630, 726, 740, 744, 809),
        ),
        _each,
    ),
    (
        (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780),
        _each_of_each,
    ),
    ((75, 413, 444, 753), lambda each: [[tuple(item) for item in each[0]], each[1]]),
    ((106, 750), lambda each: [each[0], tuple(each[1])]),
    ((115,), lambda each: [[_set_or_empty_dict(item) for item in each[0]]]),
    ((124,), lambda each: [float(each[0]), complex(each[1])]),
    ((250, 405, 446, 617, 720, 763, 808), lambda each: [tuple(each[0]), each[1]]),
    ((259, 401, 445), lambda each: _each(_each_of_each(each))),
    ((278,), _lists_within),
    ((307,), lambda each: [tuple(each[0]), each[1], each[2]]),
    ((722,), lambda each: [{key: tuple(item) for key, item in each[0].items()}, *each[1:]]),
    ((252,), lambda each: [complex(each[0])]),
    ((580, 615, 791), _all_levels),
)
_BY_TASK = {task: rule for tasks, rule in _RULES for task in tasks}
