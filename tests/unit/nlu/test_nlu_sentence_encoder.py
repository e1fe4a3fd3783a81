from pathlib import Path

import numpy as np
import pytest

import seedcorn.nlu.crf as crf_module
import seedcorn.nlu.linear_file as linear_module
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.linear_file import load_linear, save_linear
from seedcorn.nlu.sentence_encoder import (
    MOST_CACHED,
    MOST_CACHED_IN_TOKENS,
    TOKEN_SCALE,
    CachedEncoder,
    fit_token_view,
    fit_view,
    load_sentence_encoder,
)
from seedcorn.relevance.vector_cache import VectorCache

KINDS = ("other", "hour", "style")
KINDS_OF_WORDS = {"six": "hour", "noon": "hour", "dawn": "hour", "jazz": "style", "blues": "style", "folk": "style"}
MEANINGS = {"wake me at six": 0, "rouse me tomorrow": 0, "alarm please": 0, "play some jazz": 1, "put on a tune": 1}


class Meanings:
    """Knows what a text and a word mean, whatever they look like; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts) -> np.ndarray:
        self.asked += texts
        return np.eye(2, dtype=np.float32)[[MEANINGS.get(text, 0) for text in texts]]

    def encode_spans_of(self, texts, spans) -> list[np.ndarray]:
        self.asked += texts
        kinds = [
            [KINDS_OF_WORDS.get(text[start:end], "other") for start, end in of_text]
            for text, of_text in zip(texts, spans, strict=True)
        ]
        return [np.eye(3, dtype=np.float32)[[KINDS.index(kind) for kind in row]] for row in kinds]


def with_slot(text: str, value: str, intent: str, type_: str) -> Utterance:
    start = text.index(value)
    return Utterance(text=text, intent=intent, slots=(Slot(start, start + len(value), type_),))


ROWS_WITH_SLOTS = [
    with_slot("wake me at six", "six", "alarm", "time"),
    with_slot("alarm for noon please", "noon", "alarm", "time"),
    with_slot("play some jazz", "jazz", "music", "genre"),
    with_slot("put on the blues", "blues", "music", "genre"),
] * 3


@pytest.fixture
def encoder() -> CachedEncoder:
    return CachedEncoder("meanings", Meanings())


def test_a_text_is_encoded_once(encoder: CachedEncoder) -> None:
    texts = ["alarm please", "play some jazz", "alarm please"]
    first = encoder.encode(texts)
    np.testing.assert_array_equal(first, [[1, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(encoder.encode(texts[::-1]), first[::-1])
    assert sorted(encoder.encoder.asked) == ["alarm please", "play some jazz"]


def test_it_forgets_rather_than_grow_without_end(encoder: CachedEncoder) -> None:
    encoder.cached.update({str(n): np.zeros(2, np.float32) for n in range(MOST_CACHED)})
    np.testing.assert_array_equal(encoder.encode(["alarm please"]), [[1, 0]])
    assert list(encoder.cached) == ["alarm please"]


def test_the_model_answers_by_meaning_where_no_word_is_shared(encoder: CachedEncoder) -> None:
    rows = [Utterance(text="wake me at six", intent="alarm"), Utterance(text="play some jazz", intent="music")] * 2
    model = train_linear(rows, settings=LinearSettings(encoder=encoder))
    assert [p.intent for p in model.predict(["rouse me tomorrow", "put on a tune"])] == ["alarm", "music"]
    assert model.predict([]) == []


def test_a_saved_model_finds_its_encoder_by_name(
    encoder: CachedEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Utterance(text="wake me at six", intent="alarm"), Utterance(text="play some jazz", intent="music")]
    model = train_linear(rows, settings=LinearSettings(encoder=encoder))
    save_linear(model, tmp_path / "model.npz")
    asked: list[str] = []
    monkeypatch.setattr(linear_module, "load_sentence_encoder", lambda name: (asked.append(name), encoder)[1])
    texts = list(MEANINGS)
    assert load_linear(tmp_path / "model.npz").predict(texts) == model.predict(texts)
    assert asked == ["meanings"]


def test_another_process_loads_the_encoder_itself(encoder: CachedEncoder) -> None:
    assert encoder.__reduce__() == (load_sentence_encoder, ("meanings",))


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(DataError, match="no-such-encoder"):
        load_sentence_encoder(str(tmp_path / "no-such-encoder"))


def test_a_view_keeps_what_differs_most(encoder: CachedEncoder) -> None:
    view = fit_view(encoder, list(MEANINGS), n_directions=1)
    vectors = view.vectors(list(MEANINGS))
    assert vectors.shape == (5, 1)
    same = [a for (a, n) in zip(vectors[:, 0], MEANINGS.values(), strict=True) if n == 0]
    other = [a for (a, n) in zip(vectors[:, 0], MEANINGS.values(), strict=True) if n == 1]
    assert np.ptp(same) == pytest.approx(0.0)
    assert abs(same[0] - other[0]) == pytest.approx(2**0.5)
    assert vectors.mean() == pytest.approx(0.0, abs=1e-6)


def test_slots_are_found_by_meaning_where_the_word_was_never_seen(encoder: CachedEncoder) -> None:
    model = train_linear(ROWS_WITH_SLOTS, settings=LinearSettings(encoder=encoder))
    found = model.predict(["wake me with folk", "play at dawn"])
    assert [p.slots for p in found] == [(Slot(13, 17, "genre"),), (Slot(8, 12, "time"),)]


def test_a_saved_model_sees_tokens_as_before(
    encoder: CachedEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_module, "load_sentence_encoder", lambda name: encoder)
    texts = ["wake me at dawn", "play some folk", ""]
    one_intent = [u for u in ROWS_WITH_SLOTS if u.intent == "alarm"]  # whose model sees no sentences
    for number, rows in enumerate((ROWS_WITH_SLOTS, one_intent)):
        model = train_linear(rows, settings=LinearSettings(encoder=encoder))
        save_linear(model, tmp_path / f"{number}.npz")
        assert load_linear(tmp_path / f"{number}.npz").predict(texts) == model.predict(texts)


def test_a_student_sees_tokens_as_its_teacher_does(encoder: CachedEncoder) -> None:
    teacher = train_linear(ROWS_WITH_SLOTS, settings=LinearSettings(encoder=encoder))
    student = train_linear(ROWS_WITH_SLOTS[:6], settings=LinearSettings(encoder=encoder), teacher=teacher)
    assert teacher.crf.view is not None
    assert student.crf.view is teacher.crf.view


def test_tokens_are_encoded_once_and_forgotten_rather_than_grow_without_end(encoder: CachedEncoder) -> None:
    for _ in range(2):
        assert encoder.encode_tokens("play jazz!").tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]
    assert encoder.encoder.asked == ["play jazz!"]
    encoder.cached_in_tokens.update({str(n): np.zeros((1, 3)) for n in range(MOST_CACHED_IN_TOKENS)})
    encoder.encode_tokens("at dawn")
    assert list(encoder.cached_in_tokens) == ["at dawn"]


def test_a_token_view_has_the_same_spread_whatever_the_encoder(encoder: CachedEncoder) -> None:
    texts = [u.text for u in ROWS_WITH_SLOTS]
    view = fit_token_view(encoder, texts)
    vectors = np.concatenate([view.vectors(text) for text in texts])
    assert (vectors**2).sum(axis=1).mean() == pytest.approx(TOKEN_SCALE**2, rel=1e-4)
    assert vectors.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-5)
    alike = fit_token_view(encoder, ["so they are", "all alike"])
    assert not alike.vectors("all alike").any()


def test_what_is_on_disk_is_not_encoded_again(tmp_path: Path) -> None:
    caches = (VectorCache(tmp_path / "v.sqlite", "sentence", 2), VectorCache(tmp_path / "t.sqlite", "tokens", 3))
    first, second = (CachedEncoder("meanings", Meanings(), caches) for _ in range(2))
    texts = ["play jazz", "alarm please", ""]
    before = [first.encode(texts), *map(first.encode_tokens, texts)]
    after = [second.encode(texts), *map(second.encode_tokens, texts)]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    assert second.encoder.asked == []
    second.encode(["play some jazz"])
    assert second.encoder.asked == ["play some jazz"]


def test_many_texts_are_tagged_as_one_by_one(encoder: CachedEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    model = train_linear(ROWS_WITH_SLOTS, settings=LinearSettings(encoder=encoder))
    texts = [u.text for u in ROWS_WITH_SLOTS[:4]] + ["play at dawn"]
    together = model.crf.slots(texts)
    monkeypatch.setattr(crf_module, "_TEXTS_AT_ONCE", 2)
    assert model.crf.slots(texts) == together == [tags for text in texts for tags in model.crf.slots([text])]


def test_an_encoder_is_cached_in_the_folder_of_the_environment(
    encoder_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDCORN_CACHE", str(tmp_path))
    load_sentence_encoder.cache_clear()
    rows = load_sentence_encoder(str(encoder_checkpoint)).encode(["wake me up"])
    load_sentence_encoder.cache_clear()
    again = load_sentence_encoder(str(encoder_checkpoint))
    monkeypatch.setattr(type(again.encoder), "encode", lambda self, texts: [1 / 0 for _ in texts])
    np.testing.assert_array_equal(again.encode(["wake me up"]), rows)
    assert len(list((tmp_path / "vectors").iterdir())) == 1
    monkeypatch.setenv("SEEDCORN_CACHE", "")
    load_sentence_encoder.cache_clear()
    assert load_sentence_encoder(str(encoder_checkpoint)).caches is None
    load_sentence_encoder.cache_clear()
