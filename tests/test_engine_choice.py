import torch
from hypothesis import given
from hypothesis import strategies as st

from mftbench.inference.choice import noise, sampled


def draw(logits, uniforms, *, temperature=1.0, top_p=1.0):
    rows = torch.tensor([logits] * len(uniforms))
    uniform = torch.tensor(uniforms, dtype=torch.float64)
    return sampled(rows, uniform, temperature=temperature, top_p=top_p).tolist()


def test_tokens_are_drawn_with_their_probabilities():
    shares = torch.tensor([0.5, 0.3, 0.2])
    uniforms = ((torch.arange(1000) + 0.5) / 1000).tolist()
    counts = torch.tensor(draw(shares.log().tolist(), uniforms)).bincount()
    assert (counts / 1000 - shares).abs().max() < 0.002


def test_top_p_keeps_the_smallest_set_that_reaches_it():
    logits = torch.tensor([0.2, 0.5, 0.3]).log().tolist()
    uniforms = [0.0, 0.3, 0.6, 0.9, 0.999]
    assert set(draw(logits, uniforms, top_p=0.5)) == {1}
    assert set(draw(logits, uniforms, top_p=0.6)) == {1, 2}


def test_a_low_temperature_approaches_the_likeliest_token():
    assert set(draw([0.0, 1.0, 0.5], [0.01, 0.5, 0.99], temperature=0.01)) == {1}


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=9), st.floats(0, 1, exclude_max=True))
def test_a_token_that_top_p_excludes_is_never_drawn(logits, uniform):
    probabilities = torch.tensor(logits).softmax(dim=-1)
    chosen = draw(logits, [uniform], top_p=0.5)[0]
    likelier = probabilities[probabilities > probabilities[chosen]]
    assert likelier.double().sum() < 0.5 + 1e-6


def test_logits_that_are_not_numbers_give_a_token_all_the_same():
    assert draw([float("nan")] * 3, [0.5])[0] in {0, 1, 2}


def test_a_row_draws_the_same_noise_whatever_its_neighbours():
    assert torch.equal(noise([7, 8], 20)[1], noise([8], 20)[0])


def test_different_seeds_draw_different_noise():
    assert not torch.equal(noise([7], 20), noise([8], 20))
