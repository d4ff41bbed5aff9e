import pytest
import torch
from training_runs import make_trainer, tiny_llama, token_rows

from mftbench.training.selfcheck import accumulation_error


def test_accumulation_does_not_show_on_this_machine():
    assert 0 < accumulation_error() < 1e-6


def test_selfcheck_leaves_the_callers_randomness_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    accumulation_error()
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("dtype", "lowered"), [("float32", False), ("bfloat16", True)])
def test_selfcheck_of_packing_runs_in_the_precision_of_training(tmp_path, dtype, lowered):
    model, seen = tiny_llama(), []
    model.model.layers[0].register_forward_pre_hook(
        lambda *_: seen.append(torch.is_autocast_enabled("cpu"))
    )
    make_trainer(
        tmp_path, token_rows(), model=model, steps=1, padding="packed", dtype=dtype
    ).check_layout()
    assert set(seen) == {lowered}
