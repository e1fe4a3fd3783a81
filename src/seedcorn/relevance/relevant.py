"""The relevant part of a pool: which scorer, and which cut-off turns its scores into a selection."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.corpus.resuming import Arrays, AsArrays, map_resumable
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.progress import track
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.relevance.methods import fit_method
from seedcorn.relevance.names import Aggregate, Method
from seedcorn.relevance.scorer import FittedMethod
from seedcorn.relevance.streaming import Scorer, sample_texts
from seedcorn.selection import Scores, Selection

OpenTexts = Callable[[], Iterable[pa.StringArray]]


class RelevanceSettings(Settings):
    """How the relevant part of the pool is found.

    ``n_pool_sample`` of its first ``n_rows_sampled_from`` rows stand for general text; ``relevant_fraction`` is the
    share of the pool that precision takes as relevant.
    """

    method: Method = Method.LOGISTIC
    aggregate: Aggregate | None = None
    n_pool_sample: int = Field(20_000, ge=0)
    n_rows_sampled_from: int = Field(2_000_000, ge=1)
    relevant_fraction: float | None = Field(None, gt=0, lt=1)
    cutoff: Cutoff = Cutoff(n_kept=2_000)


@dataclass(frozen=True, kw_only=True)
class Relevant:
    """The scores of a pool, what the cut-off keeps of it, and the fitted method that scored it."""

    scores: Scores
    selection: Selection
    fitted: FittedMethod


def fit_to_pool(
    open_texts: OpenTexts,
    *,
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    settings: RelevanceSettings,
    random_seed: int,
) -> FittedMethod:
    """Return the scorer of ``settings``, fitted to seed, background and a sample of the pool."""
    rng = np.random.default_rng(random_seed)
    sample = sample_texts(open_texts(), n_texts=settings.n_pool_sample, n_rows=settings.n_rows_sampled_from, rng=rng)
    return fit_method(
        settings.method,
        [u.text for u in seed],
        [u.text for u in background],
        sample,
        aggregate=settings.aggregate,
        relevant_fraction=settings.relevant_fraction,
        random_seed=random_seed,
    )


def find_relevant(
    open_texts: OpenTexts,
    *,
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    settings: RelevanceSettings,
    random_seed: int,
    mapper: Mapper = map_in_order,
    folder: Path | str | None = None,
) -> Relevant:
    """Return the relevant part of a pool; ``open_texts`` starts a pass over its text column.

    ``mapper`` carries the scoring of the pool out; the result does not depend on it. With a ``folder`` an interrupted
    scoring goes on from its finished shards.

    Raises ConfigError when a precision is asked of a scorer that cannot estimate one, DataError when nothing is kept.
    """
    fitted = fit_to_pool(open_texts, seed=seed, background=background, settings=settings, random_seed=random_seed)
    scores = _score_pool(open_texts(), fitted.score, mapper, None if folder is None else Path(folder))
    selection = settings.cutoff.apply(scores, texts=open_texts, seed=seed, threshold_for=fitted.threshold_for)
    if not len(selection.positions):
        raise DataError(
            wanted="at least one relevant utterance in the pool",
            found=f"none of {len(scores):,} passes {settings.cutoff.model_dump(exclude_none=True)}",
            fix="Lower 'relevance.cutoff', or use a pool nearer to the functionality.",
        )
    return Relevant(scores=scores, selection=selection, fitted=fitted)


def _score_pool(batches: Iterable[pa.StringArray], score: Scorer, mapper: Mapper, folder: Path | None) -> Scores:
    unscored = score(pa.array([], pa.string()))
    as_arrays = AsArrays(_to_arrays, partial(_from_arrays, unscored))
    results = map_resumable(mapper, score, batches, folder=folder, as_arrays=as_arrays)
    parts = [_to_arrays(unscored), *map(_to_arrays, track(results, "scoring the pool, batches"))]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in ("values", "missing")}
    return _from_arrays(unscored, joined)


def _to_arrays(scores: Scores) -> Arrays:
    missing = np.zeros(len(scores), np.bool_) if scores.missing is None else scores.missing
    return {"values": scores.values, "missing": missing}


def _from_arrays(of_same_kind: Scores, arrays: Arrays) -> Scores:
    return replace(of_same_kind, values=arrays["values"].astype(np.float64), missing=arrays["missing"].astype(np.bool_))
