"""The names of what relevance selection offers, in a module that loads at once."""

from enum import StrEnum
from typing import TypeVar

from seedcorn.errors import ConfigError, nearest

Name = TypeVar("Name", bound=StrEnum)


class Method(StrEnum):
    """How relevance is scored."""

    LOGISTIC = "logistic"  # word n-grams of the seed against background and pool
    IMPORTANCE = "importance"  # log likelihood ratio of hashed n-grams, seed against pool
    EMBEDDING = "embedding"  # distance to the seed's centroid minus distance to the pool's
    CROSS_ENTROPY = "cross_entropy"  # log probability a word: seed's language model minus the pool's


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
