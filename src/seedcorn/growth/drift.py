"""What users say now that they did not say before: new words and new groups of like texts in the pool."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedcorn.corpus.text import words
from seedcorn.diversity.nearest import nearest
from seedcorn.selection import FloatArray

_FEWEST_TEXTS = 3
_NEW_SHARE = 0.8


@dataclass(frozen=True, kw_only=True)
class NewWord:
    """A word that became more frequent: in how many texts it was and is, and the log-likelihood ratio (G²) of that."""

    word: str
    n_before: int
    n_now: int
    g_squared: float


@dataclass(frozen=True, kw_only=True)
class NewGroup:
    """A group of like texts, nearly all of them from now: how many there are, and its most central ones."""

    n_texts: int
    n_before: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How far the text of now is from that of before.

    ``divergence`` is the Jensen-Shannon divergence of the distributions of words, in bits from 0 to 1;
    ``unknown_word_fraction`` the share of running words now that were never seen before.
    """

    divergence: float
    unknown_word_fraction: float
    words: tuple[NewWord, ...]
    groups: tuple[NewGroup, ...]


def drift(
    before: Sequence[str], now: Sequence[str], *, n_shown: int = 20, n_groups: int = 30, random_seed: int = 0
) -> Drift:
    """Return what is new: words by Dunning's log-likelihood ratio (1993), groups by k-means over sentence vectors.

    Without text before everything is new, and no word or group is named.
    """
    counts = [Counter(w for text in texts for w in words(text)) for texts in (before, now)]
    n_now = sum(counts[1].values())
    unknown = sum(n for word, n in counts[1].items() if word not in counts[0])
    return Drift(
        divergence=_divergence(*counts),
        unknown_word_fraction=unknown / n_now if n_now else 0.0,
        words=tuple(_new_words(before, now)[:n_shown]) if before else (),
        groups=tuple(_new_groups(before, now, n_groups, random_seed)) if before and now else (),
    )


def _divergence(before: Counter[str], now: Counter[str]) -> float:
    known = sorted(before | now)
    if not known:
        return 0.0
    shares = [np.array([c[w] for w in known], dtype=np.float64) / max(sum(c.values()), 1) for c in (before, now)]
    middle = 0.5 * (shares[0] + shares[1])
    return float(np.clip(0.5 * sum(_relative_entropy(s, middle) for s in shares), 0.0, 1.0))


def _relative_entropy(of: FloatArray, against: FloatArray) -> float:
    return float((of[of > 0] * np.log2(of[of > 0] / against[of > 0])).sum())


def _new_words(before: Sequence[str], now: Sequence[str]) -> list[NewWord]:
    """Return the words whose share of texts grew, most certain first, ties by word."""
    was, is_ = (Counter(w for text in texts for w in set(words(text))) for texts in (before, now))
    found = [
        NewWord(word=w, n_before=was[w], n_now=n, g_squared=g_squared(was[w], len(before), n, len(now)))
        for w, n in is_.items()
        if n >= _FEWEST_TEXTS and n / len(now) > was[w] / len(before)
    ]
    return sorted(found, key=lambda w: (-w.g_squared, w.word))


def g_squared(n_before: int, of_before: int, n_now: int, of_now: int) -> float:
    """Return twice the log-likelihood ratio of one share for both against a share for each."""
    total = (n_before + n_now) / (of_before + of_now)
    pairs = ((n_before, of_before), (n_now, of_now))
    return max(0.0, 2 * sum(_log_likelihood(n, of, n / of) - _log_likelihood(n, of, total) for n, of in pairs if of))


def _log_likelihood(n: int, of: int, share: float) -> float:
    inside = n * np.log(share) if n else 0.0
    outside = (of - n) * np.log1p(-share) if of > n else 0.0
    return float(inside + outside)


def _new_groups(before: Sequence[str], now: Sequence[str], n_groups: int, random_seed: int) -> list[NewGroup]:
    from sklearn.cluster import KMeans

    from seedcorn.relevance.embedding import fit_encoder

    texts = [*before, *now]
    vectors = fit_encoder(texts, n_dimensions=32, random_seed=random_seed).encode(texts)
    n_clusters = min(n_groups, len(np.unique(vectors, axis=0)))
    fitted = KMeans(n_clusters, n_init=1, random_state=random_seed).fit(vectors)
    groups = []
    for centre in range(fitted.n_clusters):
        members = np.flatnonzero(fitted.labels_ == centre)
        n_before = int((members < len(before)).sum())
        if len(members) < _FEWEST_TEXTS or n_before / len(members) > 1 - _NEW_SHARE:
            continue
        centres = fitted.cluster_centers_[centre : centre + 1].astype(np.float32)
        order = np.argsort(-nearest(vectors[members], centres).similarities, kind="stable")[:3]
        examples = tuple(texts[members[i]] for i in order)
        groups.append(NewGroup(n_texts=len(members), n_before=n_before, examples=examples))
    return sorted(groups, key=lambda g: (-g.n_texts, g.examples))
