"""Rescoring the n-best lists of any recogniser with language models of the domain.

score = sum over the recogniser's own features f of weight_f f + sum over models m of weight_m log p_m(words)
        + word_bonus * words
a log-linear combination (Och and Ney 2002), tuned on dev by word errors. What the lists do not hold is not found: the
oracle rate says how far rescoring can get.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from seedcorn.corpus.normalising import normalise_all
from seedcorn.errors import ConfigError, DataError
from seedcorn.evaluation.wer import word_errors
from seedcorn.progress import say
from seedcorn.selection import FloatArray
from seedcorn.speech.nbest_files import RECOGNISER, RecognisedText, texts_of

STEPS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
BONUSES = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
_N_SWEEPS = 3


class SentenceLm(Protocol):
    """Anything that gives sentences their log-probability: an n-gram model, a mixture, a neural one."""

    def sentence_logps(self, texts: Sequence[str]) -> FloatArray:
        """Return natural log p of each text (normalised words between spaces), its end included, shape (n,)."""


@dataclass(frozen=True, kw_only=True)
class SpeechWeights:
    """What each feature of a hypothesis counts, by name (1 for the recogniser's, 0 for others), and each word."""

    of: Mapping[str, float] = field(default_factory=dict)
    word_bonus: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TunedSpeechWeights:
    """The weights with the fewest word errors on dev, and the rates before, after, and of the best hypotheses."""

    weights: SpeechWeights
    before: float
    after: float
    oracle: float


def with_models(
    lists: Sequence[Sequence[RecognisedText]], models: Mapping[str, SentenceLm]
) -> list[list[RecognisedText]]:
    """Return ``lists`` with the log-probability under each of ``models`` as the feature of that name."""
    texts = normalise_all(texts_of(lists))
    logps = {name: iter(model.sentence_logps(texts).tolist() if texts else ()) for name, model in models.items()}
    return [
        [
            RecognisedText(text=h.text, features={**h.features, **{name: next(of) for name, of in logps.items()}})
            for h in hypotheses
        ]
        for hypotheses in lists
    ]


def rescore(lists: Sequence[Sequence[RecognisedText]], weights: SpeechWeights) -> list[RecognisedText]:
    """Return the best hypothesis of each list; ties keep the recogniser's order.

    Raises DataError when a hypothesis lacks a feature that weighs something.
    """
    return [hypotheses[int(np.argmax(_values(hypotheses, weights)))] for hypotheses in lists]


def tune_speech_weights(
    lists: Sequence[Sequence[RecognisedText]], references: Sequence[str], *, models: Sequence[str]
) -> TunedSpeechWeights:
    """Return the weights of ``models`` and of words with the fewest word errors against ``references``.

    Coordinate search over a grid, from no rescoring up, so that rescoring has to be beaten: a weight moves only for
    fewer errors, ties keep the smaller one. Raises DataError when lists and references differ in number.
    """
    if len(lists) != len(references) or not lists:
        raise DataError(wanted="one reference a list, at least one", found=f"{len(references)} for {len(lists)}")
    errors = _errors(lists, references)
    n_words = max(float(sum(n for _, n in errors)), 1.0)

    def rate(weights: SpeechWeights) -> float:
        picked = (of[int(np.argmax(_values(some, weights)))] for some, (of, _) in zip(lists, errors, strict=True))
        return sum(picked) / n_words

    best = SpeechWeights(of={RECOGNISER: 1.0, **dict.fromkeys(models, 0.0)})
    before = lowest = rate(best)
    for _ in range(_N_SWEEPS):
        start = best
        for trial in (t for name in (*models, "") for t in _trials(start, name)):
            found = rate(trial)
            if found < lowest - 1e-12:
                best, lowest = trial, found
        if best == start:
            break
    oracle = sum(float(of.min()) for of, _ in errors) / n_words
    say(f"rescoring on dev: word error rate {before:.4f} -> {lowest:.4f}, best hypotheses {oracle:.4f}")
    return TunedSpeechWeights(weights=best, before=before, after=lowest, oracle=oracle)


def _trials(here: SpeechWeights, name: str) -> list[SpeechWeights]:
    """Return ``here`` with other weights of the model ``name`` (all word bonuses with each), or other bonuses."""
    if not name:
        return [SpeechWeights(of=here.of, word_bonus=bonus) for bonus in BONUSES]
    return [SpeechWeights(of={**here.of, name: step}, word_bonus=bonus) for step in STEPS for bonus in BONUSES]


def _errors(lists: Sequence[Sequence[RecognisedText]], references: Sequence[str]) -> list[tuple[FloatArray, int]]:
    """Return for each list the word errors of its hypotheses and the words of its reference."""
    repeated = [text for text, hypotheses in zip(references, lists, strict=True) for _ in hypotheses]
    counted = word_errors(repeated, texts_of(lists)).statistics()
    ends = np.cumsum([len(hypotheses) for hypotheses in lists])
    return [(part[:, 0], int(part[0, 1])) for part in np.split(counted, ends[:-1])]


def _values(hypotheses: Sequence[RecognisedText], weights: SpeechWeights) -> FloatArray:
    if not hypotheses:
        raise DataError(wanted="at least one hypothesis", found="an empty list")
    values = np.array([weights.word_bonus * len(h.text.split()) for h in hypotheses], dtype=np.float64)
    for name, weight in weights.of.items():
        if weight:
            values += weight * _feature(hypotheses, name)
    return values


def _feature(hypotheses: Sequence[RecognisedText], name: str) -> FloatArray:
    try:
        return np.array([hypothesis.features[name] for hypothesis in hypotheses], dtype=np.float64)
    except KeyError as error:
        known = ", ".join(hypotheses[0].features) or "none"
        raise DataError(
            wanted=f"the feature '{name}' in every hypothesis",
            found=f"features {known}",
            fix="Scores are called 'score' in JSON lines; Kaldi text needs a file of scores.",
        ) from error


def check_model_names(names: Sequence[str]) -> None:
    """Raise ConfigError when two models would share a feature, or one that of the recogniser."""
    if len({*names, RECOGNISER}) != len(names) + 1:
        raise ConfigError(wanted=f"distinct model names, none of them '{RECOGNISER}'", found=", ".join(names))
