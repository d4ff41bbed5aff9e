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
from vllm.lora.ops.torch_ops import lora_ops

spec = importlib.util.spec_from_file_location("worker", sys.argv[1])
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
torch.manual_seed(0)
x, low = torch.randn(40, 24), torch.randn(40, 8)
a, b = torch.randn(3, 1, 8, 24), torch.randn(3, 1, 16, 8)
adapters = torch.randint(0, 3, (40,))


def distance(name, out, *given):
    theirs, ours = out.clone(), out.clone()
    getattr(lora_ops, name)(*given[:2], theirs, *given[2:])
    getattr(worker, name)(*given[:2], ours, *given[2:])
    return float((theirs - ours).abs().max())


found = {
    "shrink": distance("bgmv_shrink", torch.zeros(40, 8), x, a, adapters, 0.5),
    "expand": distance("bgmv_expand", torch.randn(40, 16), low, b, adapters, True),
    "written": distance("bgmv_expand", torch.randn(40, 16), low, b, adapters, False),
    "slice": distance("bgmv_expand_slice", torch.randn(40, 32), low, b, adapters, 8, 16, True),
}
base, out = torch.full((40,), -1), torch.randn(40, 16)
kept = out.clone()
worker.bgmv_expand(low, b, out, base, True)
found["base"] = float((out - kept).abs().max())
worker._group_by_adapter()
found["in place"] = lora_ops.bgmv_shrink is worker.bgmv_shrink
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(vllm_python):
    command = [str(vllm_python), "-c", SCRIPT, str(WORKER)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.needs_vllm
@pytest.mark.parametrize("product", ["shrink", "expand", "written", "slice"])
def test_a_product_by_adapter_is_vllms_own(found, product):
    assert found[product] < 1e-5


@pytest.mark.needs_vllm
def test_tokens_of_the_base_get_no_adapters_product(found):
    assert found["base"] == 0


@pytest.mark.needs_vllm
def test_vllms_wrapper_finds_the_products(found):
    assert found["in place"]
