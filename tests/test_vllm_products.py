"""LoRA products of vLLM's process on processors: what vLLM's own give, one product an adapter."""

import json
import subprocess
from pathlib import Path

import pytest

import mftbench.inference.vllm as package

WORKER = Path(package.__file__).parent / "worker.py"
SCRIPT = """
import importlib.util, json, sys
import torch
from vllm.lora.layers import LoRAMapping
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

spec = importlib.util.spec_from_file_location("worker", sys.argv[1])
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
torch.manual_seed(0)
x, sizes = torch.randn(12, 24), (16, 8)
a = [torch.randn(4, 1, 8, 24) for _ in sizes]
b = [torch.randn(4, 1, size, 8) for size in sizes]
for matrices in (*a, *b):
    matrices[3] = 0  # the spare adapter, which vLLM takes for the base
REQUESTS = {
    "mixed": [7, 9, 7, 0, 8, 7, 0, 9, 8, 8, 7, 9],
    "rows": [7] * 5 + [9] * 7,
    "base": [0] * 12,
}


def products(requests, prefill):
    wrapper = PunicaWrapperCPU(64, 16, "cpu")
    mapping = LoRAMapping(tuple(requests), tuple(requests), is_prefill=prefill)
    wrapper.update_metadata(mapping, [7, 8, 9, None], 4, 100)
    y = torch.ones(12, 24)
    wrapper.add_lora_linear(y, x, a, b, 0.5, sizes)
    return y


def every_case():
    return {
        f"{name} {how}": products(requests, how == "prefill")
        for name, requests in REQUESTS.items()
        for how in ("prefill", "decode")
    }


theirs = every_case()
worker.group_by_adapter()
ours = every_case()
print(json.dumps({case: float((y - ours[case]).abs().max()) for case, y in theirs.items()}))
"""
CASES = [f"{name} {how}" for name in ("mixed", "rows", "base") for how in ("prefill", "decode")]


@pytest.fixture(scope="module")
def found(vllm_python):
    command = [str(vllm_python), "-c", SCRIPT, str(WORKER)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.needs_vllm
@pytest.mark.parametrize("case", CASES)
def test_a_product_by_adapter_is_vllms_own(found, case):
    assert found[case] < 1e-4
