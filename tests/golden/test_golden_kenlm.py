"""Parity with KenLM: models and scores made by its ``lmplz`` and ``query``, recorded beside the real data.

Made from the ``utt`` of the train partitions of MASSIVE: lmplz -o 4 (en-US), -o 3 (hi-IN), -o 3 --prune 0 0 1 (en-US);
the scores are those of the test partitions.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from language_models import SENTENCES, ngrams_of, small_model
from seedcorn.lm.arpa import read_arpa
from seedcorn.lm.arpa_writing import LOG10_E, write_arpa
from seedcorn.lm.interpolation import fit_mixture, share_vocabulary, static_model
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import measure_perplexity

SETTINGS = {
    "en-US.4": ("en-US", 4, (0,)),
    "hi-IN.3": ("hi-IN", 3, (0,)),
    "en-US.3.prune-0-0-1": ("en-US", 3, (0, 0, 1)),
}


@pytest.fixture(scope="module")
def golden(real_data: Path) -> Path:
    folder = real_data.parent / "golden" / "lm"
    if not folder.is_dir():
        pytest.skip(f"no golden language models at {folder}")
    return folder


def utterances(data: Path, lang: str, partition: str) -> list[str]:
    with gzip.open(data / "massive" / f"{lang}.jsonl.gz", "rt", encoding="utf-8") as stream:
        return [row["utt"] for row in map(json.loads, stream) if row["partition"] == partition]


def estimated(data: Path, name: str) -> NgramModel:
    lang, order, prune = SETTINGS[name]
    return estimate([utterances(data, lang, "train")], order=order, prune=prune)


@pytest.mark.needs_data
@pytest.mark.parametrize("name", SETTINGS)
def test_every_probability_and_weight(name: str, golden: Path, real_data: Path) -> None:
    ours, theirs = ngrams_of(estimated(real_data, name)), ngrams_of(read_arpa(golden / f"{name}.arpa.gz"))
    assert ours.keys() == theirs.keys()
    difference = np.array([ours[ngram] for ngram in theirs]) - np.array(list(theirs.values()))
    assert np.abs(difference).max() * LOG10_E < 1e-5


@pytest.mark.needs_data
@pytest.mark.parametrize("name", SETTINGS)
def test_every_sentence_score_and_perplexity(name: str, golden: Path, real_data: Path) -> None:
    with gzip.open(golden / f"{name}.test-scores.tsv.gz", "rt", encoding="utf-8", newline="\n") as stream:
        rows = [line.rstrip("\n").split("\t") for line in stream]
    model, texts = estimated(real_data, name), [text for _, text in rows]
    log10s = model.score(texts).logps * LOG10_E
    np.testing.assert_allclose(log10s, [float(log10) for log10, _ in rows], atol=1e-4)
    expected = json.loads((golden / "expected.json").read_text("utf-8"))[name]
    counts = measure_perplexity(model, [texts])
    assert counts.n_words + counts.n_sentences == expected["n_words_with_eos"]
    assert counts.n_oov == expected["n_oov"]
    assert counts.perplexity == pytest.approx(expected["perplexity_including_oov"], rel=1e-5)


@pytest.fixture(scope="module")
def halves(golden: Path, real_data: Path) -> list[NgramModel]:
    train = utterances(real_data, "hi-IN", "train")
    return [estimate([part], order=3, fallback_discounts=FALLBACK_DISCOUNTS) for part in (train[:1000], train[1000:])]


@pytest.mark.needs_data
def test_mixture_weight_and_perplexity(halves: list[NgramModel], golden: Path, real_data: Path) -> None:
    expected = json.loads((golden / "expected.json").read_text("utf-8"))
    expected = expected["linear-mixture hi-IN: A=train[:1000], B=train[1000:], order 3"]
    mixture = fit_mixture(halves, [utterances(real_data, "hi-IN", "dev")])
    assert mixture.weights[0] == pytest.approx(expected["lambda_A_by_EM_on_dev"], abs=1e-3)
    perplexity = measure_perplexity(mixture, [utterances(real_data, "hi-IN", "test")]).perplexity
    assert perplexity == pytest.approx(expected["test_perplexity_dynamic_mixture_incl_oov"], rel=1e-4)


@pytest.mark.needs_data
def test_static_model_is_as_good_as_the_mixture(halves: list[NgramModel], real_data: Path) -> None:
    mixture = fit_mixture(share_vocabulary(halves), [utterances(real_data, "hi-IN", "dev")])
    test = utterances(real_data, "hi-IN", "test")
    dynamic, static = (measure_perplexity(m, [test]).perplexity for m in (mixture, static_model(mixture)))
    assert static == pytest.approx(dynamic, rel=0.005)


def test_our_files_load_in_kenlm(tmp_path: Path) -> None:
    kenlm = pytest.importorskip("kenlm", reason="KenLM is not installed")
    model = small_model(order=4)
    write_arpa(model, tmp_path / "model.arpa")
    theirs = kenlm.Model(str(tmp_path / "model.arpa"))
    sentences = [*SENTENCES, "zebra play the zebra"]
    scores = [theirs.score(sentence) for sentence in sentences]
    np.testing.assert_allclose(model.score(sentences).logps * LOG10_E, scores, atol=1e-4)
