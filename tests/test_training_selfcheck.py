import torch

from mftbench.training.selfcheck import accumulation_error


def test_accumulation_does_not_show_on_this_machine():
    assert 0 < accumulation_error() < 1e-6


def test_selfcheck_leaves_the_callers_randomness_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    accumulation_error()
    assert torch.equal(torch.rand(3), expected)
