"""Outliving the verdict, and ending what judges: P1 to P8, as completions of a Python function."""

from __future__ import annotations

from mftbench.contract import Outcome
from mftbench.sandbox.attacks.attack import RIGHT, attack

LIFETIME = (
    attack(
        "P1-background-child",
        "    import os, time\n    if os.fork() == 0:\n        time.sleep(60)\n" + RIGHT,
        Outcome.PASSED,
    ),
    attack(
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
    attack(
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
    attack(
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
    attack(
        "P6-closes-descriptors",
        "    import os\n    os.closerange(0, 256)\n    return x + y\n",
        Outcome.EARLY_EXIT,
        Outcome.ERROR,
    ),
    attack(
        "P7-stops-itself",
        "    import os, signal\n    os.kill(os.getpid(), signal.SIGSTOP)\n    return 0\n",
        Outcome.TIMEOUT,
    ),
    attack(
        "P4-zombies",
        """    import os
    for _ in range(10_000):
        if os.fork() == 0:
            os._exit(0)
"""
        + RIGHT,
        Outcome.ERROR,
        Outcome.EARLY_EXIT,
        Outcome.TIMEOUT,
    ),
)
