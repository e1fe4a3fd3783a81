"""Where passes over pools are carried out, as configuration files say it."""

from pydantic import Field, field_validator

from seedcorn.config import Settings
from seedcorn.corpus.parallel import Mapper
from seedcorn.engines import mapper_of, split_engine
from seedcorn.errors import ConfigError


class EngineSettings(Settings):
    """Where passes over pools are carried out, and by how many threads or processors; no result depends on either.

    ``engine`` is local, ray (a cluster of ``n_threads`` processors started here) or ray:ADDRESS (one that runs).
    Runs of the command line also train the models of a cross-validation in ``n_threads`` processes at a time.
    """

    engine: str = "local"
    n_threads: int = Field(1, ge=1)

    @field_validator("engine")
    @classmethod
    def _is_known(cls, engine: str) -> str:
        try:
            split_engine(engine)
        except ConfigError as error:
            raise ValueError(f"not {error.wanted}") from error
        return engine

    def mapper(self) -> Mapper:
        """Return what carries passes out. Raises as ``mapper_of`` does."""
        return mapper_of(self.engine, n_workers=self.n_threads)
