"""Where a model stands between misses and false alarms: grown models find more, and may not cry wolf more often."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.metrics import outcomes, outcomes_of_functionality
from seedcorn.nlu.model import NluModel


def n_false_alarms(model: NluModel, functionality: Collection[str], dev: Sequence[Utterance]) -> int:
    """Return how many utterances of other intents the model takes for the functionality."""
    found = outcomes_of_functionality(outcomes(dev, model.predict([u.text for u in dev])), functionality)
    return int(found.false_alarms.sum())


def hold_false_alarms(
    model: LinearNlu, functionality: Collection[str], dev: Sequence[Utterance], *, most_false_alarms: int
) -> LinearNlu:
    """Return ``model`` with the functionality's intents made just so much less likely that dev has few false alarms.

    At most ``most_false_alarms`` utterances of other intents in ``dev`` are then taken for the functionality. A model
    that keeps to that already comes back as it is.
    """
    own = np.array([intent in functionality for intent in model.intents])
    others = [u.text for u in dev if u.intent not in functionality]
    if own.all() or len(others) <= most_false_alarms:
        return model
    margins = model.maxent.margins(others)
    lead = margins[:, own].max(axis=1) - margins[:, ~own].max(axis=1)
    offset = float(np.sort(lead)[::-1][most_false_alarms])
    if offset <= 0:
        return model
    lowered = model.maxent.intercepts - np.where(own, np.nextafter(offset, np.inf), 0.0)
    return replace(model, maxent=replace(model.maxent, intercepts=lowered))
