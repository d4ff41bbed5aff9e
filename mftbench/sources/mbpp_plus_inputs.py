"""MBPP+'s arguments as the Python values that they stand for: JSON has no tuples, sets, complex.

Which argument of which problem is what is upstream's knowledge: evalplus 0.3.1,
``mbpp_deserialize_inputs``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["restored"]

Arguments = list[Any]
Restore = Callable[[Arguments], Arguments]


def restored(number: int, inputs: list[Arguments]) -> list[Arguments]:
    """Restore the inputs of one problem."""
    restore = _RESTORE.get(number)
    return [restore(arguments) for arguments in inputs] if restore else inputs


def _all_tuples(arguments: Arguments) -> Arguments:
    return [tuple(each) for each in arguments]


def _lists_of_tuples(arguments: Arguments) -> Arguments:
    return [[tuple(item) for item in each] for each in arguments]


def _tuples_of_tuples(arguments: Arguments) -> Arguments:
    return [tuple(tuple(item) for item in each) for each in arguments]


def _first_list_of_tuples(arguments: Arguments) -> Arguments:
    return [[tuple(item) for item in arguments[0]], arguments[1]]


def _second_tuple(arguments: Arguments) -> Arguments:
    return [arguments[0], tuple(arguments[1])]


def _first_tuple(arguments: Arguments) -> Arguments:
    return [tuple(arguments[0]), *arguments[1:]]


def _list_of_sets(arguments: Arguments) -> Arguments:
    # An empty list stands for an empty dict: {} is one, and not an empty set.
    return [[set(item) if isinstance(item, list) and item else {} for item in arguments[0]]]


def _complex_parts(arguments: Arguments) -> Arguments:
    return [float(arguments[0]), complex(arguments[1])]


def _one_complex(arguments: Arguments) -> Arguments:
    return [complex(arguments[0])]


def _tuple_of_some_tuples(arguments: Arguments) -> Arguments:
    return [tuple(tuple(item) if isinstance(item, list) else item for item in arguments[0])]


def _dict_of_tuples(arguments: Arguments) -> Arguments:
    return [{key: tuple(value) for key, value in arguments[0].items()}, *arguments[1:]]


def _tuples_throughout(arguments: Arguments) -> Arguments:
    return [_deep(each) for each in arguments]


def _deep(value: Any) -> Any:
    return tuple(_deep(item) for item in value) if isinstance(value, list) else value


_PROBLEMS: Mapping[Restore, tuple[int, ...]] = {
    _all_tuples: (
        *(2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424),
        *(429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809),
    ),
    _lists_of_tuples: (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780),
    _first_list_of_tuples: (75, 413, 444, 753),
    _second_tuple: (106, 750),
    _list_of_sets: (115,),
    _complex_parts: (124,),
    _first_tuple: (250, 307, 405, 446, 617, 720, 763, 808),
    _tuples_of_tuples: (259, 401, 445),
    _tuple_of_some_tuples: (278,),
    _dict_of_tuples: (722,),
    _one_complex: (252,),
    _tuples_throughout: (580, 615, 791),
}
_RESTORE = {number: restore for restore, numbers in _PROBLEMS.items() for number in numbers}
