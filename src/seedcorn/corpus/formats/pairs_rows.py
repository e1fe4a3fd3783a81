"""Sentence pairs on their way from a file to Arrow: rows with the line that each came from."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from seedcorn.corpus.formats.lines import LineNumbers
from seedcorn.corpus.pairs import PAIR_SCHEMA
from seedcorn.corpus.utterances import ROWS_PER_BATCH
from seedcorn.errors import DataError


class PairChunk(NamedTuple):
    """Pairs as a reader found them and the line each came from."""

    rows: pa.RecordBatch
    lines: LineNumbers


class NumberedPair(NamedTuple):
    """The fields of a pair, absent ones left out, and the line it begins at."""

    line: int
    fields: Mapping[str, str]


def in_language(variants: Iterable[tuple[str, str]], lang: str) -> list[str]:
    """Return the texts of (language, text) pairs in ``lang`` itself, or else in its regional forms, each once."""
    wanted = lang.lower().replace("_", "-")
    named = [(found.lower().replace("_", "-"), text) for found, text in variants]
    exact = [text for found, text in named if found == wanted]
    near = [text for found, text in named if found.split("-")[0] == wanted.split("-")[0]]
    return list(dict.fromkeys(exact or near))


def sides_of(translation: Mapping[str, object], source_lang: str, target_lang: str) -> dict[str, str]:
    """Return source and target of a ``translation`` of Hugging Face: a text a language.

    Raises DataError when one of the two languages is not in it.
    """
    texts = [(lang, text) for lang, text in translation.items() if isinstance(text, str)]
    found = {"source": in_language(texts, source_lang), "target": in_language(texts, target_lang)}
    if not all(found.values()):
        raise DataError(
            wanted=f"a translation from '{source_lang}' to '{target_lang}'",
            found=f"the languages {', '.join(translation) or 'none'}",
            fix="Name both languages as they are called there.",
        )
    return {side: texts[0] for side, texts in found.items()}


def chunks_of(pairs: Iterable[NumberedPair]) -> Iterator[PairChunk]:
    """Yield ``pairs`` in chunks of ROWS_PER_BATCH rows."""
    remaining = iter(pairs)
    while numbered := list(islice(remaining, ROWS_PER_BATCH)):
        columns = {name: [pair.fields.get(name, "") for pair in numbered] for name in PAIR_SCHEMA.names}
        lines = np.fromiter((pair.line for pair in numbered), np.int64, count=len(numbered))
        yield PairChunk(pa.RecordBatch.from_pydict(columns, schema=PAIR_SCHEMA), lines)
