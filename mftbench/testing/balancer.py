"""The conformance check of balancers: the laws that the trainer relies on, for ours and others'."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mftbench.errors import PluginError, boundary
from mftbench.training.balancing.balancer import BalancedTask, Balancer, Probe, task_weights
from mftbench.training.balancing.probe import Measured
from mftbench.training.balancing.statistics import BatchStatistics

Factory = Callable[[Sequence[BalancedTask]], Balancer]

_TASKS = tuple(BalancedTask(name) for name in ("completion", "sql", "translation"))
_ORDER = [2, 0, 1]
_LOSSES = torch.tensor([2.0, 0.5, 1.25], dtype=torch.float64)
_EXTREMES = (1e-12, 1e-4, 30.0, 1e4)
# Task gradients of which the first two conflict, by task.
_GRADIENTS = torch.tensor(
    [[1.0, 0.5, 0.0, 0.2], [-0.8, 0.4, 0.3, 0.0], [0.1, 0.0, 2.0, 0.5]], dtype=torch.float64
)


@dataclass(frozen=True)
class _Batch:
    """A batch as a balancer meets it: losses, counts, and the gradients' inner products."""

    losses: Tensor
    counts: BatchStatistics
    gradients: Tensor

    @property
    def gramian(self) -> Tensor:
        return self.gradients @ self.gradients.T

    def without(self, absent: Sequence[int]) -> _Batch:
        kept = torch.ones(3, dtype=torch.int64)
        kept[list(absent)] = 0
        counts = BatchStatistics(self.counts.tokens * kept, self.counts.samples * kept)
        return _Batch(self.losses * kept, counts, self.gradients * kept.unsqueeze(1))

    def reordered(self) -> _Batch:
        counts = BatchStatistics(self.counts.tokens[_ORDER], self.counts.samples[_ORDER])
        return _Batch(self.losses[_ORDER], counts, self.gradients[_ORDER])


_COUNTS = BatchStatistics(torch.tensor([40, 5, 300]), torch.tensor([4, 1, 10]))
_BATCH = _Batch(_LOSSES, _COUNTS, _GRADIENTS)
_EVEN = _Batch(
    torch.ones(3, dtype=torch.float64),
    BatchStatistics(torch.tensor([30, 30, 30]), torch.tensor([3, 3, 3])),
    torch.eye(3, dtype=torch.float64) - 0.2,  # equally long, and every two equally opposed
)


def check_balancer(factory: Factory) -> None:
    """Check that balancers made by ``factory`` keep the laws of the contract.

    ``factory`` takes the tasks, as a balancer's constructor does: a class without required options
    is one. Raises PluginError naming the balancer and the first law that it breaks.
    """
    name = type(factory(_TASKS)).__name__
    for law in LAWS:
        with boundary(f"balancer {name}", "forward"):
            holds = law(factory)
        if not holds:
            raise PluginError(f"balancer {name} breaks a law: {law.__doc__}")


def _weights_are_finite(factory: Factory) -> bool:
    """The loss is a finite scalar with finite weights, at ordinary and at extreme losses."""
    for batch in (_BATCH, *_extremes()):
        for balancer in (factory(_TASKS), _trained(factory)):
            weights = _weights(balancer, batch)
            if not torch.isfinite(weights).all() or not torch.isfinite(_value(balancer, batch)):
                return False
            _learn(balancer, batch, step=9)
            if not torch.isfinite(_weights(balancer, _BATCH)).all():
                return False
    return True


def _absent_task_has_no_weight(factory: Factory) -> bool:
    """A task that is absent from the batch has weight 0, and an empty batch has no weights."""
    for absent in ([1], [0, 2], [0, 1, 2]):
        for balancer in (factory(_TASKS), _trained(factory)):
            weights = _weights(balancer, _BATCH.without(absent))
            if weights[absent].any() or not torch.isfinite(weights).all():
                return False
    return True


def _absent_task_keeps_its_state(factory: Factory) -> bool:
    """What is kept of a task, by task, does not move in a step that the task is absent from."""
    balancer = _trained(factory)
    before = {name: tensor.clone() for name, tensor in balancer.named_buffers()}
    _learn(balancer, _BATCH.without([1]), step=6)
    return all(
        torch.equal(tensor[1].nan_to_num(), before[name][1].nan_to_num())
        for name, tensor in balancer.named_buffers()
        if tensor.ndim and len(tensor) == len(_TASKS)
    )


def _order_of_tasks_does_not_matter(factory: Factory) -> bool:
    """Tasks in another order have the same weights, also after some steps."""
    straight, turned = factory(_TASKS), factory([_TASKS[i] for i in _ORDER])
    _start(straight)
    _start(turned, turned=True)
    for step, batch in enumerate(_course(), 1):
        expected = _step(straight, batch, step)[_ORDER]
        got = _step(turned, batch.reordered(), step, turned=True)
        if not torch.allclose(got, expected, atol=1e-9):
            return False
    return True


def _equal_tasks_weigh_equal(factory: Factory) -> bool:
    """Equal losses, counts and task weights on a fresh state give equal weights (if symmetric)."""
    balancer = factory(_TASKS)
    if not balancer.symmetric:
        return True
    weights = _weights(balancer, _EVEN)
    return torch.allclose(weights, weights[:1].expand(3))


def _needs_no_losses_unless_declared(factory: Factory) -> bool:
    """With needs_losses False, the weights do not depend on the batch's own losses."""
    if factory(_TASKS).needs_losses:
        return True
    balancer = _trained(factory)
    twin = copy.deepcopy(balancer)
    ones = _Batch(torch.ones_like(_LOSSES), _COUNTS, _GRADIENTS)
    return torch.equal(_weights(balancer, ones), _weights(twin, _BATCH))


def _continues_from_its_state(factory: Factory) -> bool:
    """A balancer made anew and loaded with a state_dict continues exactly as the first would."""
    first = _trained(factory)
    second = factory(_TASKS)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    return all(
        torch.equal(_step(first, batch, step), _step(second, batch, step))
        for step, batch in enumerate(_course(), 6)
    )


LAWS = (
    _weights_are_finite,
    _absent_task_has_no_weight,
    _absent_task_keeps_its_state,
    _order_of_tasks_does_not_matter,
    _equal_tasks_weigh_equal,
    _needs_no_losses_unless_declared,
    _continues_from_its_state,
)


@dataclass(frozen=True)
class _Validation:
    """Validation losses that fall batch by batch, each task at its own pace."""

    turned: bool = False

    def __len__(self) -> int:
        return 4

    def __call__(self, index: int) -> Measured:
        pace = torch.tensor([0.97, 0.99, 0.9], dtype=torch.float64)
        batch = _Batch(_LOSSES * pace**index, _EVEN.counts, _GRADIENTS)
        batch = batch.reordered() if self.turned else batch
        return Measured(batch.losses, batch.counts)


def _extremes() -> Iterator[_Batch]:
    """Give batches with extreme losses, and with gradients that vanish, explode or are opposed."""
    for loss in _EXTREMES:
        yield _Batch(torch.full_like(_LOSSES, loss), _COUNTS, _GRADIENTS * loss)
    mixed = torch.tensor(_EXTREMES[1:], dtype=torch.float64)
    yield _Batch(mixed, _COUNTS, _GRADIENTS * mixed.unsqueeze(1))
    yield _Batch(_LOSSES, _COUNTS, torch.zeros_like(_GRADIENTS))
    yield _Batch(_LOSSES, _COUNTS, _GRADIENTS[:1] * torch.tensor([[1.0], [-1.0], [2.0]]))


def _course() -> Iterator[_Batch]:
    """Give the batches of a short training in which the tasks fall at their own pace."""
    pace = torch.tensor([0.9, 0.99, 0.7], dtype=torch.float64)
    return (_Batch(_LOSSES * pace**step, _COUNTS, _GRADIENTS) for step in range(5))


def _trained(factory: Factory) -> Balancer:
    balancer = factory(_TASKS)
    _start(balancer)
    for step, batch in enumerate(_course(), 1):
        _step(balancer, batch, step)
    return balancer


def _start(balancer: Balancer, *, turned: bool = False) -> None:
    balancer.before_training(_Validation(turned))


def _step(balancer: Balancer, batch: _Batch, step: int, *, turned: bool = False) -> Tensor:
    weights = _weights(balancer, batch)
    _learn(balancer, batch, step, turned=turned)
    return weights


def _learn(balancer: Balancer, batch: _Batch, step: int, *, turned: bool = False) -> None:
    balancer.after_step(
        Probe(
            step=step,
            losses=batch.losses,
            batch=batch.counts,
            losses_after=lambda: batch.losses * 0.95,
            gramian=batch.gramian,
            validation=_Validation(turned),
        )
    )


def _weights(balancer: Balancer, batch: _Batch) -> Tensor:
    return task_weights(balancer, batch.losses, batch.counts, batch.gramian)


def _value(balancer: Balancer, batch: _Batch) -> Tensor:
    more = (batch.gramian,) if balancer.needs_gradients else ()
    value: Tensor = balancer(batch.losses, batch.counts, *more)
    return value
