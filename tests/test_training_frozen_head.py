"""Token losses of a frozen head: the same numbers and gradients, and no logits kept."""

import pytest
import torch
from torch.nn.functional import cross_entropy
from training_runs import NAMES, tiny_llama, token_rows

from mftbench.training import frozen_losses as frozen
from mftbench.training.batches import collate_padded
from mftbench.training.frozen_losses import frozen_losses, is_frozen
from mftbench.training.token_losses import forward_tokens


def head_and_targets(tokens=23, dtype=torch.float32):
    torch.manual_seed(0)
    head = torch.nn.Linear(16, 50).requires_grad_(False).to(dtype)
    hidden = torch.randn(tokens, 16).to(dtype).requires_grad_()
    return head, hidden, torch.randint(0, 50, (tokens,))


@pytest.mark.parametrize("chunk", [1, 5, 1000])
def test_losses_and_gradients_are_those_of_whole_logits(chunk, monkeypatch):
    monkeypatch.setattr(frozen, "_CHUNK_BYTES", chunk * 50 * 4)
    head, hidden, targets = head_and_targets()
    factors = torch.linspace(-1, 2, len(targets))
    expected = cross_entropy(head(hidden), targets, reduction="none")
    losses = frozen_losses(head, hidden, targets)
    assert torch.allclose(losses, expected, rtol=1e-6, atol=1e-6)
    (wanted,) = torch.autograd.grad((expected * factors).sum(), hidden)
    for _ in range(2):  # the balancers on representation gradients pass through the head twice
        (found,) = torch.autograd.grad((losses * factors).sum(), hidden, retain_graph=True)
        assert torch.allclose(found, wanted, rtol=1e-5, atol=1e-7)


def test_bfloat16_rounds_no_more_than_whole_logits_do():
    head, hidden, targets = head_and_targets(tokens=200)
    exact = torch.autograd.grad(cross_entropy(head(hidden), targets, reduction="sum"), hidden)[0]
    low_head, low = head.bfloat16(), hidden.detach().bfloat16().requires_grad_()
    whole = torch.autograd.grad(
        cross_entropy(low_head(low).float(), targets, reduction="sum"), low
    )[0]
    found = torch.autograd.grad(frozen_losses(low_head, low, targets).sum(), low)[0]
    assert (found.float() - exact).norm() <= 1.02 * (whole.float() - exact).norm()


def test_without_gradients_losses_are_the_same():
    head, hidden, targets = head_and_targets()
    with torch.no_grad():
        losses = frozen_losses(head, hidden, targets)
    assert torch.equal(losses, frozen_losses(head, hidden, targets))


def test_no_tokens_have_no_losses():
    head, hidden, targets = head_and_targets(tokens=0)
    frozen_losses(head, hidden, targets).sum().backward()
    assert hidden.grad.shape == (0, 16)


def test_a_head_that_is_trained_is_not_frozen():
    head, _, _ = head_and_targets()
    assert is_frozen(head)
    assert not is_frozen(head.requires_grad_(True))
    assert not is_frozen(None)


def test_a_models_own_losses_are_those_of_its_frozen_head():
    model, batch = tiny_llama(), collate_padded(token_rows(), len(NAMES))
    trained = forward_tokens(model, model.lm_head, batch)
    model.lm_head.requires_grad_(False)
    found = forward_tokens(model, model.lm_head, batch)
    assert torch.allclose(found.losses, trained.losses, rtol=1e-6, atol=1e-6)
    assert torch.equal(found.hidden, trained.hidden)
