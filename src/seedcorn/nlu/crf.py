"""Slots by a linear-chain conditional random field over BIO labels (Lafferty et al. 2001), trained by crfsuite."""

import functools
import tempfile
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seedcorn.corpus.utterances import Slot
from seedcorn.nlu.crf_file import read_trained
from seedcorn.nlu.sentence_encoder import CachedEncoder, TokenView, fit_token_view
from seedcorn.nlu.tokens import Token, labels_of, slot_at, spans_of, tokens_of
from seedcorn.nlu.word_knowledge import WordKnowledge, cluster_names
from seedcorn.selection import FloatArray

if TYPE_CHECKING:
    from pycrfsuite import ItemSequence, Tagger

AFFIX_LENGTHS = (1, 2, 3, 4)
_L2_PENALTY = 0.3
_TEXTS_AT_ONCE = 8_192  # whose tokens are encoded together


class TaggedSlots(NamedTuple):
    """The slots of a text, the probability of each, and the probability of the whole label sequence."""

    slots: tuple[Slot, ...] = ()
    probabilities: tuple[float, ...] = ()
    all_probability: float = 1.0


@dataclass(frozen=True)
class SlotCrf:
    """A trained CRF as the bytes of crfsuite's model file; none at all when training had no slots.

    ``knowledge`` gives the word clusters and ``view`` the token vectors that are features of it, where it was trained
    with some.
    """

    model_bytes: bytes
    knowledge: WordKnowledge | None = None
    view: TokenView | None = None

    def slots(self, texts: Sequence[str]) -> list[TaggedSlots]:
        """Return the slots of the best label sequence of every text."""
        if not self.model_bytes:
            return [TaggedSlots()] * len(texts)
        tagger = _tagger(self.model_bytes)
        tagged: list[TaggedSlots] = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            some = texts[start : start + _TEXTS_AT_ONCE]
            if self.view is not None:
                self.view.encoder.cache_tokens(some)
            tagged += [_tagged(tagger, text, self.knowledge, self.view) for text in some]
        return tagged

    @property
    def labels(self) -> tuple[str, ...]:
        """The BIO labels it knows, sorted; none at all when training had no slots."""
        return tuple(sorted(_tagger(self.model_bytes).labels())) if self.model_bytes else ()

    def marginals(self, texts: Sequence[str]) -> list[FloatArray]:
        """Return P(label | text) of every token of every text, each of shape (tokens, labels)."""
        labels = self.labels
        return [_marginals(text, labels, self) for text in texts]


def train_crf(
    texts: Sequence[str],
    slots: Sequence[Sequence[Slot]],
    *,
    n_copies: Sequence[int] | None = None,
    unsure_tokens: Sequence[Collection[int]] | None = None,
    max_iterations: int = 150,
    knowledge: WordKnowledge | None = None,
    encoder: CachedEncoder | None = None,
    teacher: SlotCrf | None = None,
) -> SlotCrf:
    """Return the CRF of maximum likelihood with an L2 penalty, by L-BFGS.

    With an ``encoder``, the vectors of a token and its neighbours are features too, seen as the ``teacher`` sees them
    if there is one. crfsuite knows no example weights: a text counts ``n_copies`` times. Nothing is learnt from the
    labels of its ``unsure_tokens``: what lies between them is learnt as sequences of their own, whose features still
    see the whole text. Cost: n_tokens x n_labels^2 an iteration, and some 200 n_tokens x n_labels with an encoder.
    """
    import pycrfsuite

    n_copies = n_copies or [1] * len(texts)
    if not any(its_slots and copies for its_slots, copies in zip(slots, n_copies, strict=True)):
        return SlotCrf(b"")
    view = None
    if encoder is not None:
        view = teacher.view if teacher is not None and teacher.view is not None else fit_token_view(encoder, texts)
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params(
        {"c1": 0.0, "c2": _L2_PENALTY, "max_iterations": max_iterations, "feature.possible_transitions": False}
    )
    unsure_tokens = unsure_tokens or [()] * len(texts)
    for text, its_slots, copies, unsure in zip(texts, slots, n_copies, unsure_tokens, strict=True):
        labels = labels_of(_tokens(text), its_slots)
        if not labels or not copies:
            continue
        for first, end in sure_stretches(len(labels), unsure):
            items = _items(text, knowledge, view, first, end)
            for _ in range(copies):
                trainer.append(items, labels[first:end])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slots.crf"
        trainer.train(str(path))
        return SlotCrf(read_trained(path), knowledge, view)


def sure_stretches(n_tokens: int, unsure: Collection[int]) -> list[tuple[int, int]]:
    """Return the longest stretches (first, end) of ``n_tokens`` tokens without an ``unsure`` one, in order."""
    borders = [-1, *sorted(set(unsure)), n_tokens]
    return [(a + 1, b) for a, b in pairwise(borders) if b > a + 1]


def _tagger(model_bytes: bytes) -> "Tagger":
    """Return the tagger of this thread: it holds the text that it looks at."""
    return _opened(model_bytes, threading.get_ident())


@functools.lru_cache(maxsize=16)
def _opened(model_bytes: bytes, thread: int) -> "Tagger":
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open_inmemory(model_bytes)
    return tagger


def _tagged(tagger: "Tagger", text: str, knowledge: WordKnowledge | None, view: TokenView | None) -> TaggedSlots:
    tokens = _tokens(text)
    if not tokens:
        return TaggedSlots()
    tagger.set(_items(text, knowledge, view))
    labels = tagger.tag()
    spans = spans_of(labels)
    return TaggedSlots(
        tuple(slot_at(tokens, span) for span in spans),
        tuple(_span_probability(tagger, labels, first, end) for first, end, _ in spans),
        float(tagger.probability(labels)),
    )


def _marginals(text: str, labels: Sequence[str], crf: SlotCrf) -> FloatArray:
    n_tokens = len(_tokens(text))
    if not labels or not n_tokens:
        return np.zeros((n_tokens, len(labels)))
    tagger = _tagger(crf.model_bytes)
    tagger.set(_items(text, crf.knowledge, crf.view))
    return np.array([[tagger.marginal(label, i) for label in labels] for i in range(n_tokens)])


def _span_probability(tagger: "Tagger", labels: Sequence[str], first: int, end: int) -> float:
    """Return the least marginal of the labels of a span and of its right neighbour, which decides where it ends."""
    last = min(end, len(labels) - 1)
    return min(float(tagger.marginal(labels[i], i)) for i in range(first, last + 1))


@functools.lru_cache(maxsize=1 << 16)
def _tokens(text: str) -> tuple[Token, ...]:
    return tuple(tokens_of(text))


def _items(
    text: str, knowledge: WordKnowledge | None, view: TokenView | None, first: int = 0, end: int | None = None
) -> "ItemSequence":
    """Return the features of the tokens from ``first`` to ``end`` of ``text``; those see the tokens around them."""
    if view is None and first == 0 and end in (None, len(_tokens(text))):
        return _plain_items(text, knowledge)
    import pycrfsuite

    names = _feature_names(text, knowledge)
    if view is None:
        return pycrfsuite.ItemSequence(names[first:end])
    vectors = _with_neighbours(view.vectors(text).tolist())
    both = zip(names[first:end], vectors[first:end], strict=True)
    return pycrfsuite.ItemSequence([dict.fromkeys(own, 1.0) | vector for own, vector in both])


@functools.lru_cache(maxsize=1 << 15)
def _plain_items(text: str, knowledge: WordKnowledge | None) -> "ItemSequence":
    import pycrfsuite

    return pycrfsuite.ItemSequence(_feature_names(text, knowledge))


def _with_neighbours(rows: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """Return for each token its vector and those of its neighbours, as features of different names."""
    n_dimensions = max(map(len, rows), default=0)
    own, before, after = (_vector_names(where, n_dimensions) for where in ("", "-1", "+1"))
    features = [dict(zip(own, row, strict=True)) for row in rows]
    for left, right in pairwise(range(len(rows))):
        features[right].update(zip(before, rows[left], strict=True))
        features[left].update(zip(after, rows[right], strict=True))
    return features


@functools.cache
def _vector_names(where: str, n_dimensions: int) -> list[str]:
    return [f"{where}v{k}" for k in range(n_dimensions)]


def _feature_names(text: str, knowledge: WordKnowledge | None) -> list[list[str]]:
    tokens = _tokens(text)
    own = [_word_features(text[t.start : t.end], t.word, knowledge) for t in tokens]
    return [_token_features(tokens, own, i) for i in range(len(tokens))]


def _word_features(written: str, word: str, knowledge: WordKnowledge | None) -> list[str]:
    """Return what a word looks like and which words it is like, whatever is around it."""
    features = [f"w={word}", f"shape={_shape(written)}"]
    if knowledge is not None:
        features += cluster_names(word, knowledge)
    for n in AFFIX_LENGTHS:
        if len(word) > n:
            features += [f"p={word[:n]}", f"s={word[-n:]}"]
    return features


def _token_features(tokens: Sequence[Token], own: Sequence[Sequence[str]], i: int) -> list[str]:
    features = ["bias", *own[i]]
    around = {d: _word_at(tokens, i + d) for d in (-3, -2, -1, 1, 2)}
    features += [f"w{d:+d}={word}" for d, word in around.items()]
    word = tokens[i].word
    features += [f"w-1,0={around[-1]} {word}", f"w0,+1={word} {around[1]}", f"w-2,-1={around[-2]} {around[-1]}"]
    features += [f"w+1,+2={around[1]} {around[2]}", f"w-1,+1={around[-1]} {around[1]}"]
    for d in (-1, 1):
        if 0 <= i + d < len(tokens):
            features += [f"{d:+d}{name}" for name in own[i + d][1:]]
    return features


def _word_at(tokens: Sequence[Token], i: int) -> str:
    if i < 0:
        return "<"
    return tokens[i].word if i < len(tokens) else ">"


def _shape(word: str) -> str:
    """Return ``word`` with letters as a or A, digits as 0 and runs shortened: "Route66" is "Aa0"."""
    kinds = ["0" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c for c in word]
    return "".join(k for i, k in enumerate(kinds) if i == 0 or kinds[i - 1] != k)
