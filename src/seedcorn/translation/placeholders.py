"""Placeholders in training pairs, so that a translator learns to carry them from source to target."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pyarrow as pa

from seedcorn.corpus.pairs import PAIR_SCHEMA, PairCorpus, SentencePair
from seedcorn.corpus.text import normalise, words
from seedcorn.progress import track
from seedcorn.translation.subwords import placeholder

Lexicon = Mapping[str, frozenset[str]]
N_PLACEHOLDERS_A_PAIR = 2


def lexicon_of(pairs: Iterable[SentencePair], *, n_source_words_max: int = 2) -> dict[str, frozenset[str]]:
    """Return the normalised translations of each short source of ``pairs``: dictionary entries, names, captions."""
    translations: dict[str, set[str]] = {}
    for pair in pairs:
        source, target = normalise(pair.source), normalise(pair.target)
        if source and target and source.count(" ") < n_source_words_max:
            translations.setdefault(source, set()).add(target)
    return {source: frozenset(targets) for source, targets in translations.items()}


def frequent_words(pairs: PairCorpus, *, n_words: int = 150) -> frozenset[str]:
    """Return the ``n_words`` commonest source words, mostly function words, which no slot value stands for."""
    counts = Counter(
        word for batch in pairs.batches() for text in batch.column("source").to_pylist() for word in words(text)
    )
    return frozenset(word for word, _ in counts.most_common(n_words))


def add_placeholders(
    pairs: PairCorpus, dictionary: PairCorpus, *, pair_fraction: float, random_seed: int
) -> PairCorpus:
    """Return ``pairs`` and then ``dictionary``, with placeholders in ``pair_fraction`` of those that can have them.

    Words that have a short translation in either are what placeholders stand for, but the commonest ones of ``pairs``.
    Every pass over the result draws the same.
    """
    together = PairCorpus(lambda: chain(pairs.batches(), dictionary.batches()))
    if pair_fraction == 0:
        return together
    common = frequent_words(pairs)
    known = (pair for batch in together.batches() for pair in pairs_of(batch))
    lexicon = {source: targets for source, targets in lexicon_of(known).items() if source not in common}
    return with_placeholders(together, lexicon, pair_fraction=pair_fraction, random_seed=random_seed)


def with_placeholders(pairs: PairCorpus, lexicon: Lexicon, *, pair_fraction: float, random_seed: int) -> PairCorpus:
    """Return ``pairs``, streamed, where ``pair_fraction`` of those that can have placeholders in both sides.

    A word can be replaced when it occurs once in the source, and either it or exactly one of its translations in
    ``lexicon`` occurs once in the target. Every pass starts from ``random_seed``.
    """

    def open_batches() -> Iterator[pa.RecordBatch]:
        rng = np.random.default_rng(random_seed)
        for batch in track(pairs.batches(), "adding placeholders, batches of pairs"):
            yield _replaced(batch, lexicon, pair_fraction, rng)

    return PairCorpus(open_batches)


def pairs_of(batch: pa.RecordBatch) -> list[SentencePair]:
    """Return the rows of ``batch`` as pairs, in order."""
    return [SentencePair(**row) for row in batch.to_pylist()]


def _replaced(
    batch: pa.RecordBatch, lexicon: Lexicon, pair_fraction: float, rng: np.random.Generator
) -> pa.RecordBatch:
    chosen = rng.random(batch.num_rows) < pair_fraction
    rows = pairs_of(batch)
    return pa.RecordBatch.from_pylist(
        [vars(_with_slots(row, lexicon, rng)) if use else vars(row) for row, use in zip(rows, chosen, strict=True)],
        schema=PAIR_SCHEMA,
    )


def _with_slots(pair: SentencePair, lexicon: Lexicon, rng: np.random.Generator) -> SentencePair:
    source, target = pair.source.split(" "), pair.target.split(" ")
    candidates = list(_matches(source, target, lexicon))
    rng.shuffle(candidates)
    used_source, used_target = set[int](), set[int]()
    chosen: list[tuple[int, range]] = []
    for at, span in candidates:
        if at not in used_source and not used_target.intersection(span) and len(chosen) < N_PLACEHOLDERS_A_PAIR:
            used_source.add(at)
            used_target.update(span)
            chosen.append((at, span))
    # A sentence that is nothing but placeholders teaches nothing.
    if len(chosen) >= min(len(source), len(target)):
        return pair
    for number, (at, span) in enumerate(sorted(chosen, key=lambda match: match[0]), start=1):
        source[at] = placeholder(number)
        target[span.start : span.stop] = [placeholder(number)] + [""] * (len(span) - 1)
    return replace(pair, source=" ".join(source), target=" ".join(filter(None, target)))


def _matches(source: Sequence[str], target: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, range]]:
    """Yield each source position that has one translation in the target, with the target words of it."""
    for at, word in enumerate(source):
        if source.count(word) > 1:
            continue
        found = [span for words in lexicon.get(word, frozenset()) | {word} for span in _occurrences(words, target)]
        if len(found) == 1:
            yield at, found[0]


def _occurrences(words: str, target: Sequence[str]) -> list[range]:
    wanted = words.split(" ")
    starts = range(len(target) - len(wanted) + 1)
    return [range(s, s + len(wanted)) for s in starts if list(target[s : s + len(wanted)]) == wanted]
