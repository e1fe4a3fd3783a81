"""The beam search against brute force over all alignments, and against itself: threads, mixtures, beams, times."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from seedcorn.lm.arpa import read_arpa
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.decoding import (
    DecoderSettings,
    Hypothesis,
    decode,
)
from seedcorn.speech.fusion import WeightedModel
from seedcorn.speech.lexicon import Lexicon, build_lexicon

SPACED = Alphabet(("", " ", "a", "b"))
UNSPACED = Alphabet(("a", "", "b"))
WORDS = ("a", "ab", "aa", "b")
FIRST_ARPA = """\\data\\
ngram 1=7
ngram 2=4

\\1-grams:
-1.2\t<unk>
-99\t<s>\t-0.3
-0.9\t</s>
-0.7\ta\t-0.2
-0.8\tab\t-0.4
-1.1\taa\t-0.1
-0.9\tb\t-0.25

\\2-grams:
-0.2\t<s> ab
-0.3\tab b
-0.5\tb </s>
-0.4\ta a

\\end\\
"""
SECOND_ARPA = """\\data\\
ngram 1=5

\\1-grams:
-1.0\t<unk>
-99\t<s>
-0.5\t</s>
-0.3\tb
-0.6\taa

\\end\\
"""
WIDE = DecoderSettings(
    lm_weight=0.7,
    word_bonus=0.4,
    beam_size=5_000,
    beam_width_logp=np.inf,
    min_symbol_logp=-np.inf,
    n_best=1_000,
)


@pytest.fixture
def first(tmp_path: Path) -> NgramModel:
    (tmp_path / "first.arpa").write_text(FIRST_ARPA)
    return read_arpa(tmp_path / "first.arpa")


@pytest.fixture
def second(tmp_path: Path) -> NgramModel:
    (tmp_path / "second.arpa").write_text(SECOND_ARPA)
    return read_arpa(tmp_path / "second.arpa")


def random_posteriors(n_steps: int, n_symbols: int, *, random_seed: int) -> np.ndarray:
    logits = np.random.default_rng(random_seed).normal(scale=2.0, size=(n_steps, n_symbols))
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def collapsed(path: Sequence[int], alphabet: Alphabet) -> str:
    return "".join(alphabet.symbols[c] for c, _ in itertools.groupby(path))


def segmentations(text: str, words: Sequence[str]) -> list[tuple[str, ...]]:
    if not text:
        return [()]
    return [(w, *rest) for w in words if text.startswith(w) for rest in segmentations(text[len(w) :], words)]


def brute_force(logps: np.ndarray, lexicon: Lexicon) -> dict[tuple[str, ...], float]:
    """Return log p_CTC of every word sequence, by summing over all alignments."""
    alphabet = lexicon.alphabet
    totals: dict[tuple[str, ...], float] = defaultdict(lambda: -np.inf)
    for path in itertools.product(range(len(alphabet)), repeat=len(logps)):
        text = collapsed(path, alphabet)
        if alphabet.boundary >= 0:
            readings = [tuple(text.split())] if set(text.split()) <= set(lexicon.words) else []
        else:
            readings = segmentations(text, lexicon.words)
        for words in readings:
            totals[words] = np.logaddexp(totals[words], sum(logps[t, c] for t, c in enumerate(path)))
    return totals


def mixture_logp(models: Sequence[WeightedModel], words: Sequence[str]) -> float:
    """Return the log probability of a sentence by adding the models' word probabilities."""
    text = " ".join(words)
    columns = [np.log(m.weight) + m.model.word_scores([text]).logps for m in models]
    return float(np.logaddexp.reduce(columns, axis=0).sum())


def by_words(hypotheses: Sequence[Hypothesis]) -> dict[tuple[str, ...], Hypothesis]:
    found = {h.words: h for h in hypotheses}
    assert len(found) == len(hypotheses), "a word sequence is there twice"
    return found


@pytest.mark.parametrize("alphabet", [SPACED, UNSPACED], ids=["spaced", "unspaced"])
@pytest.mark.parametrize("random_seed", range(4))
def test_wide_beam_equals_brute_force(
    alphabet: Alphabet, random_seed: int, first: NgramModel, second: NgramModel
) -> None:
    lexicon = build_lexicon(WORDS, alphabet=alphabet)
    logps = random_posteriors(5, len(alphabet), random_seed=random_seed)
    models = [WeightedModel(model=first, weight=0.6), WeightedModel(model=second, weight=0.4)]
    [hypotheses] = decode([logps], lexicon=lexicon, models=models, settings=WIDE)
    found, expected = by_words(hypotheses), brute_force(logps, lexicon)
    assert found.keys() == expected.keys()
    for words, acoustic_logp in expected.items():
        lm_logp = mixture_logp(models, words)
        assert found[words].acoustic_logp == pytest.approx(acoustic_logp, abs=1e-9)
        assert found[words].lm_logp == pytest.approx(lm_logp, abs=1e-9)
        assert found[words].score == pytest.approx(acoustic_logp + 0.7 * lm_logp + 0.4 * len(words), abs=1e-9)
    assert [h.score for h in hypotheses] == sorted((h.score for h in hypotheses), reverse=True)
