"""What a large language model answered, what was asked, and what that cost."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from seedcorn.chat_server import AnswersFolder, ServerSettings
from seedcorn.corpus.tables import read_utterances, write_utterances
from seedcorn.corpus.utterances import Utterance
from seedcorn.files import read_json, write_json
from seedcorn.nlu.llm import Exchange
from seedcorn.nlu.slot_views import SlotHint


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Utterances as the model gave them, with slots, what was asked for them and what that cost.

    ``weight`` is what its slots count beside those of a view of ours: the share of the seed's that it finds.
    """

    utterances: list[Utterance]
    exchanges: list[Exchange]
    cost: float
    weight: float = 1.0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances there are, and the requests and tokens that they took."""
        return {
            "n_utterances": len(self.utterances),
            "n_requests": len(self.exchanges),
            "n_prompt_tokens": sum(e.n_prompt_tokens for e in self.exchanges),
            "n_answer_tokens": sum(e.n_answer_tokens for e in self.exchanges),
        }

    def hints(self) -> dict[str, SlotHint]:
        """Return the slots of each text."""
        return {u.text: SlotHint(slots=u.slots, weight=self.weight) for u in self.utterances}

    def save(self, folder: Path) -> None:
        """Write the utterances as Parquet, prompts with answers, and what they cost."""
        write_utterances(self.utterances, folder / "utterances.parquet")
        write_json([asdict(exchange) for exchange in self.exchanges], folder / "exchanges.json")
        write_json({"cost": self.cost, "weight": self.weight}, folder / "usage.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(
            utterances=read_utterances(folder / "utterances.parquet"),
            exchanges=read_json(folder / "exchanges.json", list[Exchange]),
            **read_json(folder / "usage.json", dict[str, float]),
        )


class AskedModel(ServerSettings):
    """A model at a server. Answers are kept in the folder ``answers``, from which other runs take them too."""

    answers: AnswersFolder | None = None

    def cost_of_all(self, exchanges: Iterable[Exchange]) -> float:
        """Return what the exchanges cost."""
        return sum(self.cost_of(e.n_prompt_tokens, e.n_answer_tokens) for e in exchanges)
