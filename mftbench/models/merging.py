"""Fold a trained adapter into its base: one plain model folder that any library loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mftbench.errors import UsageError
from mftbench.models.loading import load_model, loading
from mftbench.stages import ModelRef


def merge_adapter(folder: Path, out: Path, dtype: str, base: str = "") -> None:
    """Write the adapter's base with the adapter folded in, and the tokenizer, to ``out``.

    ``base`` overrides the base that the adapter names. Merging rounds to ``dtype``: answers may
    differ in rare tokens from those with the adapter attached.

    Raises UsageError if ``folder`` holds no adapter, ``out`` is not empty, or the base is unknown;
    EngineError if either cannot be loaded.
    """
    config = folder / "adapter_config.json"
    if not config.is_file():
        raise UsageError(f"{folder} holds no adapter_config.json; give the model/ of a training")
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty; give a new folder")
    named = base or str(json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"])
    attached: Any
    attached, tokenizer = load_model(ModelRef(named, folder, adapter=True), dtype)
    with loading(str(folder)):
        merged = attached.merge_and_unload()
        merged.config.use_cache = True
        merged.save_pretrained(out)
        tokenizer.save_pretrained(out)
