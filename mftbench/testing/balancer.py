"""The conformance check of balancers: the laws that the trainer relies on, for ours and others'."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from mftbench.errors import PluginError, boundary
from mftbench.training.balancing.balancer import BalancedTask, Balancer, Probe, task_weights
from mftbench.training.balancing.statistics import BatchStatistics

Factory = Callable[[Sequence[BalancedTask]], Balancer]

_TASKS = tuple(BalancedTask(name) for name in ("completion", "sql", "translation"))
_ORDER = [2, 0, 1]
_BATCH = BatchStatistics(torch.tensor([40, 5, 300]), torch.tensor([4, 1, 10]))
_EVEN = BatchStatistics(torch.tensor([30, 30, 30]), torch.tensor([3, 3, 3]))
_LOSSES = torch.tensor([2.0, 0.5, 1.25], dtype=torch.float64)
_EXTREMES = (1e-12, 1e-4, 30.0, 1e4)


def check_balancer(factory: Factory) -> None:
    """Check that balancers made by ``factory`` keep the laws of the contract.

    ``factory`` takes the tasks, as a balancer's constructor does: a class without required options
    is one. Raises PluginError naming the balancer and the first law that it breaks.
    """
    name = type(factory(_TASKS)).__name__
    for law in (
        _weights_are_finite,
        _absent_task_has_no_weight,
        _order_of_tasks_does_not_matter,
        _equal_tasks_weigh_equal,
        _needs_no_losses_unless_declared,
        _continues_from_its_state,
    ):
        with boundary(f"balancer {name}", "forward"):
            holds = law(factory)
        if not holds:
            raise PluginError(f"balancer {name} breaks a law: {law.__doc__}")


def _weights_are_finite(factory: Factory) -> bool:
    """The loss is a finite scalar with finite weights, at ordinary and at extreme losses."""
    extremes = [torch.full_like(_LOSSES, loss) for loss in _EXTREMES]
    for losses in (_LOSSES, *extremes, torch.tensor(_EXTREMES[1:], dtype=torch.float64)):
        if not torch.isfinite(task_weights(factory(_TASKS), losses, _BATCH)).all():
            return False
        if not torch.isfinite(factory(_TASKS)(losses, _BATCH)):
            return False
    return True


def _absent_task_has_no_weight(factory: Factory) -> bool:
    """A task that is absent from the batch has weight 0, and an empty batch has no weights."""
    for absent in ([1], [0, 2], [0, 1, 2]):
        kept = torch.ones(3, dtype=torch.int64)
        kept[absent] = 0
        batch = BatchStatistics(_BATCH.tokens * kept, _BATCH.samples * kept)
        weights = task_weights(factory(_TASKS), _LOSSES * kept, batch)
        if weights[absent].any() or not torch.isfinite(weights).all():
            return False
    return True


def _order_of_tasks_does_not_matter(factory: Factory) -> bool:
    """Tasks in another order have the same weights, also after some steps."""
    straight, turned = factory(_TASKS), factory([_TASKS[i] for i in _ORDER])
    turned_batch = BatchStatistics(_BATCH.tokens[_ORDER], _BATCH.samples[_ORDER])
    for losses in _course():
        expected = _step(straight, losses, _BATCH)[_ORDER]
        if not torch.allclose(_step(turned, losses[_ORDER], turned_batch), expected, atol=1e-9):
            return False
    return True


def _equal_tasks_weigh_equal(factory: Factory) -> bool:
    """Equal losses, counts and task weights on a fresh state give equal weights (if symmetric)."""
    balancer = factory(_TASKS)
    if not balancer.symmetric:
        return True
    weights = task_weights(balancer, torch.ones(3, dtype=torch.float64), _EVEN)
    return torch.allclose(weights, weights[:1].expand(3))


def _needs_no_losses_unless_declared(factory: Factory) -> bool:
    """With needs_losses False, the weights do not depend on the batch's own losses."""
    if factory(_TASKS).needs_losses:
        return True
    balancer = factory(_TASKS)
    twin = copy.deepcopy(balancer)
    ones = task_weights(balancer, torch.ones_like(_LOSSES), _BATCH)
    return torch.equal(ones, task_weights(twin, _LOSSES, _BATCH))


def _continues_from_its_state(factory: Factory) -> bool:
    """A balancer made anew and loaded with a state_dict continues exactly as the first would."""
    first = factory(_TASKS)
    for losses in _course():
        _step(first, losses, _BATCH)
    second = factory(_TASKS)
    second.load_state_dict(first.state_dict())
    return all(
        torch.equal(_step(first, losses, _BATCH), _step(second, losses, _BATCH))
        for losses in _course()
    )


def _course() -> Iterator[Tensor]:
    """Losses of a short training in which the tasks fall at their own pace."""
    pace = torch.tensor([0.9, 0.99, 0.7], dtype=torch.float64)
    return (_LOSSES * pace**step for step in range(5))


def _step(balancer: Balancer, losses: Tensor, batch: BatchStatistics) -> Tensor:
    weights = task_weights(balancer, losses, batch)
    balancer.after_step(Probe(1, losses, batch, losses_after=lambda: losses * 0.95))
    return weights
