"""MBXP's training solutions that fail their own tests, by MBPP's number.

Found by ``python -m mftbench.sources.screening_mbxp LANGUAGE``. In JavaScript most of them name a
parameter otherwise than their header does; two Python suites call a function named like their own;
three in Java do not compile. Two in Java and the one in C++ end the process, with status 0, instead
of answering: to who believes an exit status they pass.
"""

from __future__ import annotations

__all__ = ["BROKEN"]

BROKEN: dict[str, frozenset[int]] = {
    "python": frozenset({601, 607, 631, 642, 899, 927, 966, 967}),
    "java": frozenset({622, 738, 835, 871, 904}),
    "cpp": frozenset({769}),
    "javascript": frozenset(
        {
            611,
            613,
            614,
            616,
            619,
            621,
            630,
            632,
            637,
            639,
            645,
            651,
            653,
            665,
            668,
            679,
            691,
            694,
            695,
            697,
            698,
            710,
            713,
            715,
            720,
            726,
            740,
            744,
            749,
            750,
            753,
            757,
            772,
            776,
            780,
            785,
            788,
            791,
            792,
            795,
            806,
            808,
            809,
            811,
            825,
            835,
            844,
            852,
            858,
            875,
            878,
            888,
            894,
            915,
            916,
            920,
            921,
            936,
            939,
            942,
            951,
            954,
            969,
            972,
        }
    ),
}
