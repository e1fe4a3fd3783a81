"""What was fine-tuned of an encoder, saved without it: it answers as before, and arrays of others are refused."""

import copy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from seedcorn.errors import ConfigError, DataError
from seedcorn.nlu.fine_tuned import FineTuned
from seedcorn.nlu.fine_tuned_intents import FineTunedIntents
from seedcorn.nlu.slot_tagger import SlotTagger

OUTPUTS = ("O", "B-genre", "I-genre")
TEXTS = ["play jazz", "", "word " * 200]
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
TENSORS = st.dictionaries(
    st.text("abc./", min_size=1), arrays(np.float32, array_shapes(min_dims=0, max_dims=3, min_side=0), elements=FINITE)
)


@pytest.fixture(scope="module")
def tagger(encoder_checkpoint: Path) -> SlotTagger:
    """A tagger that is as the checkpoint is, below a head of random weights."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from seedcorn.nlu.encoders import pretrained_encoder
    from seedcorn.nlu.upper_half import UpperHalf

    torch.manual_seed(0)
    network = UpperHalf(pretrained_encoder(str(encoder_checkpoint)), n_outputs=len(OUTPUTS))
    return SlotTagger(checkpoint=str(encoder_checkpoint), outputs=OUTPUTS, tensors=network.trained())


@given(st.sampled_from([FineTunedIntents, SlotTagger]), TENSORS)
def test_what_is_loaded_is_what_was_saved(kind: type[FineTuned], tensors: dict[str, np.ndarray]) -> None:
    model = kind(checkpoint="encoder", outputs=OUTPUTS, tensors=tensors)
    loaded = kind.load(model.arrays("model"), "encoder", saved_as="model")
    assert loaded is not None
    assert (loaded.checkpoint, loaded.outputs, set(loaded.tensors)) == ("encoder", OUTPUTS, set(tensors))
    for name, rows in tensors.items():
        np.testing.assert_array_equal(loaded.tensors[name], rows)


def test_two_kinds_in_one_file_do_not_meet() -> None:
    intents = FineTunedIntents(checkpoint="encoder", outputs=("alarm",), tensors={"head": np.ones(1, np.float32)})
    tagger = SlotTagger(checkpoint="encoder", outputs=OUTPUTS, tensors={"head": np.zeros(3, np.float32)})
    both = intents.arrays("tagger") | tagger.arrays("tagger-1")
    for model, name in ((intents, "tagger"), (tagger, "tagger-1")):
        loaded = type(model).load(both, "encoder", saved_as=name)
        assert loaded is not None
        assert (loaded.outputs, loaded.tensors["head"].tolist()) == (model.outputs, model.tensors["head"].tolist())
    assert SlotTagger.load(intents.arrays("intents"), "encoder", saved_as="tagger") is None


def test_a_saved_model_answers_as_before(tagger: SlotTagger) -> None:
    loaded = SlotTagger.load(tagger.arrays("tagger"), tagger.checkpoint, saved_as="tagger")
    assert loaded is not None
    for before, after in zip(tagger.posteriors(TEXTS, OUTPUTS), loaded.posteriors(TEXTS, OUTPUTS), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_model_sent_to_another_process_answers_as_before(tagger: SlotTagger) -> None:
    assert tagger.network is tagger.network  # made once, and not sent
    there = copy.copy(tagger)  # by the same protocol
    assert "network" not in there.__dict__
    for here, found in zip(tagger.posteriors(TEXTS, OUTPUTS), there.posteriors(TEXTS, OUTPUTS), strict=True):
        np.testing.assert_array_equal(here, found)


def test_what_is_no_such_model_is_refused(tagger: SlotTagger, tmp_path: Path) -> None:
    arrays_of = tagger.arrays("tagger")
    with pytest.raises(ValueError, match="encoder"):
        SlotTagger.load(arrays_of, None, saved_as="tagger")
    with pytest.raises(ValueError, match="float64"):
        SlotTagger.load(arrays_of | {"tagger/head.bias": np.zeros(3)}, tagger.checkpoint, saved_as="tagger")
    without_bias = {k: v for k, v in arrays_of.items() if "head.bias" not in k}
    lacking = SlotTagger.load(without_bias, tagger.checkpoint, saved_as="tagger")
    assert lacking is not None
    with pytest.raises(DataError, match="tensors"):
        lacking.posteriors(["play jazz"], OUTPUTS)
    elsewhere = SlotTagger.load(arrays_of, str(tmp_path / "none"), saved_as="tagger")
    assert elsewhere is not None
    with pytest.raises(ConfigError, match="none"):
        elsewhere.posteriors(["play jazz"], OUTPUTS)
