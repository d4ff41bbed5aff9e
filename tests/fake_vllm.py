"""Write a package named vllm that answers at once, and dies on request: for the host's side alone.

It answers with the tokens of the prompt in reverse, shifted by the number of the adapter, and with
log-probabilities that no model computes.
"""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGE = """
import os, pathlib, signal
__version__ = "0.0.1"
FOLDER = pathlib.Path(__file__).parent

class SamplingParams:
    def __init__(self, **options):
        self.options = options

class Engine:
    def __init__(self):
        self.waiting = []
    def add_request(self, name, prompt, params, lora_request):
        self.waiting.append((name, prompt["prompt_token_ids"], params.options, lora_request))
    def has_unfinished_requests(self):
        return bool(self.waiting)
    def step(self):
        lives = FOLDER / "dies_after"
        left = int(lives.read_text()) if lives.exists() else None
        if left == 0:
            lives.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if left is not None:
            lives.write_text(str(left - 1))
        if (FOLDER / "always_dies").exists():
            raise RuntimeError("out of blocks\\nand more")
        name, ids, options, lora = self.waiting.pop(0)
        if (FOLDER / "forgets").exists():
            return []
        with (FOLDER / "made.txt").open("a") as log:
            log.write(name + "\\n")
        tokens = [3 + (token + (lora.number if lora else 0)) % 200 for token in reversed(ids)]
        tokens = tokens[: options["max_tokens"]]
        wrong = type("Logprob", (), {"logprob": 1.0})
        asked = options.get("logprobs") is not None
        logprobs = [{token: wrong} for token in tokens] if asked else None
        answer = type("Answer", (), {"token_ids": tokens, "logprobs": logprobs})
        return [type("Output", (), {"finished": True, "request_id": name, "outputs": [answer]})]

class LLM:
    def __init__(self, **arguments):
        with (FOLDER / "opened.txt").open("a") as log:
            log.write(repr(arguments) + "\\n")
        self.llm_engine = Engine()
"""
PARTS = {
    "__init__.py": PACKAGE,
    "_version.py": "__version__ = version = '0.0.1'\n",
    "platforms.py": "class current_platform:\n    is_cpu = staticmethod(lambda: True)\n",
    "sampling_params.py": "class RequestOutputKind:\n    FINAL_ONLY = 2\n",
    "lora/__init__.py": "",
    "lora/request.py": (
        "class LoRARequest:\n"
        "    def __init__(self, name, number, path):\n"
        "        self.number = number\n"
    ),
}


def write_fake_vllm(folder: Path) -> Path:
    """Write the package and an interpreter that finds it; give the interpreter."""
    for name, text in PARTS.items():
        path = folder / "vllm" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python
