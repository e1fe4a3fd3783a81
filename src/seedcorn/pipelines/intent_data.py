"""What the intent pipeline starts from: seed, background, pool, dev and test, given as files or cut from one corpus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.utterances import UTTERANCE_SCHEMA, Corpus, Utterance, empty_column, table_of
from seedcorn.errors import ConfigError, DataError, nearest
from seedcorn.pipelines.corpus_files import CorpusFile, nonempty, open_corpus, resolved_path

_LABELS = ("domain", "intent", "slots")


class AnnotatedCorpus(Settings):
    """One annotated corpus to cut a simulated functionality from, for studies.

    ``n_seed`` training utterances of the functionality are the seed and ``background_fraction`` of the other intents'
    training utterances the background; the rest of the training part goes into the pool with its labels hidden.
    """

    train: CorpusFile
    dev: CorpusFile
    test: CorpusFile
    n_seed: int = Field(50, ge=1)
    background_fraction: float = Field(0.5, gt=0, lt=1)


class IntentDataSettings(Settings):
    """Either ``annotated``, or the files ``seed``, ``background``, ``dev`` and ``test``; ``pool`` in both cases."""

    annotated: AnnotatedCorpus | None = None
    seed: CorpusFile | None = None
    background: CorpusFile | None = None
    dev: CorpusFile | None = None
    test: CorpusFile | None = None
    pool: tuple[CorpusFile, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        files = (self.seed, self.background, self.dev, self.test)
        if self.annotated is not None and any(files):
            raise ValueError("give either 'annotated' or 'seed', 'background', 'dev' and 'test', not both")
        if self.annotated is None and not all(files):
            raise ValueError("give 'seed', 'background', 'dev' and 'test', or 'annotated' to cut them from")
        return self


@dataclass(frozen=True, kw_only=True)
class IntentData:
    """The five sets of the intent pipeline.

    ``pool`` carries no labels. ``hidden`` holds the true labels of its first rows where the pool was cut from an
    annotated corpus: they are for the ceiling of a study and for nothing else.
    """

    intents: tuple[str, ...]
    seed: list[Utterance]
    background: list[Utterance]
    pool: Corpus
    dev: list[Utterance]
    test: list[Utterance]
    hidden: list[Utterance]


def load_intent_data(
    settings: IntentDataSettings, *, intents: Sequence[str], relative_to: Path, random_seed: int
) -> IntentData:
    """Return the data of one functionality; which utterances are the seed depends on ``random_seed`` alone.

    Raises DataError for an empty set, a background without other intents, and a dev or test set without the
    functionality; ConfigError for an intent that the seed does not have.
    """
    if settings.annotated is not None:
        data = _cut(settings.annotated, settings.pool, intents, relative_to, np.random.default_rng(random_seed))
    else:
        files = {"seed": settings.seed, "background": settings.background, "dev": settings.dev, "test": settings.test}
        sets = {name: _rows(file, name, relative_to) for name, file in files.items() if file is not None}
        data = _from_sets(sets, _unlabelled([], settings.pool, relative_to), intents)
    nonempty(data.pool, name="pool", where="data.pool")
    _check_background(data)
    _check_measurable(data)
    return data


def data_files(settings: IntentDataSettings, *, relative_to: Path) -> dict[str, Path]:
    """Return every file that the data come from, by the name of its setting; built-in corpora have none."""
    annotated = settings.annotated
    named = {name: getattr(settings, name) for name in ("seed", "background", "dev", "test")}
    if annotated is not None:
        named = {"train": annotated.train, "dev": annotated.dev, "test": annotated.test}
    named |= {f"pool{i}": file for i, file in enumerate(settings.pool)}
    return {
        name: resolved_path(file.path, relative_to=relative_to)
        for name, file in named.items()
        if not file.path.startswith("builtin:")
    }


def _rows(file: CorpusFile, name: str, relative_to: Path) -> list[Utterance]:
    return nonempty(open_corpus(file, relative_to=relative_to), name=name, where=file.path).utterances()


def _from_sets(sets: Mapping[str, list[Utterance]], pool: Corpus, intents: Sequence[str]) -> IntentData:
    _check_intents(intents, sets["seed"])
    return IntentData(
        intents=tuple(intents),
        seed=[u for u in sets["seed"] if u.intent in intents],
        background=[u for u in sets["background"] if u.intent not in intents],
        pool=pool,
        dev=sets["dev"],
        test=sets["test"],
        hidden=[],
    )


def _cut(
    annotated: AnnotatedCorpus,
    pool: Sequence[CorpusFile],
    intents: Sequence[str],
    relative_to: Path,
    rng: np.random.Generator,
) -> IntentData:
    train = open_corpus(annotated.train, relative_to=relative_to).utterances()
    _check_intents(intents, train)
    wanted = rng.permutation([i for i, u in enumerate(train) if u.intent in intents])
    others = rng.permutation([i for i, u in enumerate(train) if u.intent not in intents])
    if annotated.n_seed > len(wanted):
        raise DataError(
            wanted=f"{annotated.n_seed} seed utterances of {', '.join(intents)}",
            found=f"{len(wanted)}",
            where=annotated.train.path,
            fix="Lower data.annotated.n_seed.",
        )
    n_background = round(annotated.background_fraction * len(others))
    hidden = [train[i] for i in sorted((*wanted[annotated.n_seed :], *others[n_background:]))]
    return IntentData(
        intents=tuple(intents),
        seed=[train[i] for i in sorted(wanted[: annotated.n_seed])],
        background=[train[i] for i in sorted(others[:n_background])],
        pool=_unlabelled(hidden, pool, relative_to),
        dev=open_corpus(annotated.dev, relative_to=relative_to).utterances(),
        test=open_corpus(annotated.test, relative_to=relative_to).utterances(),
        hidden=hidden,
    )


def _check_intents(intents: Sequence[str], utterances: Sequence[Utterance]) -> None:
    known = sorted({u.intent for u in utterances if u.intent})
    for intent in intents:
        if intent not in known:
            fix = nearest(intent, known) if known else "None of its utterances has an intent."
            raise ConfigError(wanted="an intent that the seed has examples of", found=f"'{intent}'", fix=fix)


def _check_background(data: IntentData) -> None:
    if not data.background:
        raise DataError(
            wanted="background utterances of other intents than the functionality",
            found="none",
            where="data.background",
            fix="Give annotated utterances of what the system does already.",
        )


def _check_measurable(data: IntentData) -> None:
    for name, utterances in (("dev", data.dev), ("test", data.test)):
        if not any(u.intent in data.intents for u in utterances):
            raise DataError(
                wanted=f"utterances of {', '.join(data.intents)} in {name}, to measure on",
                found=f"none among {len(utterances):,}",
                where=f"data.{name}",
                fix=f"Add some to {name}, or check its path and 'where'.",
            )


def _unlabelled(hidden: Sequence[Utterance], files: Sequence[CorpusFile], relative_to: Path) -> Corpus:
    """Return the pool as one streamed corpus: ``hidden`` without labels first, then the files in order."""
    first = table_of(replace(u, domain="", intent="", slots=()) for u in hidden)
    corpora = [open_corpus(file, relative_to=relative_to) for file in files]

    def batches() -> Iterator[pa.RecordBatch]:
        yield from first.to_batches()
        for corpus in corpora:
            for batch in corpus.batches():
                yield _without_labels(batch)

    return Corpus(batches)


def _without_labels(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        empty_column(field, batch.num_rows) if field.name in _LABELS else batch.column(field.name)
        for field in UTTERANCE_SCHEMA
    ]
    return pa.RecordBatch.from_arrays(columns, schema=UTTERANCE_SCHEMA)
