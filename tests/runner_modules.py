"""The runners' own modules, loaded for unit tests: nothing else imports them on the host."""

import importlib
import sys

from mftbench.sandbox.runners import runners_folder


def runner_module(name):
    folder = str(runners_folder() / "python")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)
