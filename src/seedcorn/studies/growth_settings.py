"""The configuration of a growth study."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.settings import CorpusFile
from seedcorn.diversity.methods import Strategy
from seedcorn.growth.rounds import RoundSettings


class GrowthSystem(Settings):
    """One system: how its labels of a round are chosen (none without ``labels``), and whether it trains itself.

    ``oracle`` is trained on everything in the pool so far with its true labels. ``certified``: what is deployed
    is measured too, where a round that does not pass its certificate is not promoted. ``n_labels`` a round and
    ``measured_rounds`` are those of this system where they are not those of the study.
    """

    labels: Strategy | None = None
    self_training: bool = False
    oracle: bool = False
    certified: bool = False
    n_labels: int | None = Field(None, ge=1)
    measured_rounds: tuple[int, ...] = ()


class GrowthStudyConfig(Settings):
    """The configuration file of a growth study; configs/study-growth-massive.yaml explains every setting.

    ``certificate_on`` are the utterances of the certificates; ``margin`` is theirs. ``random_twice`` names the system
    with twice as many random labels, where there is one.
    """

    study: Literal["growth"]
    name: str = Field(min_length=1)
    random_seeds: tuple[int, ...] = Field((1,), min_length=1)
    intents: tuple[str, ...] = Field(min_length=2)
    train: CorpusFile
    test: CorpusFile
    pool: CorpusFile
    certificate_on: CorpusFile | None = None
    margin: float = Field(0.1, gt=0, lt=1)
    n_seed: int = Field(50, ge=1)
    n_background: int = Field(400, ge=1)
    n_other: int = Field(2000, ge=0)
    n_general: int = Field(1000, ge=0)
    n_labels: int = Field(25, ge=1)
    measured_rounds: tuple[int, ...] = ()
    model: RoundSettings = RoundSettings()
    systems: Mapping[str, GrowthSystem] = Field(min_length=2)
    baseline: str = "seed_only"
    reported: str = "grown"
    chosen: str = "chosen"
    random: str = "random"
    random_twice: str | None = None
    oracle: str = "oracle"

    def rounds_of(self, name: str) -> list[int]:
        """Return the rounds after which the system ``name`` is measured, the last one always, ascending."""
        n_rounds = len(self.intents)
        wanted = self.systems[name].measured_rounds or self.measured_rounds or range(1, n_rounds + 1)
        return sorted({*wanted, n_rounds})

    def n_labels_of(self, name: str) -> int:
        """Return how many labels people give to the system ``name`` after each round."""
        return self.systems[name].n_labels or self.n_labels

    @model_validator(mode="after")
    def _named_systems_exist(self) -> Self:
        for role in (self.baseline, self.reported, self.chosen, self.random, self.random_twice, self.oracle):
            if role is not None and role not in self.systems:
                raise ValueError(f"'{role}' is not one of the systems {', '.join(self.systems)}")
        if self.certificate_on is None and any(system.certified for system in self.systems.values()):
            raise ValueError("give 'certificate_on', the utterances by which systems are certified")
        return self
