"""The beam search against brute force over all alignments, and against itself: threads, mixtures, beams, times."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from seedcorn.errors import ConfigError, DataError
from seedcorn.lm.arpa import read_arpa
from seedcorn.lm.automaton import advance
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.beam import new_workspace
from seedcorn.speech.candidates import advance_mixture
from seedcorn.speech.decoding import Hypothesis, decode
from seedcorn.speech.fusion import WeightedModel, character_oov_logps, mixed_models, unigram_floor
from seedcorn.speech.lexicon import Lexicon, build_lexicon, symbol_lexicon
from seedcorn.speech.settings import DecoderSettings
from seedcorn.speech.tuning import tune_weights

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
    (tmp_path / "first.arpa").write_text(FIRST_ARPA, "utf-8")
    return read_arpa(tmp_path / "first.arpa")


@pytest.fixture
def second(tmp_path: Path) -> NgramModel:
    (tmp_path / "second.arpa").write_text(SECOND_ARPA, "utf-8")
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


@pytest.fixture
def lexicon() -> Lexicon:
    return build_lexicon(WORDS, alphabet=SPACED)


def test_threads_do_not_change_the_result(lexicon: Lexicon, first: NgramModel) -> None:
    posteriors = [random_posteriors(n, 4, random_seed=n) for n in range(1, 60)]
    settings = DecoderSettings(beam_size=5, n_best=3)
    models = [WeightedModel(model=first)]
    alone = decode(posteriors, lexicon=lexicon, models=models, settings=settings, n_threads=1)
    assert decode(posteriors, lexicon=lexicon, models=models, settings=settings, n_threads=4) == alone
    one_by_one = [decode([p], lexicon=lexicon, models=models, settings=settings)[0] for p in posteriors]
    assert one_by_one == alone


def test_two_halves_of_one_model_are_the_model(lexicon: Lexicon, first: NgramModel) -> None:
    posteriors = [random_posteriors(20, 4, random_seed=1)]
    settings = DecoderSettings(n_best=5)
    whole = decode(posteriors, lexicon=lexicon, models=[WeightedModel(model=first)], settings=settings)[0]
    halves = [WeightedModel(model=first, weight=0.5)] * 2
    mixed = decode(posteriors, lexicon=lexicon, models=halves, settings=settings)[0]
    assert [h.words for h in mixed] == [h.words for h in whole]
    assert [h.score for h in mixed] == pytest.approx([h.score for h in whole])


def peaked(path: str, alphabet: Alphabet) -> np.ndarray:
    """Return posteriors that say ``path``, one symbol a step; _ is the blank."""
    logps = np.full((len(path), len(alphabet)), np.log(0.01))
    for step, symbol in enumerate(path):
        logps[step, alphabet.index_of["" if symbol == "_" else symbol]] = np.log(0.97)
    return logps


def test_word_times_are_the_steps_of_first_and_last_symbols(lexicon: Lexicon, first: NgramModel) -> None:
    logps = peaked("__aa_bb_ _b__", SPACED)
    best = decode([logps], lexicon=lexicon, models=[WeightedModel(model=first)], settings=DecoderSettings())[0][0]
    assert best.words == ("ab", "b")
    assert best.first_steps == (2, 10)
    assert best.last_steps == (5, 10)
    assert best.complete


def test_word_times_without_boundaries(first: NgramModel) -> None:
    lexicon = build_lexicon(["ab", "b"], alphabet=UNSPACED)
    best = decode(
        [peaked("_a_b_b_", UNSPACED)],
        lexicon=lexicon,
        models=[WeightedModel(model=first)],
        settings=DecoderSettings(),
    )[0][0]
    assert best.words == ("ab", "b")
    assert best.first_steps == (1, 5)
    assert best.last_steps == (3, 5)


def test_free_spelling_says_what_is_heard(first: NgramModel) -> None:
    lexicon = symbol_lexicon(UNSPACED)
    best = decode(
        [peaked("a_ab_b", UNSPACED)],
        lexicon=lexicon,
        models=[WeightedModel(model=first)],
        settings=DecoderSettings(lm_weight=0.0),
    )[0][0]
    assert "".join(best.words) == "aabb"


def test_silence_and_no_steps_give_no_words(lexicon: Lexicon, first: NgramModel) -> None:
    models = [WeightedModel(model=first)]
    empty, silent = decode(
        [np.zeros((0, 4)), peaked("____", SPACED)], lexicon=lexicon, models=models, settings=DecoderSettings()
    )
    assert [h.words for h in empty] == [()]
    assert silent[0].words == ()


def test_unfinished_word_is_dropped_and_said_so(first: NgramModel) -> None:
    lexicon = build_lexicon(["ab"], alphabet=SPACED)
    settings = DecoderSettings(beam_width_logp=2.0)
    best = decode([peaked("a", SPACED)], lexicon=lexicon, models=[WeightedModel(model=first)], settings=settings)[0][0]
    assert best.words == ()
    assert not best.complete


def test_alternative_spellings_say_the_same_word(first: NgramModel) -> None:
    lexicon = build_lexicon(["ab"], alphabet=SPACED, spoken_as={"ab": ["ab", "ba"]})
    logps = peaked("ba ", SPACED)
    best = decode([logps], lexicon=lexicon, models=[WeightedModel(model=first)], settings=DecoderSettings())[0][0]
    assert best.words == ("ab",)


def test_unknown_words_share_the_unknown_words_probability(second: NgramModel) -> None:
    lexicon = build_lexicon(WORDS, alphabet=SPACED)  # "a" and "ab" are unknown to the second model
    floor = unigram_floor(lexicon, second)
    assert np.exp(floor[:2]).tolist() == pytest.approx([0.5, 0.5])
    models = [WeightedModel(model=second, oov_logps=floor)]
    found = by_words(decode([random_posteriors(4, 4, random_seed=0)], lexicon=lexicon, models=models, settings=WIDE)[0])
    known, unknown = found[("b",)], found[("a",)]
    assert known.lm_logp == pytest.approx(np.log(10) * (-0.3 - 0.5), abs=1e-6)
    assert unknown.lm_logp == pytest.approx(np.log(10) * (-1.0 - 0.5) + np.log(0.5), abs=1e-6)


def test_character_model_prefers_likely_spellings(second: NgramModel) -> None:
    lexicon = build_lexicon(["baa", "aaa"], alphabet=SPACED)
    baa, aaa = character_oov_logps(lexicon, second)[[1, 0]]
    assert aaa > -np.inf
    assert baa != aaa


@pytest.mark.parametrize("weights", [(), (0.5,), (1.5, -0.5)])
def test_mixture_weights_must_sum_to_one(lexicon: Lexicon, first: NgramModel, weights: tuple[float, ...]) -> None:
    models = [WeightedModel(model=first, weight=weight) for weight in weights]
    with pytest.raises(ConfigError, match="sum to 1"):
        decode([np.zeros((0, 4))], lexicon=lexicon, models=models, settings=DecoderSettings())


@pytest.mark.parametrize(
    ("logps", "found"),
    [
        (np.zeros((3, 5)), r"shape \(3, 5\)"),
        (np.zeros(4), r"shape \(4,\)"),
        (np.full((2, 4), 3.0), "3.000"),
        (np.full((2, 4), np.nan), "NaN"),
    ],
)
def test_arrays_that_are_no_posteriors_are_refused(
    lexicon: Lexicon, first: NgramModel, logps: np.ndarray, found: str
) -> None:
    with pytest.raises(DataError, match=found):
        decode([logps], lexicon=lexicon, models=[WeightedModel(model=first)], settings=DecoderSettings())


@pytest.mark.parametrize("setting", [{"beam_size": 0}, {"n_best": 0}, {"lm_weight": -1.0}, {"beam_width_logp": -1.0}])
def test_impossible_settings_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        DecoderSettings(**setting)  # type: ignore[arg-type]


def test_tuning_finds_a_weight_that_helps(lexicon: Lexicon, first: NgramModel) -> None:
    # Acoustics slightly prefer "a"; the model is sure that sentences start with "ab".
    logps = np.log(np.full((4, 4), 1e-3))
    logps[:, 0] = np.log([0.05, 0.55, 0.9, 0.9])
    logps[0, 2] = np.log(0.9)
    logps[1, 3] = np.log(0.44)
    start = DecoderSettings(lm_weight=0.0, word_bonus=0.0)
    models = [WeightedModel(model=first)]
    tuned = tune_weights([logps], ["ab"], lexicon=lexicon, models=models, settings=start)
    assert tuned.trials[0].word_error_rate == 1.0
    assert min(t.word_error_rate for t in tuned.trials) == 0.0
    assert tuned.settings.lm_weight > 0
    with pytest.raises(DataError, match="one reference an utterance"):
        tune_weights([logps], [], lexicon=lexicon, models=models, settings=start)


def test_what_the_models_said_lately_is_what_they_say(first: NgramModel) -> None:
    words = [f"a{'b' * i}" for i in range(40)]
    lexicon = build_lexicon([*WORDS, *words], alphabet=SPACED)
    mixed = mixed_models([WeightedModel(model=first)], lexicon)
    known = new_workspace(1, 1, 1, 1).looked_up
    few = known._replace(**{name: np.ascontiguousarray(array[:, :8]) for name, array in known._asdict().items()})
    states = np.arange(len(first.arrays.backoffs))[:, None]
    asked = np.random.default_rng(0).integers(0, [len(states), len(lexicon.words) + 1], (2_000, 2))
    after = np.zeros(1, dtype=np.int64)
    for row, word in asked:
        logp, state = advance(first.arrays, states[row, 0], mixed.word_ids[0, word])
        assert advance_mixture(mixed, states, row, word, after, few) == pytest.approx(logp)
        assert after.tolist() == [state]
