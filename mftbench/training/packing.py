"""Bin packing: rows into packs of limited length, each row whole."""

from __future__ import annotations

from collections.abc import Sequence


def best_fit_decreasing(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Pack every row by best-fit-decreasing: longest first, each into the fullest pack it fits.

    Gives packs of positions in ``lengths``; ties go to the earlier position and the newer pack, so
    equal lengths give equal packs. A row longer than ``capacity`` gets a pack of its own. Takes
    O(n log n + n * capacity / 64): packs are found by the lowest set bit above the row's length.
    (Johnson et al., SIAM J. Comput. 3, 1974: at most 11/9 of the optimal number, plus 4.)
    """
    packs: list[list[int]] = []
    by_space: list[list[int]] = [[] for _ in range(capacity + 1)]
    spaces = 0  # bit s is set if some pack has exactly s tokens of space left
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        length = int(lengths[row])
        fitting = spaces >> length
        if length > capacity or not fitting:
            pack, space = len(packs), max(capacity - length, 0)
            packs.append([row])
        else:
            old = length + (fitting & -fitting).bit_length() - 1
            pack, space = by_space[old].pop(), old - length
            packs[pack].append(row)
            spaces &= ~(1 << old) if not by_space[old] else spaces
        by_space[space].append(pack)
        spaces |= 1 << space
    return packs
