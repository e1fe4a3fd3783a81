"""Long translations in parts of fixed size: what a pass hands out, and after which it can go on where it stopped."""

import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.translation.entities import Candidates, Catalogue, Reject, translate_utterances
from seedcorn.translation.settings import EntitySettings
from seedcorn.translation.transliteration import Lexicon

if TYPE_CHECKING:
    from seedcorn.translation.translator import Translator

UTTERANCES_PER_PART = 2_000
Translated: TypeAlias = tuple[list[Candidates], list[Reject]]


class Part(NamedTuple):
    """Utterances that are translated together, the first of them in row ``first``."""

    number: int
    first: int
    utterances: Sequence[Utterance]


def parts_of(utterances: Sequence[Utterance]) -> Iterator[Part]:
    """Yield all ``utterances`` in parts of UTTERANCES_PER_PART."""
    for number, first in enumerate(range(0, len(utterances), UTTERANCES_PER_PART)):
        yield Part(number, first, utterances[first : first + UTTERANCES_PER_PART])


@dataclass(frozen=True, kw_only=True)
class TranslatePart:
    """Translates parts with the translator in ``folder``; settings are as for ``translate_utterances``.

    It can be sent to another process that sees the folder. The randomness of a part follows from its number alone.
    """

    folder: Path
    settings: EntitySettings
    random_seed: int
    catalogue: Catalogue | None = None
    lexicon: Lexicon | None = None
    n_best: int = 10
    n_threads: int = 0

    def __call__(self, part: Part) -> Translated:
        """Return the candidates and the rejects of ``part``, whose positions count from its first row."""
        return translate_utterances(
            part.utterances,
            _translator_in(self.folder, self.n_threads),
            settings=self.settings,
            rng=np.random.default_rng([self.random_seed, part.number]),
            catalogue=self.catalogue,
            lexicon=self.lexicon,
            n_best=self.n_best,
        )


def _translator_in(folder: Path, n_threads: int) -> "Translator":
    """Return the translator in ``folder``, which a process loads once as long as its weights stay."""
    of_task = int(os.environ.get("OMP_NUM_THREADS") or 0)  # a worker of Ray is told so how many processors it has
    saved = [path.stat().st_mtime_ns for path in folder.glob("*") if path.is_file()]
    return _loaded(folder, n_threads or of_task, max(saved, default=0))


@functools.lru_cache(maxsize=2)
def _loaded(folder: Path, n_threads: int, modified_ns: int) -> "Translator":
    from seedcorn.translation.translator import load_translator

    return load_translator(folder, n_threads=n_threads)
