"""The built-in sentence encoder and centroid distances."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from seedcorn.corpus.builtin import builtin_general, builtin_requests
from seedcorn.errors import ConfigError, DataError
from seedcorn.relevance.centroid import centroid, centroid_scores
from seedcorn.relevance.embedding import HashedEncoder, fit_encoder, named_encoder
from seedcorn.selection import Direction


def texts_of(make, n_rows: int, lang: str = "hi") -> list[str]:
    return [u.text for u in make(n_rows, lang=lang, random_seed=3).utterances()]


@pytest.fixture(scope="module")
def requests() -> list[str]:
    return texts_of(builtin_requests, 300)


@pytest.fixture(scope="module")
def general() -> list[str]:
    return texts_of(builtin_general, 300)


@pytest.fixture(scope="module")
def encoder(requests: list[str], general: list[str]) -> HashedEncoder:
    return fit_encoder(requests[:150] + general, n_dimensions=32, random_seed=1, n_buckets=1 << 14)


def test_rows_have_length_one_and_texts_without_words_are_zero(encoder: HashedEncoder) -> None:
    rows = encoder.encode(["मुझे जगा दो", "", "?!"])
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 0, 0], abs=1e-5)


def test_case_punctuation_and_composition_do_not_matter(encoder: HashedEncoder) -> None:
    rows = encoder.encode(["Wake me up, Café!", "wake me up cafe\u0301"])
    assert rows[0] == pytest.approx(rows[1], abs=1e-6)


def test_word_order_matters(encoder: HashedEncoder) -> None:
    rows = encoder.encode(["मुझे कल सुबह जगा दो", "दो जगा सुबह कल मुझे"])
    assert rows[0] @ rows[1] < 0.999


def test_held_out_requests_are_nearer_than_general_sentences(
    encoder: HashedEncoder, requests: list[str], general: list[str]
) -> None:
    inside, outside = centroid([requests[:150]], encoder), centroid([general], encoder)
    for reference in (None, outside):
        scores = centroid_scores([requests[150:], general[:150]], encoder, in_domain=inside, general=reference)
        assert scores.direction is Direction.LOWER_IS_BETTER
        nearest = scores.best_first()[:150]
        assert (nearest < 150).mean() > 0.65  # chance is a half


def test_batches_and_slices_do_not_change_scores(encoder: HashedEncoder, requests: list[str]) -> None:
    inside = centroid([requests], encoder)
    whole = centroid_scores([requests], encoder, in_domain=inside).values
    array = pa.array(["unused", *requests])[1:]
    parts = centroid_scores([array[:7], array[7:]], encoder, in_domain=inside).values
    np.testing.assert_array_equal(whole, parts)


def test_texts_without_words_have_no_score(encoder: HashedEncoder, requests: list[str]) -> None:
    scores = centroid_scores([["...", requests[0]]], encoder, in_domain=centroid([requests], encoder))
    assert scores.best_first().tolist() == [1]


def test_the_same_random_seed_gives_the_same_encoder(requests: list[str]) -> None:
    first, again = (fit_encoder(requests, n_dimensions=8, random_seed=5, n_buckets=1 << 12) for _ in range(2))
    other = fit_encoder(requests, n_dimensions=8, random_seed=6, n_buckets=1 << 12, n_fitted_texts=200)
    np.testing.assert_array_equal(first.bucket_vectors, again.bucket_vectors)
    assert not np.array_equal(first.bucket_vectors, other.bucket_vectors)


def test_fewer_texts_than_dimensions_give_fewer_dimensions() -> None:
    assert fit_encoder(["one", "two words"], n_dimensions=64).encode(["one"]).shape[1] <= 2


def test_no_words_to_fit_on_and_no_centroid_are_refused(encoder: HashedEncoder) -> None:
    with pytest.raises(DataError, match="no word in it"):
        fit_encoder(["!", ""])
    with pytest.raises(DataError, match="in-domain text"):
        centroid([["?"], []], encoder)


def test_a_centroid_of_another_encoder_is_refused(encoder: HashedEncoder) -> None:
    with pytest.raises(DataError, match="a centroid of"):
        centroid_scores([["one"]], encoder, in_domain=np.zeros(3, np.float32))


def test_a_named_encoder_needs_a_checkpoint(tmp_path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(DataError, match="a sentence encoder"):
        named_encoder(str(tmp_path / "nothing"))


TEXTS = ["wake me up", "play", "play some music", "up", "some music up", "", "me me me", "play play play"] * 3
TEXTS_WITH_SPANS = [(text, [(0, 4), (5, 9)]) for text in TEXTS]


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_row_is_the_same_bytes_whatever_it_is_encoded_with(encoder_checkpoint: Path, precision: str) -> None:
    one, many = (named_encoder(str(encoder_checkpoint), batch_size=n, precision=precision) for n in (1, 7))
    rows = many.encode(TEXTS)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert one.encode(TEXTS).tobytes() == rows.tobytes()
    np.testing.assert_array_equal(many.encode(TEXTS[::-1])[::-1], rows)
    spans = many.encode_spans_of(*zip(*TEXTS_WITH_SPANS, strict=True))
    for (text, its_spans), its_rows in zip(TEXTS_WITH_SPANS, spans, strict=True):
        np.testing.assert_array_equal(one.encode_spans(text, its_spans), its_rows)
    assert many.encode([]).shape == (0, 16)


def test_eight_bits_come_near_to_all(encoder_checkpoint: Path) -> None:
    exact, rough = (named_encoder(str(encoder_checkpoint), precision=p) for p in ("float32", "int8"))
    assert (exact.encode(TEXTS) * rough.encode(TEXTS)).sum(axis=1).min() > 0.99
    assert exact.digest != rough.digest == named_encoder(str(encoder_checkpoint)).digest


def test_eight_bits_are_for_architectures_that_are_known(encoder_checkpoint: Path, monkeypatch) -> None:
    monkeypatch.setattr("seedcorn.relevance.hidden_states._KNOWN_TO_CTRANSLATE2", set())
    with pytest.raises(ConfigError, match="BertConfig.*float32"):
        named_encoder(str(encoder_checkpoint), precision="int8")
    assert named_encoder(str(encoder_checkpoint)).precision == "float32"


def test_spans_are_the_means_of_their_subwords_in_the_middle_of_the_network(encoder_checkpoint: Path) -> None:
    encoder = named_encoder(str(encoder_checkpoint), precision="float32")
    text = "play some music"
    whole, first, rest, nothing = encoder.encode_spans(text, [(0, 15), (0, 4), (5, 15), (15, 15)])
    inputs = encoder.tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
    offsets = inputs.pop("offset_mapping")[0]
    states = encoder.model(**inputs, output_hidden_states=True).hidden_states
    real = [i for i, (start, end) in enumerate(offsets.tolist()) if start < end]
    middle = states[2][0].detach().numpy()  # of three layers
    assert whole == pytest.approx(middle[real].mean(axis=0), abs=1e-5)
    assert first == pytest.approx(middle[[i for i in real if offsets[i][0] < 4]].mean(axis=0), abs=1e-5)
    assert rest == pytest.approx(middle[[i for i in real if offsets[i][1] > 5]].mean(axis=0), abs=1e-5)
    assert not nothing.any()
    assert encoder.encode_spans("", []).shape == (0, 16)
