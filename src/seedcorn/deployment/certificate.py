"""The certificate of a round: what got better, what must not have got worse, what new intents take from old ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import JsonValue

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.nearest import nearest
from seedcorn.evaluation.certificate import Comparison, Kind, Verdict, compare_models
from seedcorn.evaluation.nlu import outcomes
from seedcorn.evaluation.reliability import expected_calibration_error
from seedcorn.files import Json, read_json, write_json
from seedcorn.nlu.label_noise import in_words
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE

OTHERS = "all other intents"
_N_EXAMPLES, _N_PAIRS = 5, 20
_CERTIFICATE = "certificate.json"


@dataclass(frozen=True, kw_only=True)
class _Saved:
    passed: bool
    margin: float
    reasons: list[str]
    content: dict[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Whether a round may be deployed, and everything that this rests on; all rates are fractions.

    ``passed`` means that every intent of before, and the rest of what users say, is shown not to be worse by more than
    ``margin``; ``reasons`` name what is not. ``content`` has rows of comparisons, regressions, conflicts, false alarms,
    calibration and the origins of the training set.
    """

    passed: bool
    margin: float
    reasons: Sequence[str]
    content: Mapping[str, Json]

    @property
    def counts(self) -> Mapping[str, int]:
        """Whether it passed, and how many reasons stand against it."""
        return {"n_passed": int(self.passed), "n_reasons_against": len(self.reasons)}

    def rows(self, name: str) -> list[dict[str, Json]]:
        """Return the rows of one part of the content."""
        part = self.content.get(name)
        return [dict(row) for row in part if isinstance(row, Mapping)] if isinstance(part, Sequence) else []

    def save(self, folder: Path) -> None:
        """Write certificate.json."""
        write_json(
            {"passed": self.passed, "margin": self.margin, "reasons": list(self.reasons), "content": self.content},
            folder / _CERTIFICATE,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(**asdict(read_json(folder / _CERTIFICATE, _Saved)))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a certificate judges: annotated utterances, and what the models of before and after make of them."""

    test: Sequence[Utterance]
    before: Sequence[Prediction]
    after: Sequence[Prediction]


def certify(
    judged: Judged,
    *,
    old_intents: Sequence[str],
    new_intents: Sequence[str],
    margin: float,
    trained_before: Sequence[Utterance],
    trained_after: Sequence[Utterance],
) -> Certificate:
    """Return the certificate of the model of after, trained on ``trained_after``, against that of before.

    Intents outside old and new ones are one group: none of the agent's intents may take more of it. Without new intents
    the old ones are looked at for what they take from the group.
    """
    scoped = _scoped(judged, (*old_intents, *new_intents))
    rows = _compared(scoped, old_intents, new_intents, margin)
    reasons = _reasons(rows, (*old_intents, OTHERS), margin)
    return Certificate(
        passed=not reasons,
        margin=margin,
        reasons=reasons,
        content={
            "comparisons": [_as_row(row, is_new=row.name in new_intents) for row in rows],
            "overall": _overall(judged, old_intents),
            "regressions": _regressions(scoped),
            "taken": _taken(scoped, old_intents, new_intents or old_intents),
            "nearest_pairs": nearest_pairs(trained_after, (*old_intents, *new_intents)),
            "false_alarms": _false_alarms(judged, (*old_intents, *new_intents)),
            "training_set": _origins(trained_before, trained_after),
        },
    )


def reasons_against(
    judged: Judged, *, old_intents: Sequence[str], new_intents: Sequence[str], margin: float
) -> list[str]:
    """Return what stands against deploying the model of after, nothing where its certificate is passed."""
    rows = _compared(_scoped(judged, (*old_intents, *new_intents)), old_intents, new_intents, margin)
    return _reasons(rows, (*old_intents, OTHERS), margin)


def _compared(
    scoped: Judged, old_intents: Sequence[str], new_intents: Sequence[str], margin: float
) -> list[Comparison]:
    others = (OTHERS,) if any(u.intent == OTHERS for u in scoped.test) else ()
    names = [*old_intents, *others, *new_intents]
    return compare_models(scoped.test, scoped.before, scoped.after, intents=names, margin=margin)


def _reasons(rows: Sequence[Comparison], binding: Sequence[str], margin: float) -> list[str]:
    against = (Verdict.WORSE, Verdict.UNDECIDED)
    wrong = [row for row in rows if row.kind is Kind.INTENT and row.name in binding and row.verdict in against]
    return [_against(row, margin) for row in wrong]


def _scoped(judged: Judged, own: Sequence[str]) -> Judged:
    """Return all intents outside ``own`` as one, without slots: which of them it is is not this agent's matter."""
    return Judged(
        test=[u if u.intent in own else replace(u, intent=OTHERS, slots=()) for u in judged.test],
        before=[p if p.intent in own else replace(p, intent=OTHERS, slots=()) for p in judged.before],
        after=[p if p.intent in own else replace(p, intent=OTHERS, slots=()) for p in judged.after],
    )


def _against(row: Comparison, margin: float) -> str:
    n = f"{row.n_mended} mended and {row.n_broken} broken of {row.n_utterances} utterances"
    if row.verdict is Verdict.WORSE:
        return f"{row.name} is worse: {n}"
    return f"{row.name} is not shown to be within {margin:.0%}: {n}; it may be {max(-row.low, 0):.1%} worse"


def _as_row(row: Comparison, *, is_new: bool) -> dict[str, Json]:
    return {**asdict(row), "kind": row.kind.value, "verdict": row.verdict.value, "is_new": is_new}


def _overall(judged: Judged, old_intents: Sequence[str]) -> dict[str, Json]:
    """Return semantic error and calibration of both models on the utterances of the old intents."""
    rows = [i for i, u in enumerate(judged.test) if u.intent in old_intents]
    summary: dict[str, Json] = {"n_utterances": len(rows)}
    for name, predictions in (("before", judged.before), ("after", judged.after)):
        found = outcomes([judged.test[i] for i in rows], [predictions[i] for i in rows])
        sure = np.array([predictions[i].intent_probability for i in rows], dtype=np.float64)
        summary[f"semantic_error_{name}"] = found.semantic_error_rate
        summary[f"calibration_error_{name}"] = expected_calibration_error(sure, found.intent_correct)
    return summary


def _regressions(judged: Judged) -> list[Json]:
    """Return the utterances that were right and are wrong, at most 5 of each intent, the surest mistakes first."""
    broken: dict[str, list[tuple[float, dict[str, Json]]]] = {}
    for u, before, after in zip(judged.test, judged.before, judged.after, strict=True):
        if _is_right(u, before) and not _is_right(u, after):
            row: dict[str, Json] = {
                "intent": u.intent,
                "text": u.text,
                "wanted": _in_words(u.text, u),
                "after": _in_words(u.text, after),
            }
            broken.setdefault(u.intent, []).append((-after.intent_probability, row))
    ranked = (sorted(rows, key=lambda entry: entry[0])[:_N_EXAMPLES] for _, rows in sorted(broken.items()))
    return [row for rows in ranked for _, row in rows]


def _is_right(wanted: Utterance, found: Prediction) -> bool:
    return (wanted.intent, wanted.slots) == (found.intent, found.slots)


def _in_words(text: str, meaning: Utterance | Prediction) -> str:
    return f"{meaning.intent} ({in_words(text, meaning.slots)})" if meaning.slots else meaning.intent


def _taken(judged: Judged, old_intents: Sequence[str], takers: Sequence[str]) -> list[Json]:
    """Return the utterances of old and other intents that were recognised before, and are taken by ``takers`` now."""
    return [
        {"text": u.text, "from": u.intent, "by": after.intent, "probability": after.intent_probability}
        for u, before, after in zip(judged.test, judged.before, judged.after, strict=True)
        if u.intent in (*old_intents, OTHERS) and before.intent == u.intent != after.intent and after.intent in takers
    ]


def nearest_pairs(trained: Sequence[Utterance], intents: Sequence[str]) -> list[Json]:
    """Return the pairs of training utterances of different intents that are most alike, one of them of ``intents``."""
    from seedcorn.relevance.embedding import fit_encoder

    labelled = [u for u in trained if u.intent]
    if len({u.intent for u in labelled}) < 2:
        return []
    vectors = fit_encoder([u.text for u in labelled], n_dimensions=64).encode([u.text for u in labelled])
    pairs: dict[tuple[int, int], float] = {}
    for intent in sorted(set(intents) & {u.intent for u in labelled}):
        own = [i for i, u in enumerate(labelled) if u.intent == intent]
        others = [i for i, u in enumerate(labelled) if u.intent != intent]
        found = nearest(vectors[own], vectors[others])
        for i, position, similarity in zip(own, found.positions.tolist(), found.similarities.tolist(), strict=True):
            pairs[min(i, others[position]), max(i, others[position])] = similarity
    most_alike = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:_N_PAIRS]
    return [
        {
            "text": labelled[i].text,
            "intent": labelled[i].intent,
            "other_text": labelled[j].text,
            "other_intent": labelled[j].intent,
            "similarity": pairs[i, j],
        }
        for i, j in most_alike
    ]


def _false_alarms(judged: Judged, own: Sequence[str]) -> list[Json]:
    """Return for each domain of the other intents which share of its utterances either model takes for its own."""
    by_domain: dict[str, list[tuple[bool, bool]]] = {}
    for u, before, after in zip(judged.test, judged.before, judged.after, strict=True):
        if u.intent not in own:
            alarms = (before.intent in own, after.intent in own)
            by_domain.setdefault(u.domain or u.intent or OUT_OF_SCOPE, []).append(alarms)
    return [
        {
            "domain": domain,
            "n_utterances": len(alarms),
            "before": sum(before for before, _ in alarms) / len(alarms),
            "after": sum(after for _, after in alarms) / len(alarms),
        }
        for domain, alarms in sorted(by_domain.items())
    ]


def _origins(before: Sequence[Utterance], after: Sequence[Utterance]) -> list[Json]:
    was, is_ = Counter(u.origin for u in before), Counter(u.origin for u in after)
    return [{"origin": origin, "before": was[origin], "after": is_[origin]} for origin in sorted(was | is_)]
