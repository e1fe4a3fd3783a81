"""A linear relevance model over hashed word n-grams: how it scores, how it is saved; who fits it is another matter."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from seedcorn.array_files import checked, read_arrays
from seedcorn.errors import ConfigError, DataError
from seedcorn.files import writing_whole
from seedcorn.relevance.names import Aggregate
from seedcorn.relevance.ngrams import NgramFeatures, NgramSums, ngram_sums_of_batches
from seedcorn.relevance.packed_weights import PackedWeights, packed
from seedcorn.selection import FloatArray, Scores


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Platt's (1999) map from margin to probability: 1 / (1 + exp(-(slope * margin + offset)))."""

    slope: float
    offset: float

    def probability(self, margins: FloatArray) -> FloatArray:
        """Return the probability of each of ``margins``; never overflows."""
        return 0.5 * (1.0 + np.tanh(0.5 * (self.slope * margins + self.offset)))


@dataclass(frozen=True, kw_only=True)
class RelevanceModel:
    """``weights`` float32 (n_buckets,) of the n-gram features, an intercept, and a calibration where one was fitted."""

    features: NgramFeatures
    weights: NDArray[np.float32]
    intercept: float = 0.0
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        if self.weights.shape != (self.features.n_buckets,):
            raise DataError(wanted=f"{self.features.n_buckets} weights", found=f"shape {self.weights.shape}")

    @cached_property
    def packed_weights(self) -> PackedWeights:
        """The weights as scoring looks them up."""
        return packed(self.weights)

    def values(self, sums: NgramSums, *, aggregate: Aggregate) -> FloatArray:
        """Return the score of each text from its n-gram sums; 0 for a text without words.

        Raises ConfigError when probabilities are asked of a model without calibration.
        """
        n_ngrams = np.maximum(sums.n_ngrams, 1)
        if aggregate is Aggregate.SUM:
            values = sums.sums + self.intercept
        elif aggregate is Aggregate.MEAN:
            values = sums.sums / n_ngrams
        elif self.calibration is not None:
            values = self.calibration.probability(sums.sums / np.sqrt(n_ngrams) + self.intercept)
        else:
            raise ConfigError(wanted="sum or mean, for a model without calibration", found=f"'{aggregate}'")
        return np.where(sums.n_ngrams > 0, values, 0.0)


def relevance_scores(
    batches: Iterable[pa.StringArray],
    model: RelevanceModel,
    *,
    aggregate: Aggregate = Aggregate.PROBABILITY,
    n_threads: int = 1,
) -> Scores:
    """Return the relevance of every text of a pool, read batch by batch; texts without words are missing.

    Memory is the scores plus a few batches. The numbers do not depend on ``n_threads`` or on how the pool is batched.
    """
    values, missing = [np.zeros(0)], [np.zeros(0, np.bool_)]
    for sums in ngram_sums_of_batches(batches, model.packed_weights, features=model.features, n_threads=n_threads):
        values.append(model.values(sums, aggregate=aggregate))
        missing.append(sums.n_ngrams == 0)
    return Scores(
        values=np.concatenate(values),
        name="relevance",
        unit="probability" if aggregate is Aggregate.PROBABILITY else f"{aggregate} of n-gram weights",
        missing=np.concatenate(missing),
    )


def save_relevance_model(model: RelevanceModel, path: Path) -> None:
    """Write ``model`` as one .npz file without pickled objects, whole or not at all."""
    about = {
        "features": asdict(model.features),
        "intercept": model.intercept,
        "calibration": asdict(model.calibration) if model.calibration else None,
    }
    used = np.flatnonzero(model.weights)
    with writing_whole(path) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, about=np.array(json.dumps(about)), buckets=used, weights=model.weights[used])


def load_relevance_model(path: Path) -> RelevanceModel:
    """Return the model saved at ``path``. Raises DataError when the file is something else."""
    arrays = read_arrays(path, wanted=_WANTED)
    try:
        about = TypeAdapter(_About).validate_json(str(arrays["about"]))
        weights = np.zeros(about.features.n_buckets, np.float32)
        buckets = checked(arrays, "buckets", np.int64, shape=(None,))
        if len(buckets) and not 0 <= int(buckets.min()) <= int(buckets.max()) < len(weights):
            raise ValueError("features that there are not")
        weights[buckets] = checked(arrays, "weights", np.float32, shape=buckets.shape)
        return RelevanceModel(
            features=about.features, weights=weights, intercept=about.intercept, calibration=about.calibration
        )
    except (ValueError, KeyError) as error:
        raise DataError(wanted=_WANTED, found=f"something else ({error})", where=path) from error


_WANTED = "a relevance model, as 'seedcorn select relevance --save-model' makes it"
_Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True)
class _About:
    features: NgramFeatures
    intercept: _Finite
    calibration: Calibration | None
