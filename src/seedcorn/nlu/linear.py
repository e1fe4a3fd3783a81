"""The linear NLU model: maximum entropy for the intent, a conditional random field for the slots.

Beside each may stand a view of a fine-tuned encoder.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.nlu.crf import SlotCrf, TaggedSlots, train_crf
from seedcorn.nlu.fine_tuned_intents import FineTunedIntents
from seedcorn.nlu.intent_views import IntentViews, OperatingPoint, train_intent_views
from seedcorn.nlu.maxent import MaxEnt, train_maxent
from seedcorn.nlu.model import NluModel, check_trainable
from seedcorn.nlu.sentence_encoder import CachedEncoder
from seedcorn.nlu.slot_tagger import SlotTagger
from seedcorn.nlu.slot_views import SlotViews, train_views
from seedcorn.nlu.word_knowledge import WordKnowledge
from seedcorn.selection import FloatArray

MOST_COPIES = 4
SLOT_INTENT_COPIES = 5


@dataclass(frozen=True, kw_only=True)
class LinearNlu:
    """A trained linear model; texts of intents outside ``slot_intents`` (None: no such limit) get no slots.

    With an ``operating_point`` its threshold decides what is for the functionality, else the most probable intent wins.
    """

    maxent: MaxEnt
    crf: SlotCrf
    slot_intents: tuple[str, ...] | None = None
    operating_point: OperatingPoint | None = None
    taggers: tuple[SlotTagger, ...] = ()
    fine_tuned: FineTunedIntents | None = None

    @property
    def intent_views(self) -> IntentViews:
        """What finds the intent: maximum entropy, and the fine-tuned encoder where there is one."""
        return IntentViews(self.maxent, self.fine_tuned)

    @property
    def slot_views(self) -> SlotViews:
        """What finds the slots: the CRF, and the fine-tuned taggers that there are."""
        return SlotViews(self.crf, self.taggers)

    @property
    def intents(self) -> tuple[str, ...]:
        """The intents it can answer, sorted."""
        return self.maxent.intents

    def intent_probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Return P(intent | text), shape (texts, intents)."""
        return self.intent_views.scores(texts).probabilities

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return the intent and the slots of every text."""
        scores, point = self.intent_views.scores(texts), self.operating_point
        probabilities = scores.probabilities
        best = probabilities.argmax(axis=1) if point is None else point.choose(scores)
        intents = [self.intents[i] for i in best]
        tagged = [i for i, intent in enumerate(intents) if self.slot_intents is None or intent in self.slot_intents]
        slots = dict.fromkeys(range(len(texts)), TaggedSlots())
        slots.update(zip(tagged, self.slot_views.slots([texts[i] for i in tagged]), strict=True))
        return [
            Prediction(
                intent=intent,
                intent_probability=float(probabilities[i, best[i]]),
                slots=slots[i].slots,
                slot_probabilities=slots[i].probabilities,
                all_slots_probability=slots[i].all_probability,
            )
            for i, intent in enumerate(intents)
        ]


@dataclass(frozen=True, kw_only=True)
class LinearSettings:
    """How a linear model is trained, and what it knows beside its labelled utterances.

    With ``slot_intents``, slots are trained for the types of these intents only, on all utterances that have one; their
    own utterances then count ``slot_intent_copies`` times, lest the others, mostly outside any slot, drown them. For
    the intent they count together as much as all others, each at most ``most_seed_weight`` times (1: as given). With
    ``fine_tune_slots`` the ``encoder`` is fine-tuned into a second view of their slots, with ``fine_tune_intents`` also
    to tell these intents from all others.
    """

    slot_intents: tuple[str, ...] | None = None
    slot_intent_copies: int = SLOT_INTENT_COPIES
    most_seed_weight: float = 1.0
    n_crf_iterations: int = 150
    knowledge: WordKnowledge | None = None
    encoder: CachedEncoder | None = None
    fine_tune_slots: bool = False
    fine_tune_intents: bool = False


def train_linear(
    utterances: Sequence[Utterance],
    *,
    weights: Sequence[float] | None = None,
    slot_weights: Sequence[float] | None = None,
    excluded_intents: Collection[str] = (),
    teacher: NluModel | None = None,
    slots_of_teacher: bool = False,
    settings: LinearSettings = LinearSettings(),
    random_seed: int = 0,
) -> LinearNlu:
    """Return the model trained on ``utterances``, each counting its weight (1 when ``weights`` is None).

    ``slot_weights`` are those of the slot model where they differ: 0 keeps an utterance for its intent alone. An
    utterance without intent is known to have none of ``excluded_intents``, and teaches just that. Intents outside
    ``excluded_intents`` are taken over from a linear ``teacher``, with ``slots_of_teacher`` its slots and fine-tuned
    encoder too. Raises DataError as ``check_trainable`` does.
    """
    check_trainable(utterances, excluded_intents)
    known = teacher if isinstance(teacher, LinearNlu) else None
    maxent = train_maxent(
        [u.text for u in utterances],
        [u.intent for u in utterances],
        weights=_balanced(utterances, weights, settings),
        excluded_intents=excluded_intents,
        knowledge=settings.knowledge,
        encoder=settings.encoder,
        teacher=known.maxent if known else None,
        random_seed=random_seed,
    )
    names = None if settings.slot_intents is None else tuple(sorted(settings.slot_intents))
    if slots_of_teacher and known is not None:
        return replace(known, maxent=maxent, slot_intents=names, operating_point=None)
    rows, slots = _slot_rows(utterances, names)
    counted = (weights if slot_weights is None else slot_weights) or [1.0] * len(utterances)
    copies = _copies([counted[i] for i in rows])
    times = [settings.slot_intent_copies if utterances[i].intent in (names or ()) else 1 for i in rows]
    crf = train_crf(
        [utterances[i].text for i in rows],
        slots,
        n_copies=list(map(int.__mul__, copies, times)),
        max_iterations=settings.n_crf_iterations,
        knowledge=settings.knowledge,
        encoder=settings.encoder,
        teacher=known.crf if known else None,
    )
    model = LinearNlu(maxent=maxent, crf=crf, slot_intents=names)
    return _fine_tuned(model, utterances, counted, excluded_intents, settings, random_seed)


def _fine_tuned(
    model: LinearNlu,
    utterances: Sequence[Utterance],
    slot_weights: Sequence[float],
    excluded_intents: Collection[str],
    settings: LinearSettings,
    random_seed: int,
) -> LinearNlu:
    """Return ``model`` with the views of a fine-tuned encoder that ``settings`` ask for."""
    names, encoder = model.slot_intents, settings.encoder
    if names is None or encoder is None:
        return model
    if settings.fine_tune_intents:
        intents = train_intent_views(
            model.maxent,
            utterances,
            functionality=names,
            encoder=encoder,
            excluded_intents=excluded_intents,
            random_seed=random_seed,
        )
        model = replace(model, fine_tuned=intents.fine_tuned)
    taught = [u for u, weight in zip(utterances, slot_weights, strict=True) if weight > 0]
    if settings.fine_tune_slots and taught:
        slots = train_views(model.crf, taught, slot_intents=names, checkpoint=encoder.name, random_seed=random_seed)
        model = replace(model, taggers=slots.taggers)
    return model


def _balanced(
    utterances: Sequence[Utterance], weights: Sequence[float] | None, settings: LinearSettings
) -> Sequence[float] | None:
    """Return ``weights`` with those of the ``slot_intents`` raised as ``settings`` say."""
    if settings.most_seed_weight <= 1 or settings.slot_intents is None:
        return weights
    own = [u.intent in settings.slot_intents for u in utterances]
    n_others = sum(bool(u.intent) for u in utterances) - sum(own)
    times = min(max(n_others / max(sum(own), 1), 1.0), settings.most_seed_weight)
    given = [1.0] * len(own) if weights is None else weights
    return [weight * times if is_own else weight for weight, is_own in zip(given, own, strict=True)]


def _slot_rows(
    utterances: Sequence[Utterance], slot_intents: Collection[str] | None
) -> tuple[list[int], list[tuple[Slot, ...]]]:
    """Return the rows that teach the slot model, and their slots of the wanted types."""
    if slot_intents is None:
        rows = [i for i, u in enumerate(utterances) if u.intent]
        return rows, [utterances[i].slots for i in rows]
    types = {s.type for u in utterances if u.intent in slot_intents for s in u.slots}
    slots = [tuple(s for s in u.slots if s.type in types) for u in utterances]
    rows = [i for i, u in enumerate(utterances) if slots[i] or u.intent in slot_intents]
    return rows, [slots[i] for i in rows]


def _copies(weights: Sequence[float]) -> list[int]:
    """Return how often each row counts, in units of the least positive weight, at most MOST_COPIES; zero stays zero."""
    positive = [w for w in weights if w > 0]
    if not positive:
        return [0] * len(weights)
    unit = max(min(positive), max(positive) / MOST_COPIES)
    return [max(1, round(w / unit)) if w > 0 else 0 for w in weights]
