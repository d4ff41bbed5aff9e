"""Load one program text as a module, and say by name what went wrong if it does not load."""

import sys
import types

# The words of mftbench.contract.Outcome that a program's own failure can have.
COMPILE_ERROR = "compile_error"
OUT_OF_MEMORY = "out_of_memory"
EARLY_EXIT = "early_exit"
ERROR = "error"


class LoadError(Exception):
    """The program did not load: the outcome that this is, and a message."""

    def __init__(self, outcome, message):
        super().__init__(message)
        self.outcome = outcome


def load(source, name="candidate"):
    """Execute the text as a module of that name and return the module's namespace.

    ``SystemExit`` passes through: leaving is the caller's to judge. Raises LoadError.
    """
    try:
        code = compile(source, f"<{name}>", "exec")
    except BaseException as error:  # NUL bytes, surrogates and the parser's own limits included
        raise LoadError(COMPILE_ERROR, describe(error)) from None
    module = types.ModuleType(name)
    sys.modules[name] = module  # dataclasses and typing look their module up
    try:
        exec(code, module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        raise LoadError(outcome_of(error), describe(error)) from None
    return module.__dict__


def outcome_of(error):
    """Name the outcome of an exception that left a program."""
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    return ERROR


def describe(error):
    """Say an exception in one short line, also if its own methods raise."""
    name = type(error).__name__
    try:
        text = str(error)
    except BaseException:
        return name
    text = text.encode("ascii", "backslashreplace").decode("ascii")
    return f"{name}: {text[:300]}" if text else name
