"""The error of a model by how much of the labelled data trains it: nested random subsets, alike in intents."""

from collections.abc import Sequence

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.nlu import outcomes
from seedcorn.nlu.model import NluTrainer
from seedcorn.progress import track

FRACTIONS = (0.25, 0.35, 0.5, 0.7, 1.0)
FEWEST_LABELS = 8


def learning_curve_points(
    train: NluTrainer,
    labelled: Sequence[Utterance],
    held_out: Sequence[Utterance],
    *,
    background: Sequence[Utterance] = (),
    fractions: Sequence[float] = FRACTIONS,
    n_subsets: int = 3,
    random_seed: int = 0,
) -> list[tuple[int, float]]:
    """Return (number of labels, semantic error rate on ``held_out``) of a training on each subset of ``labelled``.

    Subsets are nested: the beginnings of ``n_subsets`` random orders, each of which deals the intents out in turn.
    ``background`` always trains and does not count. Cost: a training a subset; the whole is trained on once. Raises
    DataError for fewer than 8 labels, or none held out.
    """
    if len(labelled) < FEWEST_LABELS or not held_out:
        raise DataError(
            wanted=f"at least {FEWEST_LABELS} labelled utterances and some held out to foretell a learning curve",
            found=f"{len(labelled)} and {len(held_out)}",
        )
    orders = [dealt(labelled, np.random.default_rng([random_seed, i])) for i in range(n_subsets)]
    sizes = [(order, max(2, round(f * len(labelled)))) for f in fractions if f < 1 for order in orders]
    if 1.0 in fractions:
        sizes.append((orders[0], len(labelled)))
    points = []
    for order, size in track(sizes, "learning curve, trainings", total=len(sizes)):
        model = train([*(labelled[i] for i in order[:size]), *background], random_seed=random_seed)
        found = outcomes(held_out, model.predict([u.text for u in held_out]))
        points.append((size, found.semantic_error_rate))
    return points


def dealt(utterances: Sequence[Utterance], rng: np.random.Generator) -> list[int]:
    """Return the rows in a random order in which every beginning has the intents in about their shares."""
    of_intent: dict[str, list[int]] = {}
    for i in rng.permutation(len(utterances)).tolist():
        of_intent.setdefault(utterances[i].intent, []).append(i)
    places = {i: (k + rng.uniform()) / len(rows) for rows in of_intent.values() for k, i in enumerate(rows)}
    return sorted(places, key=lambda i: (places[i], i))
