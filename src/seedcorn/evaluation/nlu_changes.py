"""Two NLU models compared: rates, what a bootstrap resamples, reductions, and every utterance that one gets wrong."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.evaluation.bootstrap import one_minus_f1, paired_bootstrap, sum_rate
from seedcorn.evaluation.nlu import FunctionalityOutcomes, outcomes
from seedcorn.files import Json
from seedcorn.selection import FloatArray

ERROR_SCHEMA = pa.schema([(name, pa.string()) for name in ("change", "text", "wanted", "before", "after")])
MENDED, BROKEN, STILL_WRONG = CHANGES = ("mended", "broken", "still wrong")


def rates(measured: FunctionalityOutcomes) -> dict[str, Json]:
    """Return the reported rates of one model, all fractions."""
    return {
        "semantic_error": measured.semantic_error_rate,
        "intent_error": measured.intent_error,
        "slot_f1": measured.slot_f1,
        "false_alarm_rate": measured.false_alarm_rate,
    }


def bootstrap_statistics(measured: FunctionalityOutcomes) -> dict[str, FloatArray]:
    """Return what the paired bootstrap resamples, one row an utterance: own utterances first, then all others.

    ``semantic_error`` (n_own, 1) are errors; ``intent_error`` (n, 3) true positives, false positives, false negatives.
    """
    right = measured.own.intent_correct.astype(np.float64)
    own_found = np.isin(measured.own.found_intents, sorted(measured.intents)).astype(np.float64)
    others = np.zeros((len(measured.others), 3))
    others[:, 1] = measured.false_alarms
    return {
        "semantic_error": measured.own.semantic_errors.astype(np.float64)[:, np.newaxis],
        "intent_error": np.vstack([np.stack([right, own_found - right, 1 - right], axis=1), others]),
    }


def reductions(
    before: FunctionalityOutcomes, after: FunctionalityOutcomes, *, rng: np.random.Generator
) -> list[dict[str, Json]]:
    """Return by which fraction each error shrinks from ``before`` to ``after``, with interval and p-value."""
    statistics = (bootstrap_statistics(before), bootstrap_statistics(after))
    rows: list[dict[str, Json]] = []
    for measure, rate in (("semantic_error", sum_rate), ("intent_error", one_minus_f1)):
        if not len(statistics[0][measure]):
            continue
        found = paired_bootstrap(statistics[0][measure], statistics[1][measure], rng=rng, rate=rate)
        rows.append(
            {
                "measure": measure,
                "reduction": found.relative,
                "low": found.low,
                "high": found.high,
                "p_value": found.p_value,
            }
        )
    return rows


def errors_before_and_after(
    test: Sequence[Utterance], before: Sequence[Prediction], after: Sequence[Prediction], intents: Collection[str]
) -> list[dict[str, str]]:
    """Return the utterances that one of two models or both get wrong: own ones by meaning, others by false alarm."""
    rows = []
    for utterance, first, second in zip(test, before, after, strict=True):
        was, now = (_is_right(utterance, found, intents) for found in (first, second))
        if not (was and now):
            rows.append(
                {
                    "change": MENDED if now else BROKEN if was else STILL_WRONG,
                    "text": utterance.text,
                    "wanted": meaning_in_words(utterance.text, utterance.intent, utterance.slots),
                    "before": meaning_in_words(utterance.text, first.intent, first.slots),
                    "after": meaning_in_words(utterance.text, second.intent, second.slots),
                }
            )
    return rows


def _is_right(utterance: Utterance, found: Prediction, intents: Collection[str]) -> bool:
    if utterance.intent not in intents:
        return found.intent not in intents
    return not bool(outcomes([utterance], [found]).semantic_errors[0])


def meaning_in_words(text: str, intent: str, slots: Sequence[Slot]) -> str:
    """Return intent and slots as a reader sees them: ``alarm_set (time: five am)``."""
    return f"{intent} ({slots_in_words(text, slots)})" if slots else intent


def slots_in_words(text: str, slots: Sequence[Slot]) -> str:
    """Return the slots as ``type: value`` separated by semicolons."""
    return "; ".join(f"{slot.type}: {text[slot.start : slot.end]}" for slot in slots)
