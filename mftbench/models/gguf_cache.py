"""Plain forms of GGUF models, made once and kept in this machine's cache.

Dequantising SmolLM2-135M takes 15 seconds of a processor and its tokenizer 4; its plain form loads
in half of one.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mftbench.caches import cache_folder
from mftbench.models.digest import digest_files
from mftbench.models.location import Location


def plain_form(location: Location, part: str, write: Callable[[Path], object]) -> Location:
    """Give a folder with a part of a GGUF model, such as its weights in a dtype, in plain form.

    ``write`` puts it into a new folder if none is kept. The file's content and the version of
    transformers, which reads it, are in the folder's name. Where nothing can be written, the place
    of the file itself is given back.
    """
    import transformers
    from safetensors import SafetensorError

    assert location.gguf is not None
    content = digest_files([Path(location.path) / location.gguf])[:16]
    kept = cache_folder() / "models" / f"{content}-{transformers.__version__}-{part}"
    if not kept.is_dir():
        made = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}")
        try:
            made.mkdir(parents=True)
            write(made)
            with suppress(OSError):  # another process was faster
                made.rename(kept)
        except (OSError, SafetensorError):  # no place, or no right, to keep anything
            return location
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return Location(str(kept))
