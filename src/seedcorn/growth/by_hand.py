"""Annotation and audit outside a run, file to file: what ``seedcorn select annotate`` and ``data audit`` call."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.deployment.proposals import propose
from seedcorn.deployment.tasks import TaskBatch, tasks_of
from seedcorn.diversity.annotate import AnnotationSettings
from seedcorn.errors import DataError
from seedcorn.evaluation.forecast import LearningCurve, forecast
from seedcorn.nlu.learning_curve import dealt, learning_curve_points
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE

_HELD_OUT_FRACTION = 0.25
LINEAR = LinearSettings(n_crf_iterations=60)


def to_annotate(
    pool: Sequence[Utterance],
    *,
    labelled: Sequence[Utterance],
    model: NluModel | None = None,
    settings: AnnotationSettings = AnnotationSettings(),
    name: str = "annotate",
    random_seed: int = 0,
) -> TaskBatch:
    """Return the tasks of ``pool`` whose labels are worth most to ``model``, by default one trained on ``labelled``.

    A pool row without id gets its row number. Raises DataError when nothing is labelled with an intent.
    """
    labelled = with_intents(labelled)
    if model is None:
        model = train_linear(labelled, settings=LINEAR, random_seed=random_seed)
    batch = propose([u.text for u in pool], model=model, labelled=labelled, settings=settings, random_seed=random_seed)
    return TaskBatch(
        name=name,
        tasks=tasks_of(batch, [u if u.id else replace(u, id=f"row-{row}") for row, u in enumerate(pool)]),
        intents=tuple(sorted({*model.intents, *(u.intent for u in labelled)} - {OUT_OF_SCOPE})),
        slot_types=tuple(sorted({slot.type for u in labelled for slot in u.slots})),
    )


def with_intents(labelled: Sequence[Utterance]) -> list[Utterance]:
    """Return the utterances that have an intent; raises DataError when none has."""
    known = [u for u in labelled if u.intent]
    if not known:
        raise DataError(
            wanted="annotated utterances", found="none with an intent", fix="Give --labelled a file with intents."
        )
    return known


def foretell(labelled: Sequence[Utterance], *, dev: Sequence[Utterance] = (), random_seed: int = 0) -> LearningCurve:
    """Return the learning curve of the linear model on ``labelled``, measured on ``dev``, or on a quarter held out."""
    known = with_intents(labelled)
    held_out = [u for u in dev if u.intent]
    rng = np.random.default_rng(random_seed)
    if not held_out:
        order = dealt(known, rng)
        n_held_out = round(_HELD_OUT_FRACTION * len(known))
        held_out, known = [known[i] for i in order[:n_held_out]], [known[i] for i in order[n_held_out:]]
    points = learning_curve_points(
        partial(train_linear, settings=LINEAR),
        [u for u in known if u.intent != OUT_OF_SCOPE],
        held_out,
        background=[u for u in known if u.intent == OUT_OF_SCOPE],
        random_seed=random_seed,
    )
    return forecast(points, rng=rng)
