"""Which pipeline a study's configuration file is about."""

from typing import Literal

from pydantic import ConfigDict

from seedcorn.config import Settings


class StudyKind(Settings):
    """The first line of every study; the other settings are those of the kind of study that it names."""

    model_config = ConfigDict(extra="ignore")

    study: Literal["intent", "language", "growth"]
