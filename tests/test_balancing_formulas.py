"""Each method against its formula: published worked values, or the formula again in float64."""

import math

import pytest
import torch
from torch.nn.functional import softmax

from mftbench.errors import UsageError
from mftbench.stages import Balance
from mftbench.training.balancing.balancer import BalancedTask, Probe, task_weights
from mftbench.training.balancing.convergence import acs, divergence, rcs
from mftbench.training.balancing.history import slopes
from mftbench.training.balancing.methods.self_paced import self_paced_weights
from mftbench.training.balancing.probe import Measured
from mftbench.training.balancing.registry import make_balancer
from mftbench.training.balancing.statistics import BatchStatistics

EVEN = BatchStatistics(torch.full((9,), 4), torch.full((9,), 2))


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def even(tasks):
    return BatchStatistics(EVEN.tokens[:tasks], EVEN.samples[:tasks])


def named(name, tasks, **options):
    return make_balancer(Balance(name, options), [BalancedTask(f"task{i}") for i in range(tasks)])


def weights(balancer, losses, gramian=None):
    return task_weights(balancer, losses, even(len(losses)), gramian)


def learn(balancer, losses, *, after=None, gramian=None, step=1, validation=None):
    more = {"validation": validation} if validation else {}
    probe = Probe(step, losses, even(len(losses)), lambda: after, gramian, **more)
    balancer.after_step(probe)


# ------------------------------------------------------------ published worked values


def test_famo_worked_weights_and_loss():
    balancer, losses = named("famo", 2), numbers(2, 1)
    assert weights(balancer, losses).tolist() == pytest.approx([1 / 3, 2 / 3], abs=1e-7)
    assert balancer(losses, even(2)).item() == pytest.approx(0.462098, abs=1e-6)


def test_famo_worked_update():
    balancer, moved = named("famo", 2), []
    balancer.adam.step = lambda values, gradient, present: moved.append(gradient)
    learn(balancer, numbers(2, 1), after=numbers(1, 0.9))
    assert moved[0].tolist() == pytest.approx([0.146947, -0.146947], abs=1e-6)


def test_famo_takes_weight_from_what_improves_faster():
    balancer = named("famo", 2)
    learn(balancer, numbers(2, 1), after=numbers(1, 0.9))
    first, second = balancer.logits.tolist()
    assert (first, second) == pytest.approx((-0.025, 0.025), rel=1e-5)


RCS = numbers(0.143397, 0.337902, 0.518701)
ACS = numbers(0.337585, 0.412327, 0.250089)


def test_coba_worked_relative_score():
    assert torch.allclose(rcs(numbers(-0.020, -0.010, -0.005)), RCS, atol=1e-6)


def test_coba_worked_absolute_score():
    by_task = [[-0.030, -0.025, -0.020], [-0.010, -0.010, -0.010], [-0.015, -0.010, -0.005]]
    table = torch.tensor(by_task, dtype=torch.float64).T
    assert torch.allclose(acs(table), ACS, atol=1e-6)


@pytest.mark.parametrize(
    ("largest", "value"), [((-0.02, -0.012, -0.008), 0.031414), ((-0.008, -0.012, -0.02), 2.827798)]
)
def test_coba_worked_divergence_factor(largest, value):
    assert divergence(numbers(*largest), 5.0).item() == pytest.approx(value, abs=5e-6)


def test_coba_worked_blend():
    blended = named("coba", 3).blend(numbers(0.031414)[0], RCS, ACS)
    assert torch.allclose(blended, numbers(0.331484, 0.409989, 0.258527), atol=1e-6)


def test_coba_clamps_the_divergence_factor():
    assert torch.allclose(named("coba", 3).blend(numbers(2.827798)[0], RCS, ACS), RCS)


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (0.031414, (0.325841, 0.412371, 0.261789)),
        (1.0, (0.170202, 0.305059, 0.524739)),
        (2.827798, (0.054042, 0.104912, 0.841045)),
    ],
)
def test_coba_worked_blend_of_mftcoders_code(factor, expected):
    blended = named("coba_mftcoder", 3).blend(numbers(factor)[0], RCS, ACS)
    assert torch.allclose(blended, numbers(*expected), atol=1e-5)


def test_self_paced_worked_weights():
    slope = numbers(-1.714, -0.857, -0.429) / 3  # so that K s / sum |s| is what is in the example
    found = self_paced_weights(slope, 50.0)
    assert torch.allclose(found, numbers(0.098, 0.872, 0.030), atol=2e-3)


# ------------------------------------------------------------ focal losses


def test_focal_task_weight_is_the_derivative_of_its_formula():
    losses = numbers(0.3, 2.0)
    p = (-losses).exp()
    slope = (1 - p) ** 2 + 2 * (1 - p) * p * losses
    assert torch.allclose(weights(named("focal_task", 2), losses), slope / 2)


def test_focal_task_with_gamma_counts_a_sure_task_less():
    first, second = weights(named("focal_task", 2, gamma=3.0), numbers(0.05, 2.0)).tolist()
    assert first < 0.01 < second


def test_focal_losses_have_no_gamma_below_one():
    with pytest.raises(UsageError, match=r"gamma of balancer 'focal_sample' is 0\.5"):
        named("focal_sample", 2, gamma=0.5)


# ------------------------------------------------------------ other scalar weightings


def test_uncertainty_follows_the_gradient_of_its_loss():
    balancer, losses = named("uncertainty", 2), numbers(2.0, 0.1)
    assert weights(balancer, losses).tolist() == pytest.approx([math.exp(0.5) / 4] * 2)
    learn(balancer, losses)
    # Gradients 1/2 - l / (2 exp(s)) have opposite signs, and Adam's first step has size lr.
    assert balancer.log_variances.tolist() == pytest.approx([-0.475, -0.525], rel=1e-6)


def test_uncertainty_is_the_mean_of_the_papers_terms():
    losses, s = numbers(2.0, 0.1), -0.5
    expected = sum(loss / (2 * math.exp(s)) + s / 2 for loss in losses.tolist()) / 2
    assert named("uncertainty", 2)(losses, even(2)).item() == pytest.approx(expected)


def test_dwa_weighs_by_the_ratio_of_the_last_two_means():
    balancer = named("dwa", 2, interval=2)
    for losses in ((4.0, 2.0), (2.0, 2.0), (2.0, 1.9), (1.0, 1.7)):
        learn(balancer, numbers(*losses))
    expected = softmax(numbers(1.5 / 3, 1.8 / 2) / 2, 0)
    assert torch.allclose(weights(balancer, numbers(1, 1)), expected)


def test_dwa_is_uniform_before_two_intervals():
    balancer = named("dwa", 2, interval=2)
    for losses in ((4.0, 2.0), (2.0, 2.0), (2.0, 1.9)):
        learn(balancer, numbers(*losses))
    assert weights(balancer, numbers(1, 1)).tolist() == [0.5, 0.5]


def test_rlw_draws_anew_in_every_step_and_again_from_the_same_seed():
    draws = []
    for seed in (0, 0, 1):
        balancer = named("rlw", 3, seed=seed)
        for _ in range(2):
            draws.append(weights(balancer, numbers(1, 1, 1)))
            learn(balancer, numbers(1, 1, 1))
    assert torch.equal(draws[0], draws[2])
    assert torch.equal(draws[1], draws[3])
    assert not torch.allclose(draws[0], draws[1])
    assert not torch.allclose(draws[0], draws[4])


def test_rlw_draws_are_softmaxes_of_normals():
    balancer, logs = named("rlw", 9), []
    for _ in range(400):
        drawn = weights(balancer, torch.ones(9, dtype=torch.float64))
        assert drawn.sum().item() == pytest.approx(1)
        logs.append(drawn.log() - drawn.log().mean())
        learn(balancer, torch.ones(9, dtype=torch.float64))
    # The spread about the mean of nine normals is sqrt(8/9).
    assert torch.stack(logs).std().item() == pytest.approx(math.sqrt(8 / 9), rel=0.05)


def test_gls_is_the_geometric_mean():
    losses = numbers(2.0, 0.5, 8.0)
    balancer = named("gls", 3)
    assert balancer(losses, even(3)).item() == pytest.approx(2.0)
    assert torch.allclose(weights(balancer, losses), 2.0 / (3 * losses))


def test_stch_is_the_mean_log_loss_in_its_warm_up():
    assert torch.allclose(weights(named("stch", 2), numbers(2.0, 0.5)), 1 / (2 * numbers(2.0, 0.5)))


def test_stch_trains_what_is_worst_off_beside_its_start():
    balancer = named("stch", 2, warmup=2, mu=0.5)
    for losses in ((4.0, 1.0), (2.0, 1.0)):
        learn(balancer, numbers(*losses))
    losses = numbers(1.0, 0.9)
    ratios = (losses / numbers(3.0, 1.0)).log()
    assert torch.allclose(weights(balancer, losses), softmax(ratios / 0.5, 0) / losses)
    assert balancer(losses, even(2)).item() == pytest.approx(
        0.5 * math.log(sum(math.exp(r / 0.5) for r in ratios.tolist()))
    )


def test_lbtw_weighs_by_the_root_of_what_is_left():
    balancer = named("lbtw", 2)
    learn(balancer, numbers(4.0, 1.0))
    assert weights(balancer, numbers(1.0, 0.81)).tolist() == pytest.approx([0.5 / 2, 0.9 / 2])


def test_lbtw_starts_anew_with_every_interval():
    balancer = named("lbtw", 2, interval=2)
    for losses in ((4.0, 1.0), (2.0, 0.5)):
        learn(balancer, numbers(*losses))
    assert weights(balancer, numbers(1.0, 0.1)).tolist() == [0.5, 0.5]


def test_lbtw_gives_a_task_that_is_late_in_an_interval_its_first_loss_there():
    balancer = named("lbtw", 2, interval=2)
    for losses in ((4.0, 4.0), (4.0, 4.0)):
        learn(balancer, numbers(*losses))
    alone = BatchStatistics(torch.tensor([4, 0]), torch.tensor([2, 0]))
    balancer.after_step(Probe(3, numbers(1.0, 0.0), alone, lambda: None))
    assert weights(balancer, numbers(1.0, 1.0)).tolist() == [0.5, 0.5]


def test_inverse_count_weighs_by_the_inverse_of_the_rows():
    tasks = [BalancedTask("frequent", rows=300), BalancedTask("rare", rows=100)]
    balancer = make_balancer(Balance("inverse_count"), tasks)
    assert weights(balancer, numbers(1, 1)).tolist() == pytest.approx([0.25, 0.75])


# ------------------------------------------------------------ validation losses


class Falling:
    """Validation losses that fall by a fixed amount a batch."""

    def __len__(self):
        return 2

    def __call__(self, index):
        return Measured(numbers(4.0, 4.0, 4.0) - index * numbers(0.4, 0.2, 0.1), even(3))


def test_slopes_are_least_squares_fits():
    table = torch.tensor([[1.0, 0.0], [3.0, torch.nan], [2.0, 4.0]], dtype=torch.float64)
    assert slopes(table).tolist() == pytest.approx([0.5, 2.0])


def test_slope_of_one_point_is_zero():
    assert slopes(torch.tensor([[torch.nan], [2.0]], dtype=torch.float64)).tolist() == [0.0]


def test_coba_is_uniform_in_its_warm_up():
    balancer = named("coba", 3, warmup=3)
    balancer.before_training(Falling())
    for step in (1, 2):
        learn(balancer, numbers(1, 1, 1), step=step, validation=Falling())
    assert torch.allclose(weights(balancer, numbers(1, 1, 1)), torch.full((3,), 1 / 3).double())


def test_coba_weighs_by_the_slopes_of_validation_losses_over_their_start():
    balancer = named("coba", 3, warmup=2)
    balancer.before_training(Falling())
    assert balancer.initial.tolist() == pytest.approx([3.8, 3.9, 3.95])
    for step in (1, 2, 3):
        learn(balancer, numbers(1, 1, 1), step=step, validation=Falling())
    slope = -numbers(0.4, 0.2, 0.1) / numbers(3.8, 3.9, 3.95)
    table = torch.stack([slope, slope])
    largest = slopes((4.0 - numbers(1, 2, 3) * 0.1).reshape(-1, 1) / 3.95).repeat(2)
    factor = divergence(largest, 5.0).clamp(max=1)
    expected = factor * rcs(slope) + (1 - factor) * acs(table)
    assert torch.allclose(weights(balancer, numbers(1, 1, 1)), expected)


def test_coba_measures_every_interval_only():
    balancer = named("coba", 3, interval=2)
    for step in range(1, 6):
        learn(balancer, numbers(1, 1, 1), step=step, validation=Falling())
    assert len(balancer.ratios) == 2


def test_self_paced_is_uniform_before_there_is_a_slope():
    balancer = named("self_paced", 3)
    learn(balancer, numbers(1, 1, 1), validation=Falling())
    assert torch.allclose(weights(balancer, numbers(1, 1, 1)), torch.full((3,), 1 / 3).double())


def test_famo_on_validation_judges_a_step_by_one_batch():
    seen = []

    class Watched(Falling):
        def __call__(self, index):
            seen.append(index)
            return super().__call__(index)

    balancer = named("famo_validation", 3)
    balancer.before_training(Watched())
    for step in (1, 2):
        learn(balancer, numbers(1, 1, 1), step=step, validation=Watched())
    assert seen == [1, 1, 2, 2, 3]


def test_balancer_on_validation_losses_says_what_is_missing():
    with pytest.raises(UsageError, match=r"raise optim.valid_share above 0"):
        learn(named("famo_validation", 2), numbers(1, 1))
