"""The plain form of a GGUF model is made once, and nowhere where nothing can be written."""

from pathlib import Path

import pytest
import torch

from mftbench.caches import CACHE
from mftbench.models.gguf_cache import plain_form
from mftbench.models.loading import load_model
from mftbench.models.location import Location, locate
from mftbench.stages import ModelRef


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path):
    (tmp_path / "some.gguf").write_bytes(b"weights")
    return Location(str(tmp_path), gguf="some.gguf")


def writer(text, calls):
    def write(folder):
        calls.append(folder)
        (folder / "weights").write_text(text)

    return write


def read(location):
    return Path(location.path, "weights").read_text()


def test_a_plain_form_is_made_once(cache, model):
    calls = []
    first = plain_form(model, "float32", writer("one", calls))
    again = plain_form(model, "float32", writer("two", calls))
    assert (first, read(again), len(calls)) == (again, "one", 1)
    assert first.gguf is None


def test_each_part_has_a_form_of_its_own(cache, model):
    plain_form(model, "float32", writer("wide", []))
    assert read(plain_form(model, "bfloat16", writer("narrow", []))) == "narrow"


def test_a_file_with_other_content_is_made_anew(cache, model, tmp_path):
    plain_form(model, "float32", writer("old", []))
    (tmp_path / "some.gguf").write_bytes(b"other weights")
    assert read(plain_form(model, "float32", writer("new", []))) == "new"


def test_a_form_that_another_process_made_meanwhile_is_taken(cache, model):
    def write(folder):
        plain_form(model, "float32", writer("faster", []))
        (folder / "weights").write_text("slower")

    assert read(plain_form(model, "float32", write)) == "faster"
    assert len(list((cache / "models").iterdir())) == 1


def test_a_cache_that_cannot_be_written_leaves_the_file_itself(cache, model):
    cache.write_text("a file where the folder should be")
    assert plain_form(model, "float32", writer("one", [])) == model


def test_a_full_disk_leaves_the_file_itself_and_nothing_half_made(cache, model):
    def write(folder):
        (folder / "weights").write_text("half")
        raise OSError(28, "No space left on device")

    assert plain_form(model, "float32", write) == model
    assert list((cache / "models").iterdir()) == []


def test_what_is_wrong_with_the_model_itself_is_not_swallowed(cache, model):
    def write(folder):
        raise ValueError("no such architecture")

    with pytest.raises(ValueError, match="architecture"):
        plain_form(model, "float32", write)
    assert list((cache / "models").iterdir()) == []


@pytest.mark.slow
@pytest.mark.needs_smollm2
def test_the_kept_smollm2_is_the_same_to_the_bit(cache):
    from mftbench.models.gguf import load_gguf

    for _ in range(2):
        kept, _ = load_model(ModelRef("smollm2"), "bfloat16")
    place = locate("smollm2")
    read_anew = load_gguf(place.path, place.gguf, "bfloat16").state_dict()
    weights = kept.state_dict()
    assert weights.keys() == read_anew.keys()
    assert all(torch.equal(weights[name], read_anew[name]) for name in weights)
