"""Using resources without bound: R1 to R13, as completions of a Python function."""

from __future__ import annotations

from mftbench.contract import Outcome
from mftbench.sandbox.attacks.attack import RIGHT, attack

RESOURCES = (
    attack(
        "R1-fork-bomb",
        "    import os\n    while True:\n        os.fork()\n",
        Outcome.ERROR,
        Outcome.TIMEOUT,
        Outcome.EARLY_EXIT,
    ),
    attack(
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
    attack(
        "R1-threads",
        """    import threading, time
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""",
        Outcome.ERROR,
        Outcome.OUT_OF_MEMORY,
        Outcome.TIMEOUT,
    ),
    attack(
        "R2-memory",
        "    hoard = []\n    while True:\n        hoard.append(bytearray(10**7))\n",
        Outcome.OUT_OF_MEMORY,
    ),
    attack(
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
    attack(
        "R4-disk",
        """    with open("fill", "wb") as file:
        while True:
            file.write(bytes(10**7))
            file.flush()
""",
        Outcome.ERROR,
    ),
    attack(
        "R5-output",
        "    while True:\n        print('x' * 10**6)\n",
        Outcome.OUTPUT_LIMIT,
    ),
    attack(
        "R5-output-on-both",
        """    import sys
    while True:
        sys.stderr.write('x' * 10**5)
        sys.stdout.write('x' * 10**5)
""",
        Outcome.OUTPUT_LIMIT,
    ),
    attack(
        "R6-legitimate-output",
        "    print('x' * 10**6)\n" + RIGHT,
        Outcome.PASSED,
    ),
    attack("R7-recursion", "    return add(x, y)\n", Outcome.ERROR),
    attack(
        "R7-segmentation-fault",
        "    import ctypes\n    ctypes.string_at(0)\n",
        Outcome.ERROR,
    ),
    attack("R8-infinite-loop", "    while True:\n        pass\n", Outcome.TIMEOUT),
    attack("R8-infinite-loop-at-import", RIGHT + "while True:\n    pass\n", Outcome.TIMEOUT),
    attack(
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
    attack("R9-sleep", "    import time\n    time.sleep(60)\n", Outcome.TIMEOUT),
    attack("R10-reads-input", "    return int(input())\n", Outcome.ERROR),
    attack("R12-long-source", RIGHT + "# " + "x" * 140_000 + "\n", Outcome.PASSED),
    attack("R13-big-power", "    return 9**9**9\n", Outcome.TIMEOUT),
    attack("R4-sparse-file", "    open('fill', 'wb').truncate(2**40)\n", Outcome.ERROR),
    attack(
        "R4-many-files",
        """    number = 0
    while True:
        open(f"file-{number}", "w").close()
        number += 1
""",
        Outcome.ERROR,
        Outcome.TIMEOUT,
        Outcome.OUT_OF_MEMORY,
    ),
    attack(
        "R13-backtracking",
        "    import re\n    return re.fullmatch('(a+)+', 'a' * 50 + 'b')\n",
        Outcome.TIMEOUT,
    ),
)
