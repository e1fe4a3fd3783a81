"""General sentence pairs: read, cleaned, and those near to in-domain text selected."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa

from seedcorn.corpus.pair_cleaning import clean_pairs, spoken_form, take_pairs
from seedcorn.corpus.pairs import PAIR_SCHEMA, PairCorpus
from seedcorn.corpus.parallel import Mapper
from seedcorn.corpus.tables import row_groups, write_batches
from seedcorn.corpus.utterances import ROWS_PER_BATCH
from seedcorn.files import write_json
from seedcorn.language.data import LanguageData, PairFile, Transcripts
from seedcorn.runs import Context, Stage
from seedcorn.selection import Direction, Scores, Selection
from seedcorn.translation.pair_selection import score_pairs, select_pairs
from seedcorn.translation.settings import PairSelectionSettings


@dataclass(frozen=True, kw_only=True)
class CleanPairs:
    """General pairs and a dictionary fit for training, as they are spoken; ``counts`` tell the rejects by reason."""

    pairs: PairCorpus
    dictionary: PairCorpus
    counts: Mapping[str, int]

    def save(self, folder: Path) -> None:
        """Write both as Parquet while they are streamed."""
        write_pairs(self.pairs, folder / "pairs.parquet")
        write_pairs(self.dictionary, folder / "dictionary.parquet")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote, streamed; what was rejected is not kept."""
        pairs, dictionary = (open_pairs(folder / f"{name}.parquet") for name in ("pairs", "dictionary"))
        return cls(pairs=pairs, dictionary=dictionary, counts={})


class CleanPairFiles(Stage[CleanPairs]):
    """Read the general pairs and the dictionary, drop the bad ones, and keep the rest as it is spoken."""

    stage_name: ClassVar[str] = "clean-pairs"
    is_random: ClassVar[bool] = False

    source_lang: str
    target_lang: str
    pairs: tuple[PairFile, ...]
    dictionary: tuple[PairFile, ...] = ()

    def __call__(self, *, context: Context) -> CleanPairs:
        """Return the pairs that are fit for training."""
        pairs, of_pairs = self._cleaned(self.pairs, context.mapper)
        dictionary, of_dictionary = self._cleaned(self.dictionary, context.mapper)
        return CleanPairs(
            pairs=pairs,
            dictionary=dictionary,
            counts={**_counts(of_pairs), "n_dictionary": len(of_dictionary.positions)},
        )

    def _cleaned(self, files: Sequence[PairFile], mapper: Mapper) -> tuple[PairCorpus, Selection]:
        corpora = [file.open(self.source_lang, self.target_lang) for file in files]
        pairs = PairCorpus(lambda: (batch for corpus in corpora for batch in corpus.batches()))
        kept = clean_pairs(pairs, source_lang=self.source_lang, target_lang=self.target_lang, mapper=mapper)
        return spoken_form(take_pairs(pairs, kept.positions)), kept


def _counts(kept: Selection) -> dict[str, int]:
    by_reason = {
        f"n_{reason.replace(' ', '_')}": int((kept.reject_codes == code).sum())
        for code, reason in enumerate(kept.reject_reasons)
    }
    n_kept = len(kept.positions)
    return {"n_in": kept.n_rows, "n_kept": n_kept, "n_rejected": kept.n_rows - n_kept, **by_reason}


@dataclass(frozen=True, kw_only=True)
class SelectedPairs:
    """The pairs nearest to in-domain text, in the order of the clean pairs, and how near every pair is."""

    pairs: PairCorpus
    scores: Scores
    counts: Mapping[str, int]

    def save(self, folder: Path) -> None:
        """Write the pairs as Parquet, the scores as .npz, what is missing told by a mask."""
        write_pairs(self.pairs, folder / "pairs.parquet")
        missing = np.zeros(len(self.scores), np.bool_) if self.scores.missing is None else self.scores.missing
        about = {"name": self.scores.name, "direction": self.scores.direction.value, "unit": self.scores.unit}
        write_json(about, folder / "scores.json")
        np.savez_compressed(folder / "scores.npz", values=self.scores.values, missing=missing)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote; the pairs are streamed."""
        about = json.loads((folder / "scores.json").read_text("utf-8"))
        about["direction"] = Direction(about["direction"])
        with np.load(folder / "scores.npz", allow_pickle=False) as saved:
            scores = Scores(values=saved["values"], missing=saved["missing"], **about)
        return cls(pairs=open_pairs(folder / "pairs.parquet"), scores=scores, counts={})


class SelectPairs(PairSelectionSettings, Stage[SelectedPairs]):
    """Keep the sentence pairs nearest to in-domain text: what translators learn from, and general text."""

    stage_name: ClassVar[str] = "select-pairs"

    def __call__(
        self, data: LanguageData, transcripts: Transcripts, clean: CleanPairs, *, context: Context
    ) -> SelectedPairs:
        """Return the pairs near the transcripts and, by cross-entropy, the source text."""
        scores = score_pairs(
            clean.pairs,
            in_domain=transcripts.texts,
            in_domain_source=[u.text for u in data.source],
            settings=self,
            random_seed=context.random_seed,
            mapper=context.mapper,
        )
        kept = select_pairs(scores, self.cutoff)
        n_rows, n_kept = len(scores), len(kept.positions)
        return SelectedPairs(
            pairs=take_pairs(clean.pairs, kept.positions),
            scores=scores,
            counts={"n_in": n_rows, "n_kept": n_kept, "n_rejected": n_rows - n_kept},
        )


def write_pairs(pairs: PairCorpus, path: Path) -> int:
    """Write ``pairs`` as Parquet while they are streamed, and return their number."""
    return write_batches(_in_even_batches(pairs), PAIR_SCHEMA, path)


def _in_even_batches(pairs: PairCorpus) -> Iterator[pa.RecordBatch]:
    """Yield batches of ROWS_PER_BATCH rows, the last one shorter, so that draws depend on no file's layout."""
    waiting: list[pa.RecordBatch] = []
    for batch in pairs.batches():
        waiting.append(batch)
        if sum(b.num_rows for b in waiting) >= ROWS_PER_BATCH:
            table = pa.Table.from_batches(waiting).combine_chunks()
            n_even = table.num_rows - table.num_rows % ROWS_PER_BATCH
            yield from table.slice(0, n_even).to_batches(max_chunksize=ROWS_PER_BATCH)
            waiting = table.slice(n_even).to_batches()
    if waiting:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()


def open_pairs(path: Path) -> PairCorpus:
    """Return the pairs in a Parquet file, streamed; its row groups can be read alone."""
    return PairCorpus(row_groups(path))
