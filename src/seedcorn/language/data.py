"""What the language pipeline starts from: transcripts, in-domain source text, dev and test."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.pair_direction import check_direction
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.settings import CorpusFile, nonempty, parts_of_corpora
from seedcorn.corpus.tables import read_utterances, write_utterances
from seedcorn.corpus.text import normalise
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.files import write_json
from seedcorn.input_files import InputFile
from seedcorn.runs import Context, Stage

BUILTIN_PAIRS = "builtin:pairs"
_BUILTIN_RANDOM_SEED = 1
_N_BUILTIN_PAIRS = 5_000


class PairFile(Settings):
    """One file of sentence pairs; with ``target`` the two are files of lines side by side (Moses).

    ``builtin:pairs`` names ``n_rows`` pairs of the built-in corpus, English to Hindi.
    """

    path: InputFile
    target: InputFile | None = None
    format: str | None = None
    n_rows: int | None = Field(None, ge=1)

    def open(self, source_lang: str, target_lang: str) -> PairCorpus:
        """Return the pairs, streamed. Raises DataError for a file in the other direction."""
        if self.path.is_builtin:
            return self._builtin()
        from seedcorn.corpus.formats.pairs import read_pairs

        pairs = read_pairs(
            self.path.path,
            target=None if self.target is None else self.target.path,
            format=self.format,
            source_lang=source_lang,
            target_lang=target_lang,
        )
        # Among others the rows of a swapped file would only be rejected, one by one.
        check_direction(pairs, source_lang=source_lang, target_lang=target_lang, where=self.path.path)
        return pairs

    def _builtin(self) -> PairCorpus:
        from seedcorn.corpus.builtin import builtin_pairs

        if self.path.written != BUILTIN_PAIRS:
            raise ConfigError(wanted=BUILTIN_PAIRS, found=f"'{self.path.written}'")
        return builtin_pairs(self.n_rows or _N_BUILTIN_PAIRS, random_seed=_BUILTIN_RANDOM_SEED)


@dataclass(frozen=True, kw_only=True)
class LanguageData:
    """The utterances of the language pipeline; ``dev_source`` and ``oracle_target`` are empty when not given."""

    source_lang: str
    target_lang: str
    transcripts: list[Utterance]
    source: list[Utterance]
    dev: list[Utterance]
    test: list[Utterance]
    dev_source: list[Utterance]
    oracle_target: list[Utterance]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances each set has."""
        return {f"n_{name}": len(getattr(self, name)) for name in _SETS}

    def dev_pairs(self) -> list[SentencePair]:
        """Return the normalised dev pairs, where dev has a source side."""
        return side_by_side(self.dev_source, self.dev)

    def save(self, folder: Path) -> None:
        """Write each set as Parquet."""
        for name in _SETS:
            write_utterances(getattr(self, name), folder / f"{name}.parquet")
        write_json({"source_lang": self.source_lang, "target_lang": self.target_lang}, folder / "languages.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        languages = json.loads((folder / "languages.json").read_text("utf-8"))
        sets = {name: read_utterances(folder / f"{name}.parquet") for name in _SETS}
        return cls(**{**languages, **sets})


_IN_WORDS = {
    "source": "in-domain source text",
    "dev_source": "the source side of dev",
    "oracle_target": "the true translations",
}
_SETS = tuple(field.name for field in fields(LanguageData) if not field.name.endswith("_lang"))


class ReadLanguageData(Stage[LanguageData]):
    """Read the texts of both languages; languages are codes such as "hi" or "hi-IN".

    ``transcripts`` are in-domain text in the target language, of which ``n_transcripts`` are drawn (all when not
    given); ``source`` is in-domain text in the source language, with slots where they are known. ``dev_source`` holds
    the source side of ``dev`` under the same ids: it tunes the translator. ``oracle_target`` holds the true
    translations of ``source`` under the same ids, for a study to compare with alone. ``pairs`` and ``dictionary`` are
    general sentence pairs and word pairs. Of ``dev`` so many as ``n_dev`` are taken, spread evenly (all when not
    given): who has few transcripts has no large dev either.
    """

    stage_name: ClassVar[str] = "data"
    is_random: ClassVar[bool] = False

    source_lang: str
    target_lang: str
    transcripts: CorpusFile
    n_transcripts: int | None = Field(None, ge=1)
    n_dev: int | None = Field(None, ge=1)
    source: tuple[CorpusFile, ...] = Field(min_length=1)
    pairs: tuple[PairFile, ...] = Field(min_length=1)
    dictionary: tuple[PairFile, ...] = ()
    dev: CorpusFile
    test: CorpusFile
    dev_source: CorpusFile | None = None
    oracle_target: CorpusFile | None = None

    def __call__(self, *, context: Context) -> LanguageData:
        """Return the utterances; those without an id are named by their row. Raises DataError for an empty set."""
        sets = _sets_of(
            [
                ("transcripts", self.transcripts),
                *(("source", file) for file in self.source),
                ("dev", self.dev),
                ("test", self.test),
                ("dev_source", self.dev_source),
                ("oracle_target", self.oracle_target),
            ]
        )
        dev = _spread(sets.pop("dev"), self.n_dev)
        return LanguageData(source_lang=self.source_lang, target_lang=self.target_lang, dev=dev, **sets)


def _sets_of(files: Sequence[tuple[str, CorpusFile | None]]) -> dict[str, list[Utterance]]:
    """Return the utterances of each set, those of its files one after the other; a set without a file is empty."""
    given = [(name, file) for name, file in files if file is not None]
    sets: dict[str, list[Utterance]] = {name: [] for name, _ in files}
    for (name, file), corpus in zip(given, parts_of_corpora([file for _, file in given]), strict=True):
        sets[name] += _with_ids(nonempty(corpus, name=_IN_WORDS.get(name, name), where=file.path.written).utterances())
    return sets


def _spread(utterances: list[Utterance], n_taken: int | None) -> list[Utterance]:
    """Return ``n_taken`` utterances spread evenly, all when there are no more."""
    if n_taken is None or n_taken >= len(utterances):
        return utterances
    return [utterances[row] for row in np.linspace(0, len(utterances) - 1, n_taken).astype(np.int64)]


def _with_ids(utterances: Sequence[Utterance]) -> list[Utterance]:
    return [u if u.id else replace(u, id=str(row)) for row, u in enumerate(utterances)]


@dataclass(frozen=True, kw_only=True)
class Transcripts:
    """The transcripts that a run knows: a subset, drawn at random, of those there are."""

    utterances: list[Utterance]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are."""
        return {"n_kept": len(self.utterances)}

    @property
    def texts(self) -> list[str]:
        """The texts as they are written."""
        return [u.text for u in self.utterances]

    def save(self, folder: Path) -> None:
        """Write them as Parquet."""
        write_utterances(self.utterances, folder / "transcripts.parquet")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(utterances=read_utterances(folder / "transcripts.parquet"))


class DrawTranscripts(Stage[Transcripts]):
    """Draw ``n_transcripts`` transcripts at random, or take all; smaller draws are parts of larger ones."""

    stage_name: ClassVar[str] = "transcripts"

    n_transcripts: int | None = Field(None, ge=1)

    def __call__(self, data: LanguageData, *, context: Context) -> Transcripts:
        """Return them in the order of the corpus. Raises DataError when there are fewer."""
        return Transcripts(utterances=drawn(data.transcripts, self.n_transcripts, rng=context.rng()))


def drawn(transcripts: Sequence[Utterance], n_drawn: int | None, *, rng: np.random.Generator) -> list[Utterance]:
    """Return ``n_drawn`` transcripts in the order of the corpus; smaller draws are parts of larger ones."""
    if n_drawn is None:
        return list(transcripts)
    if n_drawn > len(transcripts):
        raise DataError(
            wanted=f"{n_drawn:,} transcripts", found=f"{len(transcripts):,}", fix="Lower data.n_transcripts."
        )
    return [transcripts[row] for row in np.sort(rng.permutation(len(transcripts))[:n_drawn])]


def side_by_side(source: Sequence[Utterance], target: Sequence[Utterance]) -> list[SentencePair]:
    """Return the pairs of ``source`` and ``target`` utterances of the same id, normalised, in the order of ``target``.

    Raises DataError when there are two lists and no id in common.
    """
    by_id = {u.id: u for u in source}
    pairs = [
        SentencePair(source=normalise(by_id[u.id].text), target=normalise(u.text), id=u.id)
        for u in target
        if u.id in by_id
    ]
    if source and target and not pairs:
        raise DataError(
            wanted="the same ids in both languages", found=f"'{source[0].id}' and '{target[0].id}', none in common"
        )
    return [pair for pair in pairs if pair.source and pair.target]
