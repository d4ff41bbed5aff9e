"""Awkward texts and values: E1 to E10, as completions of a Python function."""

from __future__ import annotations

from mftbench.contract import Outcome
from mftbench.sandbox.attacks.attack import RIGHT, WRONG, attack

VALUES = (
    attack("E3-nul", RIGHT + "\0\n", Outcome.COMPILE_ERROR),
    attack("E2-surrogate", RIGHT + "# \ud800\n", Outcome.COMPILE_ERROR),
    attack("E6-crlf", RIGHT.replace("\n", "\r\n"), Outcome.PASSED),
    attack(
        "E7-calls-its-main", RIGHT + "if __name__ == '__main__':\n    input()\n", Outcome.PASSED
    ),
    attack("E8-float", "    return float(x + y)\n", Outcome.PASSED),
    attack("E8-string", "    return str(x + y)\n", Outcome.FAILED),
    attack("E8-nan", "    return float('nan')\n", Outcome.FAILED),
    attack("E9-cycle", "    a = []\n    a.append(a)\n    return a\n", Outcome.ERROR),
    attack(
        "E9-exploding-exception",
        """    class Bad(Exception):
        def __str__(self): raise RuntimeError
        __repr__ = __str__
    raise Bad
""",
        Outcome.ERROR,
    ),
    attack("E10-coroutine", "    async def later(): pass\n    return later()\n", Outcome.ERROR),
    attack("E10-generator", "    yield x + y\n", Outcome.ERROR),
    attack("syntax-error", "    return x +\n", Outcome.COMPILE_ERROR),
    attack("raises-at-import", RIGHT + "raise ValueError('no')\n", Outcome.ERROR),
    attack("raises-assertion", "    assert False\n", Outcome.ERROR),
    attack("wrong", WRONG, Outcome.FAILED),
    attack("right", RIGHT, Outcome.PASSED),
    attack(
        "E1-bytes-that-are-no-text",
        "    import os\n    os.write(1, bytes(range(128, 256)))\n" + RIGHT,
        Outcome.PASSED,
    ),
    attack("E4-200000-lines", RIGHT + "# a line\n" * 200_000, Outcome.PASSED),
    attack("E8-huge-integer", "    return 10**100_000\n", Outcome.FAILED),
    attack("E8-decimal", "    import decimal\n    return decimal.Decimal(x + y)\n", Outcome.PASSED),
    attack("E10-callable", "    return lambda: x + y\n", Outcome.ERROR),
    attack(
        "E9-pickle-gadget",
        """    class Gadget:
        def __reduce__(self): return (exit, (0,))
    return Gadget()
""",
        Outcome.ERROR,
    ),
)

_WHOLE = "def add(x, y):\n    return x + y\n"

TEXTS = (
    attack("E5-prose", "I am sorry, I cannot do that.\n", Outcome.NO_CODE, kind="text"),
    attack("E5-nothing", "", Outcome.NO_CODE, kind="text"),
    attack("E5-fence", f"Here:\n```python\n{_WHOLE}```\nDone.\n", Outcome.PASSED, kind="text"),
    attack("E5-unclosed-fence", f"~~~python\n{_WHOLE}", Outcome.PASSED, kind="text"),
    attack("E6-tabs", _WHOLE.replace("    ", "\t"), Outcome.PASSED, kind="text"),
    attack("E6-byte-order-mark", f"\ufeff{_WHOLE}", Outcome.PASSED, kind="text"),
)
