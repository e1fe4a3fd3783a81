"""The pool without repetitions and without evaluation text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.contamination import CopySettings, Screening, screen_pool
from seedcorn.corpus.tables import POSITION, open_parquet, rows_at, write_batches
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.errors import DataError
from seedcorn.files import read_json, write_json
from seedcorn.intent.answers import Answers
from seedcorn.intent.data import IntentData
from seedcorn.runs import Context, Stage


@dataclass(frozen=True, kw_only=True)
class CleanPool:
    """The pool without repetitions and without what is in dev or test.

    ``pool`` has the position of each row in the pool as read and how many rows it stands for, ``rejects`` the rows too
    near to evaluation text with the text they are near to.
    """

    pool: Corpus
    rejects: pa.Table
    counts: Mapping[str, int]

    def save(self, folder: Path) -> None:
        """Write the pool while it streams."""
        write_batches(self.pool.batches(), self.pool.schema, folder / "pool.parquet")
        pq.write_table(self.rejects, folder / "rejects.parquet")
        write_json(self.counts, folder / "counts.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote; the pool is streamed from there."""
        return cls(
            pool=open_parquet(folder / "pool.parquet"),
            rejects=pq.read_table(folder / "rejects.parquet"),
            counts=read_json(folder / "counts.json", dict[str, int]),
        )


class RemoveContamination(CopySettings, Stage[CleanPool]):
    """Collapse equal pool rows, and remove those equal or nearly equal to dev or test."""

    stage_name: ClassVar[str] = "contamination"
    is_random: ClassVar[bool] = False

    def __call__(self, data: IntentData, *generated: Answers, context: Context) -> CleanPool:
        """Return the rows that may be used, what was ``generated`` last. Raises DataError when there are none."""
        evaluation, pool = [*data.dev, *data.test], data.pool_with(*(answers.utterances for answers in generated))
        screening = screen_pool(
            pool.text_pieces(),
            [u.text for u in evaluation],
            threshold=self.similarity,
            mapper=context.mapper,
            folder=context.checkpoints,
        )
        codes, kept = screening.selection.reject_codes, screening.selection.positions
        if not len(kept):
            raise DataError(
                wanted="pool utterances that are not in dev or test",
                found=f"none: all {screening.selection.n_rows:,} are equal or nearly equal to one",
                where="data.pool",
                fix="Give a pool of other text.",
            )
        schema = pool.schema.append(pa.field(POSITION, pa.int64())).append(pa.field("n_copies", pa.int64()))
        by_reason = {
            f"n_{reason.replace(' ', '_')}": int((codes == i).sum())
            for i, reason in enumerate(screening.selection.reject_reasons)
        }
        return CleanPool(
            pool=Corpus(partial(_kept_rows, pool, screening), schema),
            rejects=_near_evaluation(pool, screening, evaluation),
            counts={"n_in": len(codes), "n_kept": len(kept), "n_rejected": len(codes) - len(kept), **by_reason},
        )


def _kept_rows(pool: Corpus, screening: Screening) -> Iterator[pa.RecordBatch]:
    """Yield the kept rows with their position in the pool as read, and how many rows each stands for."""
    start = 0
    for batch in pool.batches():
        kept = np.flatnonzero(screening.selection.reject_codes[start : start + batch.num_rows] < 0)
        columns = [*batch.take(pa.array(kept)).columns, pa.array(kept + start)]
        columns.append(pa.array(screening.n_copies[kept + start]))
        yield pa.RecordBatch.from_arrays(columns, names=[*batch.schema.names, POSITION, "n_copies"])
        start += batch.num_rows


def _near_evaluation(pool: Corpus, screening: Screening, evaluation: Sequence[Utterance]) -> pa.Table:
    """Return the rows that were too near to evaluation text, each with the text it is near to."""
    near = screening.evaluation
    return pa.table(
        {
            POSITION: near.positions,
            "text": rows_at(pool, near.positions).column("text"),
            "near_to": pa.array([evaluation[i].text for i in near.matches], pa.string()),
            "similarity": near.similarities,
        }
    )
