"""The fine-tuned tagger: it learns, repeats itself, trains its upper half alone, and is saved without its encoder."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.nlu.bio_decoding import bio_labels
from seedcorn.nlu.fine_tuning import FineTuningSettings
from seedcorn.nlu.slot_tagger import (
    SlotTagger,
    TaggerExample,
    labels_into,
    train_tagger,
)
from seedcorn.nlu.tokens import OUTSIDE, tokens_of

pytest.importorskip("transformers")

QUICK = FineTuningSettings(n_epochs=30, learning_rate=5e-3, head_learning_rate=2e-2, batch_size=4, dropout=0.0)
ROWS = [
    Utterance(text=f"{verb} {what}", intent=intent, slots=(Slot(len(verb) + 1, len(verb) + 1 + len(what), type_),))
    for verb, intent, type_, values in (
        ("play", "music", "genre", ("jazz", "folk", "some rock", "pop")),
        ("wake me", "alarm", "time", ("at dawn", "at noon", "at six", "soon")),
    )
    for what in values
]
TEXTS = ["play jazz", "wake me at noon", "", " ", "word " * 200]


@pytest.fixture(scope="module")
def tagger(encoder_checkpoint: Path) -> SlotTagger:
    return trained(encoder_checkpoint)


def trained(checkpoint: Path, *, random_seed: int = 0) -> SlotTagger:
    examples = [TaggerExample(utterance=u, weight=2.0) for u in ROWS]
    return train_tagger(
        examples, checkpoint=str(checkpoint), slot_types=["genre", "time"], settings=QUICK, random_seed=random_seed
    )


def test_it_learns_what_it_was_shown(tagger: SlotTagger) -> None:
    (rows,) = tagger.posteriors(["play jazz"], tagger.outputs)
    assert [tagger.outputs[i] for i in rows.argmax(axis=1)] == [OUTSIDE, "B-genre"]


def test_there_is_one_distribution_a_token(tagger: SlotTagger) -> None:
    for text, rows in zip(TEXTS, tagger.posteriors(TEXTS, tagger.outputs), strict=True):
        assert rows.shape == (len(tokens_of(text)), len(tagger.outputs))
        np.testing.assert_allclose(rows.sum(axis=1), 1.0)


def test_a_type_that_is_not_asked_for_counts_as_outside(tagger: SlotTagger) -> None:
    asked = (OUTSIDE, "B-time", "I-time")
    (whole,), (asked_rows,) = (tagger.posteriors(["play jazz"], labels) for labels in (tagger.outputs, asked))
    outside = [i for i, label in enumerate(tagger.outputs) if not label.endswith("time")]
    np.testing.assert_allclose(asked_rows[:, 0], whole[:, outside].sum(axis=1))


def test_only_the_upper_half_and_the_head_are_trained(tagger: SlotTagger) -> None:
    assert {name.split(".")[0] for name in tagger.tensors} == {"encoder", "head"}
    layers = {name.split("layer.")[1].split(".")[0] for name in tagger.tensors if "layer." in name}
    assert layers == {"1", "2"}  # of three
    assert not any("embeddings" in name for name in tagger.tensors)


def test_one_random_seed_gives_one_tagger(tagger: SlotTagger, encoder_checkpoint: Path) -> None:
    again, other = trained(encoder_checkpoint), trained(encoder_checkpoint, random_seed=1)
    assert all(np.array_equal(rows, again.tensors[name]) for name, rows in tagger.tensors.items())
    assert not all(np.array_equal(rows, other.tensors[name]) for name, rows in tagger.tensors.items())


def test_soft_targets_are_learnt(encoder_checkpoint: Path) -> None:
    labels = bio_labels(["genre"])
    half = np.tile([0.5, 0.5, 0.0], (2, 1))
    examples = [TaggerExample(utterance=Utterance(text="play jazz"), weight=16.0, targets=half)]
    found = train_tagger(examples, checkpoint=str(encoder_checkpoint), slot_types=["genre"], settings=QUICK)
    assert found.outputs == labels
    np.testing.assert_allclose(found.posteriors(["play jazz"], labels)[0], half, atol=0.1)


def test_other_outputs_than_bio_labels_are_refused(tagger: SlotTagger) -> None:
    with pytest.raises(ValueError, match="BIO labels"):
        SlotTagger.load(
            tagger.arrays("tagger") | {"tagger-outputs": np.array(["O", "B-time"])},
            tagger.checkpoint,
            saved_as="tagger",
        )


def test_nothing_to_learn_from_and_no_encoder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="utterances"):
        train_tagger([], checkpoint="none", slot_types=["genre"])
    with pytest.raises(ConfigError, match="none"):
        train_tagger([TaggerExample(utterance=ROWS[0])], checkpoint=str(tmp_path / "none"), slot_types=["genre"])


@given(st.lists(st.sampled_from("abcde"), unique=True), st.lists(st.sampled_from("abcde"), unique=True))
def test_probability_is_never_lost_between_labels(asked: list[str], own: list[str]) -> None:
    matrix = labels_into(bio_labels(asked), bio_labels(own))
    np.testing.assert_array_equal(matrix.sum(axis=1), 1.0)
    shared = [label for label in bio_labels(own) if label in bio_labels(asked)]
    for label in shared:
        assert matrix[bio_labels(own).index(label), bio_labels(asked).index(label)] == 1.0
