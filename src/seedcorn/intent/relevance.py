"""The relevant part of the pool, each row with the reasons why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import JsonValue

from seedcorn.corpus.tables import rows_at
from seedcorn.files import Json, read_json, write_json
from seedcorn.intent.contamination import CleanPool
from seedcorn.intent.data import IntentData
from seedcorn.relevance.explain import nearest_seed, strongest_ngrams
from seedcorn.relevance.relevant import RelevanceSettings, Relevant, find_relevant
from seedcorn.runs import Context, Stage
from seedcorn.selection import Scores, read_scores, write_scores


@dataclass(frozen=True, kw_only=True)
class RelevantPool:
    """The relevant rows, best first, with the reasons why; the scores of the whole pool; score and precision curves."""

    rows: pa.Table
    scores: Scores
    curves: Mapping[str, Json]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows of the pool were scored, kept and rejected."""
        n_in, n_kept = len(self.scores), self.rows.num_rows
        return {"n_in": n_in, "n_kept": n_kept, "n_rejected": n_in - n_kept}

    def save(self, folder: Path) -> None:
        """Write rows, scores and curves."""
        pq.write_table(self.rows, folder / "relevant.parquet")
        write_scores(self.scores, folder / "scores.npz")
        write_json(self.curves, folder / "curves.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(
            rows=pq.read_table(folder / "relevant.parquet"),
            scores=read_scores(folder / "scores.npz"),
            curves=read_json(folder / "curves.json", dict[str, JsonValue]),
        )


class SelectRelevant(RelevanceSettings, Stage[RelevantPool]):
    """Score the pool, and keep its relevant part, each row with the reason why."""

    stage_name: ClassVar[str] = "relevance"

    def __call__(self, data: IntentData, clean: CleanPool, *, context: Context) -> RelevantPool:
        """Return the relevant rows, best first. Raises DataError when nothing is kept."""
        found = find_relevant(
            clean.pool.text_pieces,
            seed=data.seed,
            background=data.background,
            settings=self,
            random_seed=context.random_seed,
            mapper=context.mapper,
            folder=context.checkpoints,
        )
        kept = rows_at(clean.pool, found.selection.positions)
        return RelevantPool(
            rows=_with_reasons(kept, found, [u.text for u in data.seed]),
            scores=found.scores,
            curves=_relevance_curves(found),
        )


def _with_reasons(kept: pa.Table, found: Relevant, seed: Sequence[str]) -> pa.Table:
    """Return the kept rows with their score, their strongest n-grams and their nearest seed utterance."""
    texts = kept.column("text").to_pylist()
    nearest = nearest_seed(texts, list(seed))
    strongest = strongest_ngrams(texts, found.fitted.model) if found.fitted.model else [()] * len(texts)
    columns = {
        "relevance": pa.array(found.selection.gains),
        "strongest_ngrams": pa.array([", ".join(f"{n.ngram} {n.weight:+.2f}" for n in row) for row in strongest]),
        "nearest_seed": pa.array([seed[i] if i >= 0 else "" for i in nearest.positions]),
        "nearest_seed_similarity": pa.array(nearest.similarities),
    }
    for name, values in columns.items():
        kept = kept.append_column(name, values)
    return kept


def _relevance_curves(found: Relevant) -> Mapping[str, Json]:
    """Return the sorted scores at 200 ranks, and the precision curve where there is one."""
    ranked = found.scores.values[found.scores.best_first()]
    ranks = np.unique(np.geomspace(1, len(ranked), 200).astype(np.int64)) if len(ranked) else np.zeros(0, np.int64)
    curve = found.fitted.curve
    precision: list[Json] = []
    if curve is not None:
        points = zip(curve.thresholds, curve.precision, curve.recall, strict=True)
        precision = [{"threshold": float(t), "precision": float(p), "recall": float(r)} for t, p, r in points]
    by_rank: list[Json] = [{"rank": int(rank), "score": float(ranked[rank - 1])} for rank in ranks]
    return {"score_by_rank": by_rank, "precision": precision, "name": found.scores.name}
