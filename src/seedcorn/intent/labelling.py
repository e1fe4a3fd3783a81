"""The stage that asks a large language model for the slots of pool texts: one more view of them."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from seedcorn.intent.answers import Answers, AskedModel
from seedcorn.intent.data import IntentData
from seedcorn.intent.diversity import SelectedPool
from seedcorn.intent.teacher import TrainedTeacher
from seedcorn.nlu.cross_fitting import log_odds_of
from seedcorn.nlu.llm import chat_with, label, share_right
from seedcorn.runs import Context, Stage


class LabelTexts(AskedModel, Stage[Answers]):
    """Ask a large language model for the slots of the selected texts that are likeliest of the functionality.

    At most ``n_texts_max``, all of them as likely as not. What its slots count follows from those it finds in the seed.
    """

    stage_name: ClassVar[str] = "labelling"

    n_texts_max: int = Field(500, ge=1)

    def __call__(
        self, data: IntentData, selected: SelectedPool, teacher: TrainedTeacher, *, context: Context
    ) -> Answers:
        """Return the texts that the model labelled in a form that can be read, in the order selected."""
        texts = _likeliest(data, selected.texts, teacher, self.n_texts_max)
        with context.working_folder() as working:
            chat = chat_with(self, self.answers or working)
            weight = share_right(data.seed, chat=chat)
            found = [u for u in label(texts, data.seed, chat=chat) if u is not None]
            asked = list(chat.exchanges.values())
        return Answers(utterances=found, exchanges=asked, cost=self.cost_of_all(asked), weight=weight)


def _likeliest(data: IntentData, texts: Sequence[str], teacher: TrainedTeacher, n_most: int) -> list[str]:
    if teacher.fitted is None:  # the configuration has an encoder, and so the model that is cross-validated
        return []
    probabilities = teacher.fitted.calibration.probabilities(log_odds_of(teacher.fitted.model, data.intents, texts))
    sure = np.flatnonzero(probabilities >= 0.5)
    best = sure[np.argsort(-probabilities[sure], kind="stable")[:n_most]]
    return [texts[i] for i in np.sort(best)]
