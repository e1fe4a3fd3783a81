"""The weights that rescore n-best lists of translations, found on dev."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field

from seedcorn.files import write_json
from seedcorn.language.data import LanguageData
from seedcorn.language.nbest_lists import NBestLists
from seedcorn.lm.domain_model import DomainModel
from seedcorn.runs import Context, Stage
from seedcorn.translation.choosing import tune_for_dev
from seedcorn.translation.settings import RescoringWeights


@dataclass(frozen=True, kw_only=True)
class TunedWeights:
    """How much each feature counts when the lists of one set are rescored."""

    weights: RescoringWeights

    @property
    def counts(self) -> Mapping[str, int]:
        """Nothing is counted."""
        return {}

    def save(self, folder: Path) -> None:
        """Write the weights as JSON."""
        write_json(self.weights.model_dump(), folder / "weights.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(weights=RescoringWeights.model_validate_json((folder / "weights.json").read_text("utf-8")))


class TuneRescoring(Stage[TunedWeights]):
    """Find how much the in-domain language model counts beside the translator, by the perplexity of dev.

    ``lm_weight`` is taken as it is where it is given; ``n_tuning`` lists are measured with. ``n_hypotheses`` of each
    list become text.
    """

    is_random: ClassVar[bool] = False

    lm_weight: float | None = Field(None, ge=0)
    n_tuning: int = Field(2_000, ge=1)
    n_hypotheses: int = Field(1, ge=1)

    def __call__(self, data: LanguageData, domain: DomainModel, nbest: NBestLists, *, context: Context) -> TunedWeights:
        """Return the weights."""
        if self.lm_weight is not None:
            return TunedWeights(weights=RescoringWeights(lm=self.lm_weight))
        return TunedWeights(
            weights=tune_for_dev(
                nbest.candidates(data.source), domain, n_hypotheses=self.n_hypotheses, n_tuning=self.n_tuning
            )
        )
