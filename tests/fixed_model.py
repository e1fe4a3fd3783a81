"""An NLU model whose answers are written down, for tests of what is done with answers."""

from collections.abc import Sequence

import numpy as np

from seedcorn.corpus.predictions import Prediction
from seedcorn.selection import FloatArray

NEW = "music_play"


class FixedModel:
    """A model whose answers are written down."""

    intents = (NEW, "other")

    def __init__(self, answers: dict[str, Prediction]) -> None:
        self.answers = answers

    def intent_probabilities(self, texts: Sequence[str]) -> FloatArray:
        own = [p.intent_probability if p.intent == NEW else 1 - p.intent_probability for p in self.predict(texts)]
        return np.stack([own, 1 - np.array(own)], axis=1)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [self.answers[text] for text in texts]
