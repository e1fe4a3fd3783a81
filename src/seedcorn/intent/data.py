"""What the intent pipeline starts from: seed, background, pool, dev and test, given as files or cut from one corpus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.settings import CorpusFile, nonempty, open_corpus, parts_of_corpora, utterances_in
from seedcorn.corpus.tables import open_parquet, read_utterances, write_batches, write_utterances
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA, empty_column
from seedcorn.corpus.utterances import Corpus, Utterance, table_of
from seedcorn.errors import ConfigError, DataError, nearest
from seedcorn.files import read_json, write_json
from seedcorn.runs import Context, Stage

SETS = ("seed", "background", "dev", "test", "hidden")
_LABELS = ("domain", "intent", "slots")
_POOL, _INTENTS = "pool.parquet", "intents.json"


class AnnotatedCorpus(Settings):
    """One annotated corpus to cut a simulated functionality from, for studies.

    ``n_seed`` training utterances of the functionality are the seed and ``background_fraction`` of the other intents'
    training utterances the background; the rest of the training part goes into the pool with its labels hidden. Of dev
    so many utterances of the functionality (``n_own_dev``) and of others (``n_other_dev``) are drawn: as many as a user
    has, not as many as there are; all where they are not given.
    """

    train: CorpusFile
    dev: CorpusFile
    test: CorpusFile
    n_seed: int = Field(50, ge=1)
    background_fraction: float = Field(0.5, gt=0, lt=1)
    n_own_dev: int | None = Field(None, ge=1)
    n_other_dev: int | None = Field(None, ge=1)


@dataclass(frozen=True, kw_only=True)
class IntentData:
    """The five sets of the intent pipeline.

    ``pool`` carries no labels. ``hidden`` holds the true labels of its first rows where the pool was cut from an
    annotated corpus: they are for the oracle of a study and for nothing else.
    """

    intents: tuple[str, ...]
    seed: list[Utterance]
    background: list[Utterance]
    pool: Corpus
    dev: list[Utterance]
    test: list[Utterance]
    hidden: list[Utterance]

    @property
    def labelled(self) -> list[Utterance]:
        """What is annotated to train on: seed and background."""
        return [*self.seed, *self.background]

    def pool_with(self, *further: Sequence[Utterance]) -> Corpus:
        """Return the pool with ``further`` utterances behind it, their labels left out."""
        if not further:
            return self.pool
        tables = [_table_without_labels(utterances) for utterances in further]
        return Corpus(lambda: chain(self.pool.batches(), *(table.to_batches() for table in tables)))

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many utterances each set has."""
        sets = {f"n_{name}": len(getattr(self, name)) for name in SETS}
        return {**sets, "n_pool": self.pool.count()}

    def save(self, folder: Path) -> None:
        """Write a copy of each set."""
        for name in SETS:
            write_utterances(getattr(self, name), folder / f"{name}.parquet")
        write_batches(self.pool.batches(), self.pool.schema, folder / _POOL)
        write_json(self.intents, folder / _INTENTS)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote; the pool is streamed from there."""
        sets = {name: read_utterances(folder / f"{name}.parquet") for name in SETS}
        intents = read_json(folder / _INTENTS, tuple[str, ...])
        return cls(intents=intents, pool=open_parquet(folder / _POOL), **sets)


class ReadIntentData(Stage[IntentData]):
    """Read the sets, and keep a copy of each in the run.

    Give either ``annotated``, or the files ``seed``, ``background``, ``dev`` and ``test``; ``pool`` in both cases.
    ``intents`` are the functionality: one intent, or several that are brought up together.
    """

    stage_name: ClassVar[str] = "data"

    intents: tuple[str, ...] = Field(min_length=1)
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

    def __call__(self, *, context: Context) -> IntentData:
        """Return the data of one functionality; which utterances are the seed depends on the random seed alone.

        Raises DataError for an empty set, a background without other intents, and a dev or test set without the
        functionality; ConfigError for an intent that the seed does not have.
        """
        if self.annotated is not None:
            data = _cut(self.annotated, self.pool, self.intents, context.rng())
        else:
            files = {"seed": self.seed, "background": self.background, "dev": self.dev, "test": self.test}
            sets = {name: utterances_in(file, name=name) for name, file in files.items() if file is not None}
            data = _from_sets(sets, _unlabelled([], self.pool), self.intents)
        nonempty(data.pool, name="pool", where="data.pool")
        _check_background(data)
        _check_measurable(data)
        return data


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
    rng: np.random.Generator,
) -> IntentData:
    train, dev, test = (
        corpus.utterances() for corpus in parts_of_corpora([annotated.train, annotated.dev, annotated.test])
    )
    _check_intents(intents, train)
    wanted = rng.permutation([i for i, u in enumerate(train) if u.intent in intents])
    others = rng.permutation([i for i, u in enumerate(train) if u.intent not in intents])
    if annotated.n_seed > len(wanted):
        raise DataError(
            wanted=f"{annotated.n_seed} seed utterances of {', '.join(intents)}",
            found=f"{len(wanted)}",
            where=annotated.train.path.written,
            fix="Lower data.annotated.n_seed.",
        )
    n_background = round(annotated.background_fraction * len(others))
    hidden = [train[i] for i in sorted((*wanted[annotated.n_seed :], *others[n_background:]))]
    return IntentData(
        intents=tuple(intents),
        seed=[train[i] for i in sorted(wanted[: annotated.n_seed])],
        background=[train[i] for i in sorted(others[:n_background])],
        pool=_unlabelled(hidden, pool),
        dev=_drawn_dev(dev, annotated, intents, rng),
        test=test,
        hidden=hidden,
    )


def _drawn_dev(
    dev: Sequence[Utterance], annotated: AnnotatedCorpus, intents: Sequence[str], rng: np.random.Generator
) -> list[Utterance]:
    """Return ``dev``, at most as much of it as ``annotated`` allows, in its order."""
    own = np.array([u.intent in intents for u in dev], dtype=np.bool_)
    drawn = [
        rng.permutation(np.flatnonzero(own == is_own))[:most]
        for is_own, most in ((True, annotated.n_own_dev), (False, annotated.n_other_dev))
    ]
    return [dev[i] for i in np.sort(np.concatenate(drawn))]


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


def _unlabelled(hidden: Sequence[Utterance], files: Sequence[CorpusFile]) -> Corpus:
    """Return the pool as one streamed corpus: ``hidden`` without labels first, then the files in order."""
    first = _table_without_labels(hidden)
    corpora = [open_corpus(file) for file in files]

    def batches() -> Iterator[pa.RecordBatch]:
        yield from first.to_batches()
        for corpus in corpora:
            for batch in corpus.batches():
                yield _without_labels(batch)

    return Corpus(batches)


def _table_without_labels(utterances: Sequence[Utterance]) -> pa.Table:
    return table_of(replace(u, domain="", intent="", slots=()) for u in utterances)


def _without_labels(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        empty_column(field, batch.num_rows) if field.name in _LABELS else batch.column(field.name)
        for field in UTTERANCE_SCHEMA
    ]
    return pa.RecordBatch.from_arrays(columns, schema=UTTERANCE_SCHEMA)
