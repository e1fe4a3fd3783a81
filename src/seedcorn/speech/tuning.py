"""Decoder weights tuned on development speech, by word error rate, at the beam of the test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedcorn.errors import ConfigError, DataError
from seedcorn.evaluation.wer import word_errors
from seedcorn.progress import say
from seedcorn.speech.decoding import decode
from seedcorn.speech.fusion import WeightedModel
from seedcorn.speech.lexicon import Lexicon
from seedcorn.speech.posteriors import LogPosteriors
from seedcorn.speech.settings import DecoderSettings


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One setting of the weights and the word error rate it gave."""

    lm_weight: float
    word_bonus: float
    word_error_rate: float


@dataclass(frozen=True, kw_only=True)
class TunedWeights:
    """The settings with the lowest word error rate, and every trial in the order made."""

    settings: DecoderSettings
    trials: tuple[Trial, ...]


def tune_weights(
    posteriors: Sequence[LogPosteriors],
    references: Sequence[str],
    *,
    lexicon: Lexicon,
    models: Sequence[WeightedModel],
    settings: DecoderSettings,
    first_step: float = 0.4,
    last_step: float = 0.1,
    n_threads: int = 1,
) -> TunedWeights:
    """Return the language-model weight and word bonus with the fewest word errors on development speech.

    Pattern search from ``settings``: try one step up and down in each weight, move to the best, halve the step when
    none is better, until the step is below ``last_step``. Ties keep the earlier trial. Everything else of ``settings``
    (the beam) is kept, so that the weights fit the test. Cost: some 12-20 decodings.
    Raises DataError when references and posteriors differ in number, ConfigError for steps that are not positive.
    """
    if len(posteriors) != len(references):
        raise DataError(wanted="one reference an utterance", found=f"{len(references)} for {len(posteriors)}")
    if not 0 < last_step <= first_step:
        raise ConfigError(wanted="0 < last_step <= first_step", found=f"{last_step} and {first_step}")
    rates: dict[tuple[float, float], float] = {}

    def rate(lm_weight: float, word_bonus: float) -> float:
        point = (round(lm_weight, 6), round(word_bonus, 6))
        if point not in rates:
            tried = settings.model_copy(update={"lm_weight": point[0], "word_bonus": point[1], "n_best": 1})
            best = decode(posteriors, lexicon=lexicon, models=models, settings=tried, n_threads=n_threads)
            rates[point] = word_errors(references, [" ".join(h[0].words) for h in best]).total().rate
            say(f"lm_weight {point[0]:.2f} word_bonus {point[1]:.2f}: word error rate {rates[point]:.4f}")
        return rates[point]

    here, step = (settings.lm_weight, settings.word_bonus), first_step
    while step >= last_step * (1 - 1e-9):
        around = [here, *((max(here[0] + a * step, 0.0), here[1] + b * 2 * step) for a, b in _DIRECTIONS)]
        best = around[int(np.argmin([rate(*point) for point in around]))]
        step = step if best != here else step / 2
        here = best
    chosen = min(rates, key=lambda point: rates[point])
    return TunedWeights(
        settings=settings.model_copy(update={"lm_weight": chosen[0], "word_bonus": chosen[1]}),
        trials=tuple(Trial(lm_weight=a, word_bonus=b, word_error_rate=r) for (a, b), r in rates.items()),
    )


_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))
