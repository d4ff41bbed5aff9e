"""Models by name: where their files are, what identifies them, how they are loaded and saved.

A name is "nano" (built in), "smollm2" (extra [smollm2]), a folder that holds a transformers model,
or a hub id, optionally with a revision ("Qwen/Qwen2.5-Coder-0.5B@main"). Nothing here imports torch
before a model is loaded.
"""

from mftbench.models.loading import load_model, load_tokenizer
from mftbench.models.location import Location, fingerprint, locate

__all__ = ["Location", "fingerprint", "load_model", "load_tokenizer", "locate"]
