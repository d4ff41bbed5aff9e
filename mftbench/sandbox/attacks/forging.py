"""Forging a verdict: V1 to V17 of the adversarial list, as completions of a Python function."""

from __future__ import annotations

from mftbench.contract import Outcome
from mftbench.sandbox.attacks.attack import WRONG, attack

FORGING = (
    attack("V1-exit-at-import", WRONG + "import sys\nsys.exit(0)\n", Outcome.EARLY_EXIT),
    attack("V1-exit-in-call", "    import sys\n    sys.exit(0)\n", Outcome.EARLY_EXIT),
    attack("V1-system-exit", WRONG + "raise SystemExit\n", Outcome.EARLY_EXIT),
    attack("V2-os-exit-at-import", WRONG + "import os\nos._exit(0)\n", Outcome.EARLY_EXIT),
    attack("V2-os-exit-in-call", "    import os\n    os._exit(0)\n", Outcome.EARLY_EXIT),
    attack(
        "V3-atexit",
        WRONG + "import atexit, os\natexit.register(os._exit, 0)\n",
        Outcome.FAILED,
    ),
    attack(
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
    attack(
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
    attack(
        "V6-int-subclass",
        """    class Always(int):
        def __eq__(self, other): return True
    return Always(0)
""",
        Outcome.ERROR,
    ),
    attack(
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
    attack("V9-skip-test", "    import unittest\n    raise unittest.SkipTest\n", Outcome.ERROR),
    attack(
        "V11-printed-marker",
        """    print("passed")
    print('{"nonce": "", "report": {"outcome": "passed"}}')
    print("OK")
    return 0
""",
        Outcome.FAILED,
    ),
    attack(
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
    attack(
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
    attack(
        "V15-parent-leaves-child-stays",
        """    import os
    if os.fork():
        os._exit(0)
    return x + y
""",
        Outcome.EARLY_EXIT,
    ),
    attack(
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
    attack(
        "V8-patched-unittest",
        """    import unittest
    unittest.TestCase.run = unittest.TestResult.addFailure = lambda *values: None
    unittest.TestCase.assertEqual = lambda *values: None
    return 0
""",
        Outcome.FAILED,
    ),
    attack(
        "V10-redefines-the-check",
        WRONG + "def check(candidate): pass\ndef test(): pass\n__name__ = 'suite'\n",
        Outcome.FAILED,
    ),
    attack(
        "V13-shadow-modules",
        """    import os
    names = ("sitecustomize", "usercustomize", "conftest", "json", "unittest", "wire", "checks")
    for folder in (".", "/tmp", "/runner/python", "/packages"):
        for name in names:
            try:
                with open(os.path.join(folder, name + ".py"), "w") as file:
                    file.write("import os; os._exit(0)")
            except OSError:
                pass
    return 0
""",
        Outcome.FAILED,
    ),
    attack(
        "V16-traced-interpreter",
        """    import sys
    sys.settrace(lambda *values: None)
    sys.setprofile(lambda *values: None)
    sys.modules["json"] = sys.modules["builtins"]
    return 0
""",
        Outcome.FAILED,
        Outcome.ERROR,
    ),
    attack(
        "V16-written-memory",
        "    import ctypes\n    ctypes.memset(id(0), 1, 64)\n    return 0\n",
        Outcome.FAILED,
        Outcome.ERROR,
        Outcome.EARLY_EXIT,
        Outcome.OUT_OF_MEMORY,
    ),
)

PLUS = (
    attack(
        "V17-mutated-arguments",
        "def add(numbers):\n    numbers.clear()\n    return 0\n",
        Outcome.FAILED,
        kind="plus",
    ),
    attack(
        "E8-number-too-long-to-show",
        "def add(numbers):\n    return 10**5000\n",
        Outcome.FAILED,
        kind="plus",
    ),
    attack(
        "plus-right", "def add(numbers):\n    return sum(numbers)\n", Outcome.PASSED, kind="plus"
    ),
)
