"""The stage that asks a large language model for utterances, which join the pool."""

from typing import ClassVar

from pydantic import Field

from seedcorn.intent.answers import Answers, AskedModel
from seedcorn.intent.data import IntentData
from seedcorn.nlu.llm import chat_with, generate
from seedcorn.runs import Context, Stage


class GenerateUtterances(AskedModel, Stage[Answers]):
    """Ask a large language model for more utterances like the seed's, which join the pool without their labels."""

    stage_name: ClassVar[str] = "generation"

    n_requests: int = Field(10, ge=1)

    def __call__(self, data: IntentData, *, context: Context) -> Answers:
        """Return the new utterances, none twice and none of the seed."""
        with context.working_folder() as working:
            chat = chat_with(self, self.answers or working)
            found = generate(data.seed, chat=chat, n_requests=self.n_requests, random_seed=context.random_seed)
            asked = list(chat.exchanges.values())
        return Answers(utterances=found, exchanges=asked, cost=self.cost_of_all(asked))
