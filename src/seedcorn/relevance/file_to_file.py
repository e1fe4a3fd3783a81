"""Relevance selection alone: from the rows of a pool, streamed, to the rows kept, each with its score and reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from seedcorn.corpus.parallel import Mapper
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.relevance.explain import explain_nearest, explain_ngrams
from seedcorn.relevance.methods import saved_method
from seedcorn.relevance.relevant import RelevanceSettings, fit_to_pool
from seedcorn.relevance.scorer import FittedMethod
from seedcorn.relevance.streaming import KeptRows, keep_from_stream
from seedcorn.selection import Scores


@dataclass(frozen=True, kw_only=True)
class RelevantRows:
    """The kept rows, best first, explained by further columns, and the fitted method that scored them."""

    rows: pa.Table
    kept: KeptRows
    fitted: FittedMethod


def keep_relevant(
    pool: Corpus,
    *,
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    settings: RelevanceSettings,
    model: Path | None = None,
    mapper: Mapper | None = None,
    random_seed: int = 0,
) -> RelevantRows:
    """Return what the cut-off keeps of ``pool``, which is read twice and never in memory.

    With ``model``, a saved n-gram model scores instead of one fitted to seed, background and a sample of the pool.
    """
    fitted = (
        saved_method(model, settings.aggregate)
        if model
        else fit_to_pool(pool.texts, seed=seed, background=background, settings=settings, random_seed=random_seed)
    )
    n_rows = pool.count() if settings.cutoff.fraction is not None else 0
    cutoff = settings.cutoff.in_rows(n_rows, threshold_for=fitted.threshold_for)
    kept = keep_from_stream(
        pool.pieces(),
        fitted.score,
        lambda scores, texts: cutoff.apply(scores, texts=lambda: [texts], seed=seed, threshold_for=float),
        cut_parts=lambda scores, texts: cutoff.of_part(scores, texts=texts, seed=seed),
        mapper=mapper,
    )
    return RelevantRows(rows=_explained(kept, fitted, seed), kept=kept, fitted=fitted)


def _explained(kept: KeptRows, fitted: FittedMethod, seed: Sequence[Utterance]) -> pa.Table:
    """Return the kept rows with their position, score and reasons as further columns."""
    texts, scores = kept.rows.column("text"), kept.scores
    columns = {"pool_row": pa.array(kept.positions), "score": pa.array(scores.values)}
    if fitted.model is not None:
        columns["strongest_ngrams"] = pa.array(explain_ngrams(texts, fitted.model), pa.string())
    if seed:
        columns["nearest_seed"] = pa.array(explain_nearest(texts, [u.text for u in seed]), pa.string())
    table = kept.rows.drop_columns([name for name in columns if name in kept.rows.column_names])
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def lowest_kept(scores: Scores) -> float | None:
    """Return the worst score that was kept, None when nothing was."""
    return float(scores.values[-1]) if len(scores) else None
