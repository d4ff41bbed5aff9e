"""Keep the libraries' own progress bars and notices off a stage's output."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR, getLogger
from typing import Any

from transformers.utils import logging as untyped

logging: Any = untyped


@contextmanager
def quiet() -> Iterator[None]:
    """Show errors of transformers only, and none of its bars; restore both afterwards."""
    # bitsandbytes, where it is installed, asks for a package that fetches kernels from the hub.
    getLogger("bitsandbytes").setLevel(ERROR)
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # peft looks a base up on the hub by its name; ours are built in, or folders.
            warnings.filterwarnings("ignore", message="Could not find a config file")
            warnings.filterwarnings("ignore", message="Unable to fetch remote file")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
