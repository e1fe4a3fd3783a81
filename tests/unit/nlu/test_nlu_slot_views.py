"""Two views of the slots: averaged, decoded as well-formed BIO, and self-trained."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.nlu.cross_fitting import Labelled
from seedcorn.nlu.linear import LinearNlu, LinearSettings, train_linear
from seedcorn.nlu.linear_file import load_linear, save_linear
from seedcorn.nlu.sentence_encoder import load_sentence_encoder
from seedcorn.nlu.slot_self_training import SlotOutcome, self_train_slots
from seedcorn.nlu.slot_tagger import labels_into
from seedcorn.nlu.slot_views import SlotHint, SlotViews, self_train_views, with_hint
from seedcorn.nlu.tokens import OUTSIDE, tokens_of

pytest.importorskip("transformers")

GENRES, TIMES = ("jazz", "folk", "some rock", "pop"), ("at dawn", "at noon", "at six", "soon")
SEED = [Utterance(text=f"play {g}", intent="music", slots=(Slot(5, 5 + len(g), "genre"),)) for g in GENRES]
OTHERS = [Utterance(text=f"wake me {t}", intent="alarm", slots=(Slot(8, 8 + len(t), "time"),)) for t in TIMES]
TEXTS = ["play jazz", "play some folk", "", "wake me at dawn"]


@pytest.fixture(scope="module")
def model(encoder_checkpoint: Path) -> LinearNlu:
    encoder = load_sentence_encoder(str(encoder_checkpoint))
    return train_linear(
        [*SEED, *OTHERS], settings=LinearSettings(slot_intents=("music",), encoder=encoder, fine_tune_slots=True)
    )


def test_the_views_are_averaged(model: LinearNlu) -> None:
    (tagger,) = model.taggers
    labels = (OUTSIDE, "B-genre", "I-genre")
    into = labels_into(labels, model.crf.labels)
    for text, found in zip(TEXTS, model.slot_views.posteriors(TEXTS, labels), strict=True):
        by_tagger = tagger.posteriors([text], labels)[0]
        np.testing.assert_allclose(found, (model.crf.marginals([text])[0] @ into + by_tagger) / 2, atol=1e-6)


def test_slots_come_with_probabilities(model: LinearNlu) -> None:
    for text, found in zip(TEXTS, model.slot_views.slots(TEXTS), strict=True):
        assert len(found.slots) == len(found.probabilities)
        assert all(0 < p <= 1 for p in (*found.probabilities, found.all_probability))
        assert all(s.type == "genre" and s.end <= len(text) for s in found.slots)


def test_a_crf_alone_decodes_as_it_did(model: LinearNlu) -> None:
    alone = SlotViews(model.crf)
    assert alone.slots(TEXTS) == model.crf.slots(TEXTS)
    assert self_train_views(alone, SEED, TEXTS, slot_intents=["music"]) is alone


def test_an_utterance_that_teaches_its_intent_alone_teaches_the_tagger_nothing(
    model: LinearNlu, encoder_checkpoint: Path
) -> None:
    unsure = Utterance(text="play folk", intent="music", slots=(Slot(0, 9, "album"),))
    rows = [*SEED, *OTHERS, unsure]
    settings = LinearSettings(
        slot_intents=("music",), encoder=load_sentence_encoder(str(encoder_checkpoint)), fine_tune_slots=True
    )
    found = train_linear(rows, slot_weights=[1.0] * (len(rows) - 1) + [0.0], settings=settings)
    assert [t.outputs for t in found.taggers] == [t.outputs for t in model.taggers] != []


def test_without_slots_there_is_no_tagger(encoder_checkpoint: Path) -> None:
    rows = [Utterance(text=u.text, intent=u.intent) for u in (*SEED, *OTHERS)]
    encoder = load_sentence_encoder(str(encoder_checkpoint))
    bare = train_linear(rows, settings=LinearSettings(slot_intents=("music",), encoder=encoder, fine_tune_slots=True))
    assert bare.taggers == ()
    assert bare.predict(TEXTS)[0].slots == ()


def test_a_saved_model_keeps_its_tagger(model: LinearNlu, tmp_path: Path) -> None:
    save_linear(model, tmp_path / "model.npz")
    loaded = load_linear(tmp_path / "model.npz")
    assert len(loaded.taggers) == len(model.taggers) == 1
    assert loaded.predict(TEXTS) == model.predict(TEXTS)
    two = replace(model, taggers=(*model.taggers, *model.taggers))
    save_linear(two, tmp_path / "two.npz")
    assert load_linear(tmp_path / "two.npz").slot_views.slots(TEXTS) == two.slot_views.slots(TEXTS)


def test_a_student_begins_from_the_pretrained_weights_and_stands_beside_its_teacher(model: LinearNlu) -> None:
    labelled = Labelled(rows=[*SEED, *OTHERS], dev=SEED[:2], functionality=frozenset(["music"]))
    pool = ["play folk", "play rock"]
    student, outcome = self_train_slots(model, labelled, pool)
    assert outcome is not None
    assert outcome.n_pseudo_labelled == 2
    assert outcome.as_row()["kept"] == "yes"
    assert student.crf is model.crf
    teacher, learnt = student.taggers
    assert teacher is model.taggers[0]
    assert learnt.outputs == teacher.outputs
    assert any(not np.array_equal(rows, teacher.tensors[name]) for name, rows in learnt.tensors.items())
    again, _ = self_train_slots(model, labelled, pool)
    assert all(np.array_equal(rows, again.taggers[1].tensors[name]) for name, rows in learnt.tensors.items())
    labels = learnt.outputs
    views = [model.slot_views.posteriors(TEXTS, labels), learnt.posteriors(TEXTS, labels)]
    for found, (two, one) in zip(student.slot_views.posteriors(TEXTS, labels), zip(*views, strict=True), strict=True):
        np.testing.assert_allclose(found, (2 * two + one) / 3, atol=1e-6)
    assert self_train_slots(model, labelled, []) == (model, None)


def test_a_student_goes_only_when_it_is_worse_with_confidence() -> None:
    close = SlotOutcome(n_pseudo_labelled=9, wrong_before=0.40, wrong_after=0.43, change=0.03, standard_error=0.03)
    worse = SlotOutcome(n_pseudo_labelled=9, wrong_before=0.40, wrong_after=0.50, change=0.10, standard_error=0.03)
    assert (close.kept, worse.kept) == (True, False)
    assert worse.as_row()["kept"] == "no"


def test_tokens_of_every_text_have_a_label(model: LinearNlu) -> None:
    labels = model.crf.labels
    assert [len(rows) for rows in model.slot_views.posteriors(TEXTS, labels)] == [len(tokens_of(t)) for t in TEXTS]


def test_a_hint_is_a_third_view_by_its_weight() -> None:
    labels = ("O", "B-time", "I-time")
    posteriors = np.array([[0.8, 0.2, 0.0], [0.5, 0.5, 0.0], [0.6, 0.0, 0.4]])
    assert with_hint("at five sharp", posteriors, labels, None) is posteriors
    hint = SlotHint(slots=(Slot(3, 13, "time"),), weight=1.0)
    found = with_hint("at five sharp", posteriors, labels, hint)
    np.testing.assert_allclose(found, (2 * posteriors + np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])) / 3)
    np.testing.assert_allclose(with_hint("at five sharp", posteriors, labels, replace(hint, weight=0.0)), posteriors)
    unknown = replace(hint, slots=(Slot(3, 13, "place"),))
    np.testing.assert_allclose(with_hint("at five sharp", posteriors, labels, unknown)[1], [2 / 3, 1 / 3, 0])
