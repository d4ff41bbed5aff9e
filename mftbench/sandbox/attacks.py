"""Hostile and awkward completions of one small problem, with the verdicts that they must get.

Each is a completion of ``PROMPT``, as a model would give it; so the list serves any Python suite.
Ids that begin with a letter and a number follow the adversarial list of the threat model.

Those in ``HARMFUL`` harm the machine itself, and whoever runs them, where processes are not
isolated: they fork, fill memory or kill without bound. Never run them in a backend that does not
claim to hold them.
"""

from __future__ import annotations

from dataclasses import dataclass

from mftbench.contract import Outcome

PROMPT = 'def add(x: int, y: int):\n    """Add two numbers x and y."""\n'
SUITE = """
def check(candidate):
    assert candidate(0, 1) == 1
    assert candidate(2, 3) == 5
    assert candidate(-4, 4) == 0

check(add)
"""
ENTRY_POINT = "add"


@dataclass(frozen=True)
class Attack:
    """One completion and the outcomes that are right for it."""

    id: str
    completion: str
    expected: frozenset[Outcome]

    @property
    def source(self) -> str:
        """The whole program."""
        return PROMPT + self.completion


def _attack(id: str, completion: str, *expected: Outcome) -> Attack:
    return Attack(id, completion, frozenset(expected))


_WRONG = "    return x - y - 1\n"
_RIGHT = "    return x + y\n"

_FORGING = (
    _attack("V1-exit-at-import", _WRONG + "import sys\nsys.exit(0)\n", Outcome.EARLY_EXIT),
    _attack("V1-exit-in-call", "    import sys\n    sys.exit(0)\n", Outcome.EARLY_EXIT),
    _attack("V1-system-exit", _WRONG + "raise SystemExit\n", Outcome.EARLY_EXIT),
    _attack("V2-os-exit-at-import", _WRONG + "import os\nos._exit(0)\n", Outcome.EARLY_EXIT),
    _attack("V2-os-exit-in-call", "    import os\n    os._exit(0)\n", Outcome.EARLY_EXIT),
    _attack(
        "V3-atexit",
        _WRONG + "import atexit, os\natexit.register(os._exit, 0)\n",
        Outcome.FAILED,
    ),
    _attack(
        "V5-frame-walking",
        """    import sys
    frame = sys._getframe()
    while frame:
        for name, value in list(frame.f_locals.items()):
            if isinstance(value, list):
                value.append("passed")
            if callable(value) and name in ("report", "send"):
                try:
                    value("passed", "", 3, 3)
                except BaseException:
                    pass
        frame = frame.f_back
    return 0
""",
        Outcome.FAILED,
        Outcome.ERROR,
        Outcome.EARLY_EXIT,
    ),
    _attack(
        "V6-always-equal",
        """    class Always:
        def __eq__(self, other): return True
        def __ne__(self, other): return False
        def __hash__(self): return 0
        __lt__ = __le__ = __gt__ = __ge__ = __eq__
        @property
        def __class__(self): return int
    return Always()
""",
        Outcome.ERROR,
    ),
    _attack(
        "V6-int-subclass",
        """    class Always(int):
        def __eq__(self, other): return True
    return Always(0)
""",
        Outcome.ERROR,
    ),
    _attack(
        "V7-patched-builtins",
        """    import builtins, math
    builtins.abs = lambda value: 0
    builtins.all = builtins.isinstance = lambda *values: True
    builtins.AssertionError = type("Quiet", (Exception,), {})
    math.isclose = lambda *values, **options: True
    return 0
""",
        Outcome.FAILED,
    ),
    _attack("V9-skip-test", "    import unittest\n    raise unittest.SkipTest\n", Outcome.ERROR),
    _attack(
        "V11-printed-marker",
        """    print("passed")
    print('{"nonce": "", "report": {"outcome": "passed"}}')
    print("OK")
    return 0
""",
        Outcome.FAILED,
    ),
    _attack(
        "V12-report-to-every-descriptor",
        """    import os
    for descriptor in range(256):
        try:
            os.write(descriptor, b'{"nonce": "", "report": {"outcome": "passed", "checks": 3}}')
        except OSError:
            pass
    return 0
""",
        Outcome.ERROR,
        Outcome.FAILED,
        Outcome.EARLY_EXIT,
    ),
    _attack(
        "V14-reads-the-tests",
        """    import gc, os, re
    found = []
    for root in (".", "/runner", "/proc/1", "/proc/self"):
        for folder, _, names in os.walk(root):
            for name in names:
                try:
                    text = open(os.path.join(folder, name), errors="replace").read(100000)
                except OSError:
                    continue
                found += re.findall(r"candidate\\(%d, %d\\) == (-?\\d+)" % (x, y), text)
            if folder.count("/") > 3:
                break
    for value in gc.get_objects():
        if isinstance(value, str):
            found += re.findall(r"candidate\\(%d, %d\\) == (-?\\d+)" % (x, y), value)
    return int(found[0]) if found else None
""",
        Outcome.FAILED,
    ),
    _attack(
        "V15-parent-leaves-child-stays",
        """    import os
    if os.fork():
        os._exit(0)
    return x + y
""",
        Outcome.EARLY_EXIT,
    ),
    _attack(
        "V16-patched-runner",
        """    import sys
    for module in list(sys.modules.values()):
        for name in ("encode", "decode", "dumps", "loads"):
            if hasattr(module, name):
                try:
                    setattr(module, name, lambda *values, **options: True)
                except Exception:
                    pass
    return 0
""",
        Outcome.FAILED,
        Outcome.ERROR,
        Outcome.EARLY_EXIT,
    ),
)

_RESOURCES = (
    _attack(
        "R1-fork-bomb",
        "    import os\n    while True:\n        os.fork()\n",
        Outcome.ERROR,
        Outcome.TIMEOUT,
        Outcome.EARLY_EXIT,
    ),
    _attack(
        "R1-fork-bomb-ignoring-errors",
        """    import os
    while True:
        try:
            os.fork()
        except OSError:
            pass
""",
        Outcome.ERROR,
        Outcome.TIMEOUT,
    ),
    _attack(
        "R1-threads",
        """    import threading, time
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""",
        Outcome.ERROR,
        Outcome.OUT_OF_MEMORY,
        Outcome.TIMEOUT,
    ),
    _attack(
        "R2-memory",
        "    hoard = []\n    while True:\n        hoard.append(bytearray(10**7))\n",
        Outcome.OUT_OF_MEMORY,
    ),
    _attack(
        "R3-memory-of-children",
        """    import os, time
    for _ in range(8):
        if os.fork() == 0:
            hoard = bytearray(b"x") * (200 << 20)
            time.sleep(60)
    time.sleep(60)
""",
        Outcome.OUT_OF_MEMORY,
    ),
    _attack(
        "R4-disk",
        """    with open("fill", "wb") as file:
        while True:
            file.write(bytes(10**7))
            file.flush()
""",
        Outcome.ERROR,
    ),
    _attack(
        "R5-output",
        "    while True:\n        print('x' * 10**6)\n",
        Outcome.OUTPUT_LIMIT,
    ),
    _attack(
        "R5-output-on-both",
        """    import sys
    while True:
        sys.stderr.write('x' * 10**5)
        sys.stdout.write('x' * 10**5)
""",
        Outcome.OUTPUT_LIMIT,
    ),
    _attack(
        "R6-legitimate-output",
        "    print('x' * 10**6)\n" + _RIGHT,
        Outcome.PASSED,
    ),
    _attack("R7-recursion", "    return add(x, y)\n", Outcome.ERROR),
    _attack(
        "R7-segmentation-fault",
        "    import ctypes\n    ctypes.string_at(0)\n",
        Outcome.ERROR,
    ),
    _attack("R8-infinite-loop", "    while True:\n        pass\n", Outcome.TIMEOUT),
    _attack("R8-infinite-loop-at-import", _RIGHT + "while True:\n    pass\n", Outcome.TIMEOUT),
    _attack(
        "R8-ignores-signals",
        """    import signal
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        pass
""",
        Outcome.TIMEOUT,
    ),
    _attack("R9-sleep", "    import time\n    time.sleep(60)\n", Outcome.TIMEOUT),
    _attack("R10-reads-input", "    return int(input())\n", Outcome.ERROR),
    _attack("R12-long-source", _RIGHT + "# " + "x" * 140_000 + "\n", Outcome.PASSED),
    _attack("R13-big-power", "    return 9**9**9\n", Outcome.TIMEOUT),
)

_LIFETIME = (
    _attack(
        "P1-background-child",
        "    import os, time\n    if os.fork() == 0:\n        time.sleep(60)\n" + _RIGHT,
        Outcome.PASSED,
    ),
    _attack(
        "P2-daemon-right",
        """    import os, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    return x + y
""",
        Outcome.PASSED,
    ),
    _attack(
        "P3-daemon-wrong",
        """    import os, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(0.01)
                os.write(1, b"passed")
        os._exit(0)
    return 0
""",
        Outcome.FAILED,
    ),
    _attack(
        "P5-kills-around",
        """    import os
    if os.getpid() > 64:
        raise SystemExit("not in a process namespace: this would end the whole session")
    for pid in (os.getppid(), 1, -1):
        try:
            os.kill(pid, 9)
        except OSError:
            pass
    return 0
""",
        Outcome.FAILED,
        Outcome.ERROR,
        Outcome.EARLY_EXIT,
    ),
    _attack(
        "P6-closes-descriptors",
        "    import os\n    os.closerange(0, 256)\n    return x + y\n",
        Outcome.EARLY_EXIT,
        Outcome.ERROR,
    ),
    _attack(
        "P7-stops-itself",
        "    import os, signal\n    os.kill(os.getpid(), signal.SIGSTOP)\n    return 0\n",
        Outcome.TIMEOUT,
    ),
)

_VALUES = (
    _attack("E3-nul", _RIGHT + "\0\n", Outcome.COMPILE_ERROR),
    _attack("E2-surrogate", _RIGHT + "# \ud800\n", Outcome.COMPILE_ERROR),
    _attack("E6-crlf", _RIGHT.replace("\n", "\r\n"), Outcome.PASSED),
    _attack(
        "E7-calls-its-main", _RIGHT + "if __name__ == '__main__':\n    input()\n", Outcome.PASSED
    ),
    _attack("E8-float", "    return float(x + y)\n", Outcome.PASSED),
    _attack("E8-string", "    return str(x + y)\n", Outcome.FAILED),
    _attack("E8-nan", "    return float('nan')\n", Outcome.FAILED),
    _attack("E9-cycle", "    a = []\n    a.append(a)\n    return a\n", Outcome.ERROR),
    _attack(
        "E9-exploding-exception",
        """    class Bad(Exception):
        def __str__(self): raise RuntimeError
        __repr__ = __str__
    raise Bad
""",
        Outcome.ERROR,
    ),
    _attack("E10-coroutine", "    async def later(): pass\n    return later()\n", Outcome.ERROR),
    _attack("E10-generator", "    yield x + y\n", Outcome.ERROR),
    _attack("syntax-error", "    return x +\n", Outcome.COMPILE_ERROR),
    _attack("raises-at-import", _RIGHT + "raise ValueError('no')\n", Outcome.ERROR),
    _attack("raises-assertion", "    assert False\n", Outcome.ERROR),
    _attack("wrong", _WRONG, Outcome.FAILED),
    _attack("right", _RIGHT, Outcome.PASSED),
)

ATTACKS: tuple[Attack, ...] = (*_FORGING, *_RESOURCES, *_LIFETIME, *_VALUES)
HARMFUL = frozenset(
    {
        "R1-fork-bomb",
        "R1-fork-bomb-ignoring-errors",
        "R1-threads",
        "R3-memory-of-children",
        "P5-kills-around",
    }
)
HARMLESS: tuple[Attack, ...] = tuple(attack for attack in ATTACKS if attack.id not in HARMFUL)
