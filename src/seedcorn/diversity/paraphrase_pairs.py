"""Training pairs for the paraphrase network, made from the templates of annotated utterances.

Two utterances are paraphrases when domain, intent, slot types and slot values are all the same. Templates make such
pairs, and pairs that only look alike, in any number: two templates of one signature filled with the same values are
paraphrases; one template filled with other values is not, nor are requests of other intents that share words.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from seedcorn.corpus.text import normalise
from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.pair_drawing import (
    DrawnPair,
    PairMaterial,
    no_values,
    other_both,
    other_intent,
    other_structure,
    other_values,
)
from seedcorn.errors import ConfigError, DataError

TRIES_PER_PAIR = 200


class PairKind(StrEnum):
    """What the two utterances of a pair have in common."""

    OTHER_STRUCTURE = "other_structure"  # paraphrases: another template, the same values
    NO_VALUES = "no_values"  # paraphrases: another template, and no slots at all
    OTHER_VALUES = "other_values"  # the same template, other values
    OTHER_BOTH = "other_both"  # another template of the same signature, other values
    OTHER_INTENT = "other_intent"  # another intent; a slot value or a word is shared

    @property
    def is_paraphrase(self) -> bool:
        """Whether the two utterances mean the same."""
        return self in (PairKind.OTHER_STRUCTURE, PairKind.NO_VALUES)


class ParaphrasePair(NamedTuple):
    """Two utterances, what they have in common, and the domain of the first."""

    first: str
    second: str
    kind: PairKind
    domain: str


@dataclass(frozen=True, kw_only=True)
class PairShares:
    """The share of each kind of pair; they must add up to 1. Raises ConfigError otherwise."""

    other_structure: float = 0.45
    no_values: float = 0.05
    other_values: float = 0.2
    other_both: float = 0.1
    other_intent: float = 0.2

    def __post_init__(self) -> None:
        shares = [self.of(kind) for kind in PairKind]
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
            raise ConfigError(wanted="shares of at least 0 that add up to 1", found=", ".join(map(str, shares)))

    def of(self, kind: PairKind) -> float:
        """Return the share of ``kind``."""
        return float(getattr(self, kind.value))

    def counts(self, n_pairs: int) -> dict[PairKind, int]:
        """Return how many of ``n_pairs`` are of each kind: they add up, and none is off its share by one or more."""
        exact = {kind: self.of(kind) * n_pairs for kind in PairKind}
        counts = {kind: int(amount) for kind, amount in exact.items()}
        by_remainder = sorted(PairKind, key=lambda kind: counts[kind] - exact[kind])
        for kind in by_remainder[: n_pairs - sum(counts.values())]:
            counts[kind] += 1
        return counts


def paraphrase_pairs(
    utterances: Sequence[Utterance],
    *,
    n_pairs: int,
    rng: np.random.Generator,
    shares: PairShares = PairShares(),
    complete: bool = True,
) -> Iterator[ParaphrasePair]:
    """Yield ``n_pairs`` distinct pairs of the kinds asked for, in exact shares and random order.

    A pair is the same in either order and after normalising, so that none is met twice; its two texts always differ.
    Signatures are drawn by the square root of their number of templates. Raises DataError when ``utterances`` cannot
    make that many distinct pairs of a kind; if they need not be ``complete``, no more of that kind come.
    """
    material = PairMaterial.of(utterances)
    seen: set[tuple[str, str]] = set()
    exhausted: set[PairKind] = set()
    for kind in _mixed_kinds(shares, n_pairs, rng):
        pair = None if kind in exhausted else _fresh_pair(kind, material, rng, seen)
        if pair is not None:
            yield pair
            continue
        if complete:
            raise DataError(
                wanted=f"utterances that make enough distinct pairs of the kind '{kind}'",
                found=f"no new one after {len(seen):,} pairs",
                fix="Ask for fewer pairs, lower the share of this kind, or give more annotated utterances with slots.",
            )
        exhausted.add(kind)


def _mixed_kinds(shares: PairShares, n_pairs: int, rng: np.random.Generator) -> Iterator[PairKind]:
    kinds, counts = list(PairKind), shares.counts(n_pairs)
    numbers = np.repeat(np.arange(len(kinds), dtype=np.int8), [counts[kind] for kind in kinds])
    return (kinds[number] for number in rng.permutation(numbers))


def _fresh_pair(
    kind: PairKind, material: PairMaterial, rng: np.random.Generator, seen: set[tuple[str, str]]
) -> ParaphrasePair | None:
    for _ in range(TRIES_PER_PAIR):
        pair = _DRAWS[kind](material, rng)
        if pair is None:
            continue
        first, second = sorted((normalise(pair.first.text), normalise(pair.second.text)))
        if first != second and (first, second) not in seen:
            seen.add((first, second))
            return ParaphrasePair(pair.first.text, pair.second.text, kind, pair.domain)
    return None


_DRAWS: dict[PairKind, Callable[[PairMaterial, np.random.Generator], DrawnPair | None]] = {
    PairKind.OTHER_STRUCTURE: other_structure,
    PairKind.NO_VALUES: no_values,
    PairKind.OTHER_VALUES: other_values,
    PairKind.OTHER_BOTH: other_both,
    PairKind.OTHER_INTENT: other_intent,
}


def split_by_domain(
    utterances: Sequence[Utterance], held_out: Sequence[str]
) -> tuple[list[Utterance], list[Utterance]]:
    """Return the utterances of all other domains, and those of the ``held_out`` domains.

    Raises DataError when a held-out domain does not occur, or nothing else does.
    """
    domains = {u.domain for u in utterances}
    unknown = sorted(set(held_out) - domains)
    if unknown or not domains - set(held_out):
        raise DataError(
            wanted=f"some of the domains {', '.join(sorted(domains))}, not all", found=", ".join(unknown or held_out)
        )
    return (
        [u for u in utterances if u.domain not in held_out],
        [u for u in utterances if u.domain in held_out],
    )


def domain_folds(utterances: Sequence[Utterance], *, n_folds: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Return the domains cut into ``n_folds`` groups at random, each domain in one group."""
    domains = sorted({u.domain for u in utterances})
    if not 2 <= n_folds <= len(domains):
        raise ConfigError(wanted=f"2 to {len(domains)} folds of domains", found=str(n_folds))
    shuffled = [domains[i] for i in rng.permutation(len(domains))]
    return [tuple(sorted(shuffled[fold_number::n_folds])) for fold_number in range(n_folds)]
