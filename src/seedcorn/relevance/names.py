"""The names of what relevance selection offers, in a module that loads at once."""

from enum import StrEnum
from typing import Self, TypeVar

from seedcorn.errors import ConfigError, nearest

Name = TypeVar("Name", bound=StrEnum)


class Method(StrEnum):
    """How relevance is scored."""

    # A line has the name of a scorer, and where the function that fits it is (``scorer.FitScorer``). A new scorer is a
    # file with such a function, and a line here.
    # word n-grams of the seed against background and pool
    LOGISTIC = "logistic", "seedcorn.relevance.logistic:logistic_scorer"
    # log likelihood ratio of hashed n-grams, seed against pool
    IMPORTANCE = "importance", "seedcorn.relevance.importance:importance_scorer"
    # distance to the seed's centroid minus distance to the pool's
    EMBEDDING = "embedding", "seedcorn.relevance.centroid:centroid_scorer"
    # log probability a word: seed's language model minus the pool's
    CROSS_ENTROPY = "cross_entropy", "seedcorn.relevance.cross_entropy:cross_entropy_scorer"

    fitted_by: str

    def __new__(cls, name: str, fitted_by: str) -> Self:
        """Return the member called ``name``; its function is only imported when it is asked for."""
        member = str.__new__(cls, name)
        member._value_, member.fitted_by = name, fitted_by
        return member


class Aggregate(StrEnum):
    """How the weights of its n-grams become the score of a text with n n-grams."""

    SUM = "sum"  # sum of weights + intercept: long texts reach further up and down
    MEAN = "mean"  # sum / n: a text of one strong word beats all; unknown text scores 0
    PROBABILITY = "probability"  # calibrated sum / sqrt(n) + intercept: comparable between short and long


def named(kind: type[Name], name: str, what: str) -> Name:
    """Return the member of ``kind`` called ``name``. Raises ConfigError, naming the nearest, when there is none."""
    if name not in kind.__members__.values():
        raise ConfigError(wanted=f"a known {what}", found=f"'{name}'", fix=nearest(name, [str(k) for k in kind]))
    return kind(name)
