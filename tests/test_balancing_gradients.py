"""Methods on task gradients: what each promises of its step, and the gradients themselves."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from training_runs import NAMES, TASKS, first_step, tiny_llama, token_rows

from mftbench.errors import UsageError
from mftbench.stages import Balance
from mftbench.training import chunked_losses
from mftbench.training.balancing.balancer import BalancedTask, Gradients, Probe, task_weights
from mftbench.training.balancing.least_squares import at_least, shortest
from mftbench.training.balancing.registry import make_balancer
from mftbench.training.balancing.statistics import TOKEN, BatchStatistics
from mftbench.training.batches import collate_padded, statistics
from mftbench.training.task_gradients import MicroBatch, collect, require_whole
from mftbench.training.token_losses import forward_tokens, sums_by_task

ON_PARAMETERS = ["pcgrad", "cagrad", "nash_mtl", "aligned_mtl", "upgrad"]


def vectors(*rows):
    return torch.tensor(rows, dtype=torch.float64)


CONFLICT = vectors([1.0, 0.0], [-0.8, 0.6])
THREE = vectors([1.0, 0.0, 0.2], [-0.8, 0.6, 0.0], [0.1, 0.5, 2.0])
gradients = st.integers(0, 2**31).map(
    lambda seed: torch.randn((3, 5), generator=torch.Generator().manual_seed(seed)).double()
)


def combined(name, rows, **options):
    """The step that a method makes of task gradients, and its weights."""
    tasks = [BalancedTask(f"task{i}") for i in range(len(rows))]
    counts = torch.ones(len(rows), dtype=torch.int64)
    balancer = make_balancer(Balance(name, options), tasks)
    losses = torch.ones(len(rows), dtype=torch.float64)
    weights = task_weights(balancer, losses, BatchStatistics(counts, counts), rows @ rows.T)
    return weights @ rows, weights


def lattice(tasks, steps=60):
    """Points all over the simplex."""
    for parts in itertools.product(range(steps + 1), repeat=tasks - 1):
        if sum(parts) <= steps:
            yield torch.tensor([*parts, steps - sum(parts)], dtype=torch.float64) / steps


# ------------------------------------------------------------ the methods


def test_imtl_step_has_the_same_projection_on_every_gradient():
    step, weights = combined("imtl", THREE)
    projections = THREE @ step / THREE.norm(dim=1)
    assert weights.sum().item() == pytest.approx(1)
    assert torch.allclose(projections, projections[:1].expand(3))


@settings(max_examples=20, deadline=None)
@given(gradients)
def test_mgda_step_is_the_shortest(rows):
    step, weights = combined("mgda", rows)
    assert weights.min() >= 0
    assert weights.sum().item() == pytest.approx(1)
    assert step.norm() <= min((point @ rows).norm() for point in lattice(3, 20)) + 1e-12


def test_mgda_of_orthogonal_gradients_weighs_by_their_inverse_squares():
    _, weights = combined("mgda", vectors([2.0, 0.0], [0.0, 1.0]))
    assert weights.tolist() == pytest.approx([0.2, 0.8])


def test_pcgrad_projects_two_gradients_off_each_other():
    a, b = CONFLICT
    expected = (a - (a @ b) / (b @ b) * b + b - (a @ b) / (a @ a) * a) / 2
    step, _ = combined("pcgrad", CONFLICT)
    assert torch.allclose(step, expected)


def test_pcgrad_without_conflict_is_the_mean():
    _, weights = combined("pcgrad", vectors([1.0, 0.0], [0.5, 1.0]))
    assert weights.tolist() == [0.5, 0.5]


def test_pcgrad_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    combined("pcgrad", THREE)
    assert torch.equal(torch.rand(3), expected)


def test_pcgrad_leaves_the_generators_of_gpus_alone(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    combined("pcgrad", THREE)
    assert seeded == []


@pytest.mark.parametrize(
    ("seed", "expected"),
    [(0, [0.573741, 0.764997, 0.586455, 0.353462]), (3, [0.586266, 0.787509, 0.515027, 0.353331])],
)
def test_pcgrad_draws_the_orders_that_it_always_drew(seed, expected):
    rows = vectors([1.0, 0.0, 0.2], [-0.8, 0.6, 0.0], [-0.3, -0.9, 0.4], [0.1, -0.5, -2.0])
    assert combined("pcgrad", rows, seed=seed)[1].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("c", [0.2, 0.5, 0.9])
def test_cagrad_serves_the_worst_task_best_near_the_mean(c):
    step, _ = combined("cagrad", THREE, c=c)
    mean = THREE.mean(0)
    assert (step - mean).norm().item() == pytest.approx(c * mean.norm().item(), rel=1e-5)
    worst = (THREE @ step).min()
    # By duality no other step in the ball does better.
    dual = min((w @ THREE) @ mean + c * mean.norm() * (w @ THREE).norm() for w in lattice(3))
    assert worst.item() == pytest.approx(dual.item(), rel=1e-3)
    assert worst <= dual + 1e-9


def test_cagrad_of_one_task_goes_to_the_end_of_its_ball():
    assert combined("cagrad", CONFLICT[:1], c=0.5)[1].tolist() == pytest.approx([1.5])


def test_cagrad_with_c_of_zero_is_the_mean():
    assert combined("cagrad", THREE, c=0.0)[1].tolist() == pytest.approx([1 / 3] * 3)


@settings(max_examples=20, deadline=None)
@given(gradients)
def test_nash_step_satisfies_the_bargaining_equation(rows):
    _, weights = combined("nash_mtl", rows)
    product = weights * (rows @ rows.T @ weights)
    assert (weights > 0).all()
    assert torch.allclose(product, product[:1].expand(3), rtol=1e-4)


def test_nash_of_opposed_gradients_is_finite():
    _, weights = combined("nash_mtl", vectors([1.0, 0.0], [-1.0, 0.0]))
    assert weights.tolist() == pytest.approx([0.5, 0.5])


@settings(max_examples=20, deadline=None)
@given(gradients)
def test_aligned_step_is_a_mean_of_equally_long_orthogonal_gradients(rows):
    step, _ = combined("aligned_mtl", rows)
    u, s, v = torch.linalg.svd(rows, full_matrices=False)
    assert torch.allclose(step, s.min() * (u @ v).mean(0), atol=1e-8)


@settings(max_examples=20, deadline=None)
@given(gradients)
def test_upgrad_step_conflicts_with_no_task(rows):
    step, _ = combined("upgrad", rows)
    assert (rows @ step).min() >= -1e-9


def test_upgrad_of_two_conflicting_gradients_is_that_of_pcgrad():
    assert torch.allclose(combined("upgrad", CONFLICT)[0], combined("pcgrad", CONFLICT)[0])


@settings(max_examples=20, deadline=None)
@given(gradients)
def test_least_squares_projection_is_complementary(rows):
    lower = torch.tensor([0.5, 0.0, 0.0], dtype=torch.float64)
    gramian = rows @ rows.T
    found = at_least(lower, gramian)
    slope = gramian @ found
    assert (found >= lower).all()
    assert (slope >= -1e-9).all()
    assert abs(slope @ (found - lower)) < 1e-9


def test_shortest_of_gradients_of_length_zero_is_a_share():
    assert shortest(torch.zeros((2, 2), dtype=torch.float64)).sum().item() == pytest.approx(1)


@pytest.mark.parametrize("name", ["pcgrad", "nash_mtl", "aligned_mtl", "upgrad", "imtl", "mgda"])
def test_only_task_has_the_whole_step(name):
    assert combined(name, CONFLICT[:1])[1].tolist() == pytest.approx([1.0])


def test_gradnorm_gives_weight_to_short_gradients_of_slow_tasks():
    balancer = make_balancer(Balance("gradnorm"), [BalancedTask("slow"), BalancedTask("fast")])
    counts = BatchStatistics(torch.ones(2).long(), torch.ones(2).long())
    gramian = torch.diag(torch.tensor([0.01, 4.0], dtype=torch.float64))
    for losses in ((2.0, 2.0), (1.9, 0.2)):
        losses = torch.tensor(losses, dtype=torch.float64)
        balancer.after_step(Probe(1, losses, counts, lambda: losses, gramian))  # noqa: B023
    weights = task_weights(balancer, losses, counts)
    assert weights[0] > 0.5 > weights[1]


def test_gradnorm_moves_down_the_gradient_of_its_gap():
    balancer, moved = make_balancer(Balance("gradnorm"), TASKS[:2]), []
    balancer.adam.step = lambda values, gradient, present: moved.append(gradient)
    counts = BatchStatistics(torch.ones(2).long(), torch.ones(2).long())
    losses, norms = torch.ones(2).double(), torch.tensor([3.0, 1.0]).double()
    balancer.after_step(Probe(1, losses, counts, lambda: losses, torch.diag(norms**2)))
    # Lengths s g = (1.5, 0.5), target 1 each; d/dp of |1.5 - 1| + |0.5 - 1| with softmax s.
    slope = norms * torch.tensor([1.0, -1.0])
    shares = torch.tensor([0.5, 0.5]).double()
    assert torch.allclose(moved[0], shares * (slope - (shares * slope).sum()))


# ------------------------------------------------------------ the gradients


def micro_batch(model, rows):
    batch = collate_padded(rows, len(NAMES))
    found = forward_tokens(model, model.lm_head, batch)
    sums = sums_by_task(found.losses, batch, TOKEN)
    return MicroBatch(sums, statistics(batch), batch["tasks"], found.hidden)


def gathered(kind, model, parts):
    collector = collect(kind, len(NAMES), list(model.parameters()))
    micros = [micro_batch(model, rows) for rows in parts]
    for micro in micros:
        collector.add(micro)
    counts = sum((micro.counts for micro in micros[1:]), micros[0].counts)
    return collector.gramian(counts.tokens, lambda tensor: tensor), counts


def separate(model, rows, inputs_of):
    """Each task's gradient by a backward pass of its own."""
    found = []
    for task in range(len(NAMES)):
        micro = micro_batch(model, rows)
        loss = micro.sums[1, task] / micro.counts.tokens[task]
        parts = torch.autograd.grad(loss, inputs_of(model, micro))
        found.append(torch.cat([part.flatten() for part in parts]).double())
    return torch.stack(found)


def test_parameter_gradients_are_those_of_separate_passes():
    model, rows = tiny_llama(), token_rows()
    gramian, _ = gathered(Gradients.PARAMETERS, model, [rows[:3], rows[3:]])
    apart = separate(model, rows, lambda model, micro: list(model.parameters()))
    assert torch.allclose(gramian, apart @ apart.T, rtol=1e-5, atol=1e-8)


def test_token_gradients_are_those_of_the_last_hidden_states():
    model, rows = tiny_llama(), token_rows()
    gramian, _ = gathered(Gradients.TOKENS, model, [rows[:3], rows[3:]])
    apart = separate(model, rows, lambda model, micro: [micro.hidden])
    assert torch.allclose(gramian, apart @ apart.T, rtol=1e-5, atol=1e-8)
    assert torch.equal(gramian, gramian.diagonal().diag())


def test_representation_gradients_are_those_of_a_shared_offset():
    model, rows = tiny_llama(), token_rows()
    offset = torch.zeros(32, requires_grad=True)
    model.lm_head.register_forward_pre_hook(lambda _, args: (args[0] + offset, *args[1:]))
    gramian, _ = gathered(Gradients.REPRESENTATION, model, [rows[:3], rows[3:]])
    apart = separate(model, rows, lambda model, micro: [offset])
    assert torch.allclose(gramian, apart @ apart.T, rtol=1e-5, atol=1e-8)
    assert gramian.ne(0).all()


@pytest.mark.parametrize("kind", [Gradients.REPRESENTATION, Gradients.PARAMETERS])
def test_gradients_are_the_same_where_logits_are_made_in_chunks(kind, monkeypatch):
    model, rows = tiny_llama(), token_rows()
    expected, _ = gathered(kind, model, [rows])
    monkeypatch.setattr(chunked_losses, "BUDGET_BYTES", 0)
    monkeypatch.setattr(chunked_losses, "_CHUNK_BYTES", 96 * 4 * 7)
    found, _ = gathered(kind, model, [rows])
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-9)


def test_representation_gradients_need_a_known_head():
    model, rows = tiny_llama(), token_rows()
    micro = micro_batch(model, rows)
    headless = MicroBatch(micro.sums, micro.counts, micro.tasks, None)
    with pytest.raises(UsageError, match="whose output head is known"):
        collect(Gradients.REPRESENTATION, 3, []).add(headless)


def test_parameter_gradients_need_whole_parameters():
    require_whole(sharded=False)
    with pytest.raises(UsageError, match=r"parallel\.kind shards them; set it to 'ddp'"):
        require_whole(sharded=True)


@pytest.mark.parametrize("name", ON_PARAMETERS)
def test_step_is_what_the_method_makes_of_separate_gradients(name, tmp_path):
    model, rows = tiny_llama(), token_rows()
    apart = separate(model, rows, lambda model, micro: list(model.parameters()))
    tasks = [BalancedTask(task) for task in NAMES]
    counts = statistics(collate_padded(rows, len(NAMES)))
    balancer = make_balancer(Balance(name), tasks)
    weights = task_weights(balancer, torch.ones(3).double(), counts, apart @ apart.T)
    gradient, line = first_step(tmp_path, rows, batch=2, accumulation=4, balancer=name)
    expected = weights @ apart
    assert (gradient - expected).norm() < 1e-5 * expected.norm()
    logged = [line[f"weight/task/{task}"] for task in NAMES]
    assert logged == pytest.approx(weights.tolist(), rel=1e-4)
