"""Slots by several views of the same tokens, a CRF and fine-tuned taggers: what all together find most probable.

They err on different tokens: the CRF knows the seed's own patterns, a tagger what words mean. Their token
probabilities are averaged, a linear opinion pool (Stone 1961), and the best well-formed BIO sequence is taken.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.nlu.bio_decoding import best_bio_labels
from seedcorn.nlu.crf import SlotCrf, TaggedSlots
from seedcorn.nlu.fine_tuning import times_of_own
from seedcorn.nlu.slot_tagger import SlotTagger, TaggerExample, labels_into, train_tagger
from seedcorn.nlu.tokens import OUTSIDE, labels_of, slot_at, spans_of, tokens_of
from seedcorn.selection import FloatArray

# How often utterances of the pool are seen an epoch: all together, and each at most.
POOL_AN_EPOCH, POOL_TIMES = 1_000.0, 2.0
N_SHARING, N_OTHERS = 1_200, 800  # other utterances: with a slot of a type of the functionality, and without
SHARPNESS = 2.0  # the power to which a teacher's probabilities are raised before they are taught
_LEAST_PROBABILITY = 1e-9


@dataclass(frozen=True, kw_only=True)
class SlotHint:
    """The slots of a text as somebody else sees them, and what that counts beside a view of ours."""

    slots: tuple[Slot, ...]
    weight: float


@dataclass(frozen=True, eq=False)
class SlotViews:
    """A CRF and, where an encoder was fine-tuned, a tagger, after self-training another."""

    crf: SlotCrf
    taggers: tuple[SlotTagger, ...] = ()

    def posteriors(self, texts: Sequence[str], labels: Sequence[str]) -> list[FloatArray]:
        """Return P(label | text) of every token, (tokens, labels); what is not of ``labels`` counts as outside."""
        into = labels_into(labels, self.crf.labels)
        by_crf = [rows @ into for rows in self.crf.marginals(texts)]
        by_taggers = [tagger.posteriors(texts, labels) for tagger in self.taggers]
        return [sum(views[1:], views[0]) / len(views) for views in zip(by_crf, *by_taggers, strict=True)]

    def slots(self, texts: Sequence[str]) -> list[TaggedSlots]:
        """Return the slots of the best label sequence of every text; of a CRF alone as it decodes them."""
        if not self.taggers:
            return self.crf.slots(texts)
        labels = (OUTSIDE, *(label for label in self.crf.labels if label != OUTSIDE))
        found = zip(texts, self.posteriors(texts, labels), strict=True)
        return [_decoded(text, posteriors, labels) for text, posteriors in found]


def _decoded(text: str, posteriors: FloatArray, labels: Sequence[str]) -> TaggedSlots:
    """Return the best slots; a span is as probable as the least sure of its tokens and of its right neighbour."""
    tokens = tokens_of(text)
    if not tokens:
        return TaggedSlots()
    best = best_bio_labels(np.log(posteriors + _LEAST_PROBABILITY), labels)
    spans = spans_of(best)
    chosen = np.array([row[labels.index(label)] for row, label in zip(posteriors, best, strict=True)])
    return TaggedSlots(
        tuple(slot_at(tokens, span) for span in spans),
        tuple(float(chosen[first : end + 1].min()) for first, end, _ in spans),
        float(chosen.prod()),
    )


def train_views(
    crf: SlotCrf,
    utterances: Sequence[Utterance],
    *,
    slot_intents: Collection[str],
    checkpoint: str,
    random_seed: int = 0,
) -> SlotViews:
    """Return ``crf`` and a tagger fine-tuned on ``utterances``; no tagger where the CRF has no slots to find.

    Those of ``slot_intents`` are repeated; of the others a random part is seen, and more of them that have a slot of a
    type of theirs.
    """
    if not crf.labels:
        return SlotViews(crf)
    examples = _labelled_examples(utterances, slot_intents, np.random.default_rng(random_seed))
    types = sorted({s.type for e in examples for s in e.utterance.slots})
    tagger = train_tagger(examples, checkpoint=checkpoint, slot_types=types, random_seed=random_seed)
    return SlotViews(crf, (tagger,))


def self_train_views(
    teacher: SlotViews,
    utterances: Sequence[Utterance],
    texts: Sequence[str],
    *,
    slot_intents: Collection[str],
    hints: Mapping[str, SlotHint] | None = None,
    random_seed: int = 0,
) -> SlotViews:
    """Return ``teacher`` with one more tagger, trained on ``utterances`` and on what it makes of pool ``texts``.

    Its targets are the sharpened probabilities of the views, and of the ``hints`` that there are of a text, so that it
    learns little where they are unsure or disagree. It begins from the pretrained weights again, lest it keep the
    teacher's mistakes (Xie et al. 2020, arXiv 1911.04252), and stands beside the teacher's views, lest they be lost
    where it is worse. Returns ``teacher`` where it has no tagger or there are no texts.
    """
    if not teacher.taggers or not texts:
        return teacher
    first = teacher.taggers[0]
    labels = first.outputs
    times = min(POOL_TIMES, POOL_AN_EPOCH / len(texts))
    pool = [
        TaggerExample(
            utterance=Utterance(text=text),
            weight=times,
            targets=_sharpened(
                with_hint(text, posteriors, labels, (hints or {}).get(text), n_views=1 + len(teacher.taggers))
            ),
        )
        for text, posteriors in zip(texts, teacher.posteriors(texts, labels), strict=True)
    ]
    examples = _labelled_examples(utterances, slot_intents, np.random.default_rng(random_seed))
    types = sorted({label[2:] for label in labels} - {""})
    tagger = train_tagger([*examples, *pool], checkpoint=first.checkpoint, slot_types=types, random_seed=random_seed)
    return SlotViews(teacher.crf, (*teacher.taggers, tagger))


def with_hint(
    text: str, posteriors: FloatArray, labels: Sequence[str], hint: SlotHint | None, *, n_views: int = 2
) -> FloatArray:
    """Return ``posteriors`` (tokens, labels), the mean of ``n_views``, with ``hint`` as one more by its weight."""
    if hint is None:
        return posteriors
    seen = [labels.index(label if label in labels else OUTSIDE) for label in labels_of(tokens_of(text), hint.slots)]
    return (n_views * posteriors + hint.weight * np.eye(len(labels))[seen]) / (n_views + hint.weight)


def _sharpened(posteriors: FloatArray) -> FloatArray:
    raised = posteriors**SHARPNESS
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)


def _labelled_examples(
    utterances: Sequence[Utterance], slot_intents: Collection[str], rng: np.random.Generator
) -> list[TaggerExample]:
    """Return the utterances of ``slot_intents``, each several times, and a random part of the others."""
    own = [u for u in utterances if u.intent in slot_intents]
    types = {s.type for u in own for s in u.slots}
    others = [u for u in utterances if u.intent and u.intent not in slot_intents]
    sharing = [u for u in others if any(s.type in types for s in u.slots)]
    rest = [u for u in others if not any(s.type in types for s in u.slots)]
    seen = [*_drawn(sharing, N_SHARING, rng), *_drawn(rest, N_OTHERS, rng)]
    times = times_of_own(len(own))
    return [
        *(TaggerExample(utterance=u, weight=times) for u in own),
        *(TaggerExample(utterance=u) for u in seen),
    ]


def _drawn(utterances: Sequence[Utterance], most: int, rng: np.random.Generator) -> list[Utterance]:
    return [utterances[i] for i in rng.permutation(len(utterances))[:most]]
