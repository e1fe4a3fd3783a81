"""One system of a growth study, taken through the rounds, and what is measured after each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TypedDict

import numpy as np

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.deployment.certificate import Judged, reasons_against
from seedcorn.deployment.proposals import propose
from seedcorn.diversity.annotate import AnnotationSettings
from seedcorn.diversity.methods import Strategy
from seedcorn.evaluation.nlu import Outcomes, f1, outcomes
from seedcorn.files import read_json, write_json
from seedcorn.growth.rounds import grow, in_scope_first
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.progress import say
from seedcorn.studies.growth_data import GrowthData
from seedcorn.studies.growth_settings import GrowthStudyConfig, GrowthSystem


@dataclass(frozen=True, kw_only=True)
class RoundMeasure:
    """One system after one round, on the test utterances of all intents so far; rates are fractions.

    ``errors`` are the semantic errors of these utterances; ``intent_f1`` the F1 of each intent among all test
    utterances, those of intents to come included, so that only the model changes from round to round. ``promoted`` is
    False where the round did not pass its certificate, and the agent of before was measured.
    """

    random_seed: int
    round: int
    system: str
    n_labels: int
    semantic_error: float
    slot_f1: float
    false_alarm_rate: float
    intent_f1: Mapping[str, float]
    errors: Sequence[float]
    promoted: bool = True


@dataclass(frozen=True, kw_only=True)
class SystemMeasures:
    """The measures of one system, a round each, in order."""

    rounds: Sequence[RoundMeasure]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rounds were measured."""
        return {"n_rounds": len(self.rounds)}

    def save(self, folder: Path) -> None:
        """Write all measures as JSON."""
        write_json([asdict(m) for m in self.rounds], folder / "measures.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(rounds=read_json(folder / "measures.json", list[RoundMeasure]))


def run_system(config: GrowthStudyConfig, name: str, data: GrowthData, *, random_seed: int) -> list[RoundMeasure]:
    """Return the measures of one system after each of its measured rounds, and the last.

    Of a system that is ``certified`` there are also those of what is deployed, under a name of their own: a round that
    does not pass its certificate is not promoted. The first one always is.
    """
    system, labels, measured = config.systems[name], list[Utterance](), list[RoundMeasure]()
    wanted, deployed = config.rounds_of(name), None
    for round_ in range(1, len(config.intents) + 1):
        if round_ not in wanted and system.labels is None:
            continue
        intents = config.intents[:round_]
        labelled = [u for seed in data.seeds[:round_] for u in seed] + list(data.background)
        seen = [u for part in data.slices[:round_] for u in part]
        if system.labels is not None:
            new = data.slices[round_ - 1]
            settings = AnnotationSettings(strategy=system.labels, batch_size=config.n_labels_of(name))
            labels += _annotated(config, [*labelled, *labels], new, intents, settings, random_seed)
        if system.oracle:
            labels = seen
        if round_ not in wanted:
            continue
        model = _trained(config, [*labelled, *labels], seen, intents, system, random_seed)
        made = _deployed(model, data, intents)
        names = [(name, made, True)]
        if system.certified:
            passed = deployed is None or _is_certified(deployed, made, config.margin)
            deployed = made if passed or deployed is None else deployed
            names.append((certified(name), deployed, passed))
        for its_name, agent, promoted in names:
            found = _measured(agent, data.test, intents, len(labels))
            measured.append(
                RoundMeasure(random_seed=random_seed, round=round_, system=its_name, promoted=promoted, **found)
            )
        say(f"seed {random_seed}, round {round_}, {name}: semantic error {measured[-len(names)].semantic_error:.3f}")
    return measured


@dataclass(frozen=True, kw_only=True)
class _Deployed:
    """What the agent of some intents makes of the test utterances, and of those of the certificate."""

    intents: Sequence[str]
    test: Sequence[Prediction]
    certificate: Sequence[Prediction]
    judged: Sequence[Utterance]


def _deployed(model: LinearNlu, data: GrowthData, intents: Sequence[str]) -> _Deployed:
    return _Deployed(
        intents=intents,
        test=model.predict([u.text for u in data.test]),
        certificate=model.predict([u.text for u in data.certificate]),
        judged=data.certificate,
    )


def certified(name: str) -> str:
    """Return the name of what is deployed of the system ``name``."""
    return f"{name}, certified"


def _is_certified(before: _Deployed, after: _Deployed, margin: float) -> bool:
    """Return whether the agent of ``after`` passes its certificate against the one of ``before``."""
    judged = Judged(test=after.judged, before=before.certificate, after=after.certificate)
    new = [intent for intent in after.intents if intent not in before.intents]
    return not reasons_against(judged, old_intents=before.intents, new_intents=new, margin=margin)


def _annotated(
    config: GrowthStudyConfig,
    labelled: Sequence[Utterance],
    logs: Sequence[Utterance],
    intents: Sequence[str],
    settings: AnnotationSettings,
    random_seed: int,
) -> list[Utterance]:
    """Return the labels that the annotator gives to the utterances chosen of this round's logs."""
    if settings.strategy is Strategy.RANDOM:
        order = np.random.default_rng([random_seed, len(intents)]).permutation(len(logs))
        return [logs[i] for i in order[: settings.batch_size].tolist()]
    model = _of_labels(config, labelled, intents, random_seed)
    batch = propose([u.text for u in logs], model=model, labelled=labelled, settings=settings, random_seed=random_seed)
    return [logs[p.position] for p in batch.proposals]


def _trained(
    config: GrowthStudyConfig,
    labelled: Sequence[Utterance],
    seen: Sequence[Utterance],
    intents: Sequence[str],
    system: GrowthSystem,
    random_seed: int,
) -> LinearNlu:
    first = _of_labels(config, labelled, intents, random_seed)
    if not system.self_training:
        return first
    known = {u.text for u in labelled}
    pool = in_scope_first([u for u in seen if u.text not in known], first, intents)
    return grow(labelled, pool, intents=intents, settings=config.model, random_seed=random_seed).model


def _of_labels(
    config: GrowthStudyConfig, labelled: Sequence[Utterance], intents: Sequence[str], random_seed: int
) -> LinearNlu:
    """Return the agent of the labelled utterances alone."""
    return grow(labelled, [], intents=intents, settings=config.model, random_seed=random_seed).model


class _Found(TypedDict):
    n_labels: int
    semantic_error: float
    slot_f1: float
    false_alarm_rate: float
    intent_f1: dict[str, float]
    errors: Sequence[float]


def _measured(deployed: _Deployed, test: Sequence[Utterance], intents: Sequence[str], n_labels: int) -> _Found:
    """Return the errors on the utterances of ``intents``; their F1 is on all of test, the same in every round."""
    found = outcomes(test, deployed.test)
    of = np.array([u.intent for u in test])
    own = found.rows(np.isin(of, intents))
    alarms = np.isin(found.rows(of == OUT_OF_SCOPE).found_intents, intents)
    return _Found(
        n_labels=n_labels,
        semantic_error=own.semantic_error_rate,
        slot_f1=own.slot_f1,
        false_alarm_rate=float(alarms.mean()) if len(alarms) else 0.0,
        intent_f1={intent: _intent_f1(found, intent) for intent in intents},
        errors=own.semantic_errors.astype(np.float64).tolist(),
    )


def _intent_f1(found: Outcomes, intent: str) -> float:
    wanted, taken = found.wanted_intents == intent, found.found_intents == intent
    return f1(int((wanted & taken).sum()), n_found=int(taken.sum()), n_wanted=int(wanted.sum()))
