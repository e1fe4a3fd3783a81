"""What people should do next for a language: which source requests to translate, which recordings to transcribe.

Both are chosen as texts to annotate are (Settles 2010): where our own answer is doubtful, many others are alike, and
nothing that people have done is; by facility location over the doubtful ones.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from seedcorn.corpus.text import words
from seedcorn.diversity.annotate import cover_doubtful
from seedcorn.diversity.objectives import Budget
from seedcorn.errors import DataError
from seedcorn.files import read_json, write_json, write_text_whole
from seedcorn.input_files import InputFile
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.nbest_lists import NBestLists
from seedcorn.language.posteriors import recordings_of
from seedcorn.pretrained import Checkpoint
from seedcorn.runs import Context, Stage
from seedcorn.selection import FloatArray
from seedcorn.speech.posteriors import Posteriors
from seedcorn.speech.sources import read_source

_N_DIMENSIONS = 64


@dataclass(frozen=True, kw_only=True)
class ToDo:
    """A source request or a recording: what we make of it ourselves, and the probability of a word or symbol of that.

    ``text`` is empty for a recording; ``cost`` counts words, or whole seconds.
    """

    id: str
    text: str
    proposed: str
    probability: float
    cost: int


@dataclass(frozen=True, kw_only=True)
class ForPeople:
    """What people should do next, most valuable first."""

    rows: Sequence[ToDo]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are, and what they cost together."""
        return {"n_tasks": len(self.rows), "n_cost": sum(row.cost for row in self.rows)}

    def save(self, folder: Path) -> None:
        """Write the tasks as a table with tabs, which spreadsheets read, and as JSON."""
        table = io.StringIO()
        writer = csv.writer(table, delimiter="\t", lineterminator="\n")
        writer.writerow(("id", "text", "proposed", "probability"))
        writer.writerows((row.id, row.text, row.proposed, f"{row.probability:.3f}") for row in self.rows)
        write_text_whole(folder / "tasks.tsv", table.getvalue())
        write_json([row.__dict__ for row in self.rows], folder / "tasks.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(rows=read_json(folder / "tasks.json", list[ToDo]))


class ChooseToTranslate(Stage[ForPeople]):
    """Choose the source requests whose translation by a person is worth most.

    ``batch_size`` requests, or as many as have together ``n_words`` words, of the ``n_unsure`` most doubtful ones.
    """

    stage_name: ClassVar[str] = "to-translate"

    batch_size: int = Field(25, ge=1)
    n_words: int | None = Field(None, ge=1)
    n_unsure: int = Field(1000, ge=1)

    def __call__(self, data: LanguageData, nbest: NBestLists, *, context: Context) -> ForPeople:
        """Return the requests. A request without a translation is as doubtful as can be."""
        rows = _requests(data, nbest)
        known = [u.text for u in data.dev_source]
        return ForPeople(rows=_most_valuable(rows, [r.text for r in rows], known, self, self.n_words, context))


class ChooseToTranscribe(Stage[ForPeople]):
    """Choose the recordings whose transcription by a person is worth most.

    ``untranscribed`` are posteriors, or a manifest of recordings with an ``acoustic_model`` or a ``checkpoint`` (see
    ``seedcorn speech decode``). ``batch_size`` recordings, or as many as last together ``n_seconds``.
    """

    stage_name: ClassVar[str] = "to-transcribe"

    untranscribed: InputFile
    symbols: InputFile | None = None
    acoustic_model: InputFile | None = None
    checkpoint: Checkpoint | None = None
    recordings: tuple[InputFile, ...] = Field((), validate_default=True)
    batch_size: int = Field(25, ge=1)
    n_seconds: int | None = Field(None, ge=1)
    n_unsure: int = Field(1000, ge=1)

    @field_validator("recordings", mode="after")
    @classmethod
    def _of_the_manifest(cls, given: tuple[InputFile, ...], info: ValidationInfo) -> tuple[InputFile, ...]:
        file = info.data.get("untranscribed")
        return given if file is None else recordings_of(file)

    def __call__(self, transcripts: Transcripts, *, context: Context) -> ForPeople:
        """Return the recordings. Raises DataError when there are none."""
        speech = read_source(
            self.untranscribed.path,
            acoustic_model=None if self.acoustic_model is None else self.acoustic_model.path,
            checkpoint=str(self.checkpoint or ""),
            symbols=None if self.symbols is None else self.symbols.path,
        )
        rows = _recordings(speech)
        if not rows:
            raise DataError(wanted="recordings to transcribe", found="none", where=self.untranscribed.written)
        recognised = [row.proposed for row in rows]
        return ForPeople(rows=_most_valuable(rows, recognised, transcripts.texts, self, self.n_seconds, context))


def _requests(data: LanguageData, nbest: NBestLists) -> list[ToDo]:
    """Return all source requests; the probability is the geometric mean over the words of the best translation."""
    best: dict[int, tuple[str, float]] = {
        row["position"]: (row["hypotheses"][0]["text"], row["hypotheses"][0]["logp"])
        for row in nbest.lists.to_pylist()
        if row["hypotheses"]
    }
    rows, seen = [], {u.text for u in data.dev_source}
    for position, utterance in enumerate(data.source):
        if utterance.text in seen:
            continue
        seen.add(utterance.text)
        proposed, logp = best.get(position, ("", -np.inf))
        probability = float(np.exp(min(logp, 0.0) / max(len(words(proposed)), 1)))
        cost = max(len(words(utterance.text)), 1)
        rows.append(ToDo(id=utterance.id, text=utterance.text, proposed=proposed, probability=probability, cost=cost))
    return rows


def _recordings(speech: Posteriors) -> list[ToDo]:
    """Return all recordings; the probability is the mean over the steps that are most probably some symbol."""
    from seedcorn.speech.acoustic import greedy_text

    rows = []
    for utterance_id, logps in zip(speech.ids, speech.logps, strict=True):
        symbols = logps.argmax(axis=1) != speech.alphabet.blank if len(logps) else np.zeros(0, dtype=np.bool_)
        sure = np.exp(logps.max(axis=1).astype(np.float64))[symbols] if symbols.any() else np.zeros(1)
        seconds = max(int(np.ceil(len(logps) * speech.seconds_per_step)), 1)
        text = greedy_text(logps, speech.alphabet)
        rows.append(ToDo(id=utterance_id, text="", proposed=text, probability=float(sure.mean()), cost=seconds))
    return rows


def _most_valuable(
    rows: Sequence[ToDo],
    texts: Sequence[str],
    known: Sequence[str],
    settings: ChooseToTranslate | ChooseToTranscribe,
    n_cost: int | None,
    context: Context,
) -> list[ToDo]:
    """Return the batch; ``texts`` tell which rows are alike, and what of them is like what is ``known``."""
    from seedcorn.relevance.embedding import fit_encoder

    if not rows:
        return []
    encoder = fit_encoder([*known, *texts], n_dimensions=_N_DIMENSIONS, random_seed=context.random_seed)
    doubts: FloatArray = np.array([1.0 - row.probability for row in rows])
    picks = cover_doubtful(
        doubts if doubts.any() else np.ones(len(rows)),
        encoder.encode(list(texts)),
        labelled_vectors=encoder.encode(list(known)),
        budget=_budget(rows, settings.batch_size, n_cost),
        n_unsure=settings.n_unsure,
    )
    return [rows[i] for i in picks.positions.tolist()]


def _budget(rows: Sequence[ToDo], n_rows: int, n_cost: int | None) -> Budget:
    """Return the budget of ``n_cost`` where it is given, else of ``n_rows``; of all rows where there are fewer."""
    if n_cost is None:
        return Budget.utterances(min(n_rows, len(rows)), n_rows=len(rows))
    costs = np.array([row.cost for row in rows], dtype=np.int64)
    return Budget.words(min(n_cost, int(costs.sum())), words_of_rows=costs)
