import torch
from transformers.cache_utils import DynamicLayer

from mftbench.inference.cache import RoomyLayer


def states(rows, tokens, seed):
    return torch.randn(rows, 2, tokens, 4, generator=torch.Generator().manual_seed(seed))


def test_roomy_layer_holds_what_the_concatenating_layer_holds():
    plain, roomy = DynamicLayer(), RoomyLayer()
    rows = torch.tensor([2, 0])
    for step, tokens in enumerate([5, 1, 1, 200, 1]):
        for layer in (plain, roomy):
            layer.update(states(3, tokens, step), states(3, tokens, step + 100))
    for layer in (plain, roomy):
        layer.batch_select_indices(rows)
        layer.update(states(2, 1, 7), states(2, 1, 8))
    assert torch.equal(plain.keys, roomy.keys)
    assert torch.equal(plain.values, roomy.values)


def test_roomy_layer_writes_a_new_token_without_moving_the_past():
    layer = RoomyLayer()
    layer.update(states(1, 5, 0), states(1, 5, 1))
    before = layer.keys.data_ptr()
    layer.update(states(1, 1, 2), states(1, 1, 3))
    assert layer.keys.data_ptr() == before
