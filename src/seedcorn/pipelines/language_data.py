"""What the language pipeline starts from: transcripts, in-domain source text, sentence pairs, dev and test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.text import fold
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.pipelines.corpus_files import CorpusFile, nonempty, open_corpus, resolved_path

BUILTIN_PAIRS = "builtin:pairs"
_BUILTIN_RANDOM_SEED = 1
_N_BUILTIN_PAIRS = 5_000


class PairFile(Settings):
    """One file of sentence pairs; with ``target`` the two are files of lines side by side (Moses).

    ``builtin:pairs`` names ``n_rows`` pairs of the built-in corpus, English to Hindi.
    """

    path: str
    target: str | None = None
    format: str | None = None
    n_rows: int | None = Field(None, ge=1)


class LanguageDataSettings(Settings):
    """The texts of the language pipeline; languages are codes such as "hi" or "hi-IN".

    ``transcripts`` are in-domain text in the target language, of which ``n_transcripts`` are drawn (all when not
    given); ``source`` is in-domain text in the source language, with slots where they are known. ``dev_source`` holds
    the source side of ``dev`` under the same ids: it tunes the translator. ``true_target`` holds the true translations
    of ``source`` under the same ids: it is the ceiling of a study and trains nothing else.
    """

    source_lang: str
    target_lang: str
    transcripts: CorpusFile
    n_transcripts: int | None = Field(None, ge=1)
    source: tuple[CorpusFile, ...] = Field(min_length=1)
    pairs: tuple[PairFile, ...] = Field(min_length=1)
    dictionary: tuple[PairFile, ...] = ()
    dev: CorpusFile
    test: CorpusFile
    dev_source: CorpusFile | None = None
    true_target: CorpusFile | None = None


@dataclass(frozen=True, kw_only=True)
class LanguageData:
    """The utterances of the language pipeline; ``dev_source`` and ``true_target`` are empty when not given."""

    transcripts: list[Utterance]
    source: list[Utterance]
    dev: list[Utterance]
    test: list[Utterance]
    dev_source: list[Utterance]
    true_target: list[Utterance]


def load_language_data(settings: LanguageDataSettings, *, relative_to: Path, random_seed: int) -> LanguageData:
    """Return the utterances; which transcripts are drawn depends on ``random_seed`` alone.

    Utterances without an id are named by their row. Raises DataError for an empty set, or for more transcripts than
    there are.
    """

    def rows(file: CorpusFile | None, name: str) -> list[Utterance]:
        if file is None:
            return []
        found = nonempty(open_corpus(file, relative_to=relative_to), name=name, where=file.path).utterances()
        return [u if u.id else replace(u, id=str(row)) for row, u in enumerate(found)]

    transcripts = rows(settings.transcripts, "transcripts")
    return LanguageData(
        transcripts=drawn(transcripts, settings.n_transcripts, rng=np.random.default_rng(random_seed)),
        source=[u for file in settings.source for u in rows(file, "in-domain source text")],
        dev=rows(settings.dev, "dev"),
        test=rows(settings.test, "test"),
        dev_source=rows(settings.dev_source, "the source side of dev"),
        true_target=rows(settings.true_target, "the true translations"),
    )


def drawn(transcripts: Sequence[Utterance], n_drawn: int | None, *, rng: np.random.Generator) -> list[Utterance]:
    """Return ``n_drawn`` transcripts in the order of the corpus; smaller draws are parts of larger ones."""
    if n_drawn is None:
        return list(transcripts)
    if n_drawn > len(transcripts):
        raise DataError(
            wanted=f"{n_drawn:,} transcripts", found=f"{len(transcripts):,}", fix="Lower data.n_transcripts."
        )
    return [transcripts[row] for row in np.sort(rng.permutation(len(transcripts))[:n_drawn])]


def read_pair_files(files: Sequence[PairFile], settings: LanguageDataSettings, *, relative_to: Path) -> PairCorpus:
    """Return the pairs of ``files``, streamed one after the other.

    Raises DataError for a file in the other direction: among others its rows would only be rejected, one by one.
    """
    corpora = [_open_pairs(file, settings, relative_to) for file in files]

    def batches() -> Iterator[pa.RecordBatch]:
        for corpus in corpora:
            yield from corpus.batches()

    return PairCorpus(batches)


def _open_pairs(file: PairFile, settings: LanguageDataSettings, relative_to: Path) -> PairCorpus:
    if file.path == BUILTIN_PAIRS:
        from seedcorn.corpus.builtin import builtin_pairs

        return builtin_pairs(file.n_rows or _N_BUILTIN_PAIRS, random_seed=_BUILTIN_RANDOM_SEED)
    from seedcorn.corpus.formats.pairs import read_pairs
    from seedcorn.corpus.pair_cleaning import check_direction

    path = resolved_path(file.path, relative_to=relative_to)
    pairs = read_pairs(
        path,
        target=None if file.target is None else resolved_path(file.target, relative_to=relative_to),
        format=file.format,
        source_lang=settings.source_lang,
        target_lang=settings.target_lang,
    )
    check_direction(pairs, source_lang=settings.source_lang, target_lang=settings.target_lang, where=path)
    return pairs


def text_files(settings: LanguageDataSettings, *, relative_to: Path) -> dict[str, Path]:
    """Return every file of utterances by the name of its setting; built-in corpora have none."""
    named = {name: getattr(settings, name) for name in ("transcripts", "dev", "test", "dev_source", "true_target")}
    named |= {f"source{i}": file for i, file in enumerate(settings.source)}
    return _existing({name: file.path for name, file in named.items() if file is not None}, relative_to)


def pair_files(settings: LanguageDataSettings, *, relative_to: Path) -> dict[str, Path]:
    """Return every file of pairs by the name of its setting; built-in corpora have none."""
    named: dict[str, str] = {}
    for setting, files in (("pairs", settings.pairs), ("dictionary", settings.dictionary)):
        for number, file in enumerate(files):
            named[f"{setting}{number}"] = file.path
            if file.target is not None:
                named[f"{setting}{number}_target"] = file.target
    return _existing(named, relative_to)


def _existing(named: Mapping[str, str], relative_to: Path) -> dict[str, Path]:
    return {
        name: resolved_path(path, relative_to=relative_to)
        for name, path in named.items()
        if not path.startswith("builtin:")
    }


def side_by_side(source: Sequence[Utterance], target: Sequence[Utterance]) -> list[SentencePair]:
    """Return the pairs of ``source`` and ``target`` utterances of the same id, folded, in the order of ``target``.

    Raises DataError when there are two lists and no id in common.
    """
    by_id = {u.id: u for u in source}
    pairs = [SentencePair(source=fold(by_id[u.id].text), target=fold(u.text), id=u.id) for u in target if u.id in by_id]
    if source and target and not pairs:
        raise DataError(
            wanted="the same ids in both languages", found=f"'{source[0].id}' and '{target[0].id}', none in common"
        )
    return [pair for pair in pairs if pair.source and pair.target]
