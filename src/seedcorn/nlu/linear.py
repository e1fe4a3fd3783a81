"""The linear NLU model: maximum entropy for the intent, a conditional random field for the slots."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seedcorn.array_files import checked, read_arrays
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError
from seedcorn.files import writing_whole
from seedcorn.nlu.crf import SlotCrf, TaggedSlots, train_crf
from seedcorn.nlu.functionality import OperatingPoint
from seedcorn.nlu.maxent import N_HASHED_FEATURES, MaxEnt, probabilities_of, train_maxent
from seedcorn.nlu.model import NluModel, check_trainable
from seedcorn.nlu.sentence_encoder import CachedEncoder, SentenceView, TokenView, load_sentence_encoder
from seedcorn.nlu.slot_tagger import SlotTagger, load_tagger, tagger_arrays
from seedcorn.nlu.slot_views import SlotViews, train_views
from seedcorn.nlu.word_knowledge import WordKnowledge, knowledge_arrays, knowledge_of
from seedcorn.selection import FloatArray

MOST_COPIES = 4
SLOT_INTENT_COPIES = 5
View = TypeVar("View", SentenceView, TokenView)


@dataclass(frozen=True, kw_only=True)
class LinearNlu:
    """A trained linear model; texts of intents outside ``slot_intents`` (None: no such limit) get no slots.

    With an ``operating_point`` its threshold decides what is for the functionality, else the most probable intent wins.
    """

    maxent: MaxEnt
    crf: SlotCrf
    slot_intents: tuple[str, ...] | None = None
    operating_point: OperatingPoint | None = None
    tagger: SlotTagger | None = None

    @property
    def slot_views(self) -> SlotViews:
        """What finds the slots: the CRF, and the fine-tuned tagger where there is one."""
        return SlotViews(self.crf, self.tagger)

    @property
    def intents(self) -> tuple[str, ...]:
        """The intents it can answer, sorted."""
        return self.maxent.intents

    def intent_probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Return P(intent | text), shape (texts, intents)."""
        return self.maxent.probabilities(texts)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return the intent and the slots of every text."""
        margins = self.maxent.margins(texts)
        probabilities = probabilities_of(margins)
        point = self.operating_point
        best = probabilities.argmax(axis=1) if point is None else point.choose(margins, self.intents)
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
    own utterances then count ``slot_intent_copies`` times, lest the others, mostly outside any slot, drown them, and
    with ``fine_tune_slots`` the ``encoder`` is fine-tuned into a second view of them.
    """

    slot_intents: tuple[str, ...] | None = None
    slot_intent_copies: int = SLOT_INTENT_COPIES
    n_crf_iterations: int = 150
    knowledge: WordKnowledge | None = None
    encoder: CachedEncoder | None = None
    fine_tune_slots: bool = False


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
    ``excluded_intents`` are taken over from a linear ``teacher``, with ``slots_of_teacher`` its slots too. Raises
    DataError as ``check_trainable`` does.
    """
    check_trainable(utterances, excluded_intents)
    known = teacher if isinstance(teacher, LinearNlu) else None
    maxent = train_maxent(
        [u.text for u in utterances],
        [u.intent for u in utterances],
        weights=weights,
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
    views = SlotViews(crf)
    if settings.fine_tune_slots and settings.encoder is not None and names is not None:
        checkpoint = settings.encoder.name
        views = train_views(crf, utterances, slot_intents=names, checkpoint=checkpoint, random_seed=random_seed)
    return LinearNlu(maxent=maxent, crf=crf, slot_intents=names, tagger=views.tagger)


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


def save_linear(model: LinearNlu, path: Path) -> None:
    """Write ``model`` to one ``.npz`` file, which appears whole or not at all; of its encoder only the name."""
    knowledge = model.maxent.knowledge or model.crf.knowledge  # one that has seen no slots keeps none
    seen = {"view": model.maxent.view, "token_view": model.crf.view}
    views = {name: view for name, view in seen.items() if view is not None}
    description = {
        "intents": model.intents,
        "slot_intents": model.slot_intents,
        "encoder": next((view.encoder.name for view in views.values()), None),
        "crf_sha256": hashlib.sha256(model.crf.model_bytes).hexdigest(),
        "operating_point": None if model.operating_point is None else asdict(model.operating_point),
    }
    with writing_whole(path) as partial, partial.open("wb") as stream:
        np.savez_compressed(
            stream,
            columns=model.maxent.columns,
            coefficients=model.maxent.coefficients,
            intercepts=model.maxent.intercepts,
            crf=np.frombuffer(model.crf.model_bytes, dtype=np.uint8),
            description=np.frombuffer(json.dumps(description).encode(), dtype=np.uint8),
            allow_pickle=False,
            **({} if knowledge is None else knowledge_arrays(knowledge)),
            **{f"{name}/mean": view.mean for name, view in views.items()},
            **{f"{name}/directions": view.directions for name, view in views.items()},
            **({} if model.tagger is None else tagger_arrays(model.tagger)),
        )


def load_linear(path: Path) -> LinearNlu:
    """Return the model that ``save_linear`` wrote to ``path``.

    Raises DataError when it is something else, or when its sentence encoder is no longer where it was.
    """
    arrays = read_arrays(path, wanted="a linear NLU model")
    try:
        description = json.loads(arrays["description"].tobytes())
        slot_intents, name = description["slot_intents"], description["encoder"]
        encoder, knowledge = name and load_sentence_encoder(name), knowledge_of(arrays)
        intents, crf = tuple(map(str, description["intents"])), arrays["crf"].tobytes()
        # The library that reads these bytes trusts them.
        if hashlib.sha256(crf).hexdigest() != description["crf_sha256"]:
            raise ValueError("a slot model that was changed")
        return LinearNlu(
            maxent=MaxEnt(
                intents=intents,
                columns=_columns(arrays),
                coefficients=checked(arrays, "coefficients", np.float32, shape=(len(intents), None)),
                intercepts=checked(arrays, "intercepts", np.float64, shape=(len(intents),)),
                knowledge=knowledge,
                view=_view(SentenceView, encoder, arrays, "view"),
            ),
            crf=SlotCrf(crf, knowledge, _view(TokenView, encoder, arrays, "token_view")),
            slot_intents=None if slot_intents is None else tuple(slot_intents),
            operating_point=_operating_point(description.get("operating_point")),
            tagger=load_tagger(arrays, name),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise DataError(wanted="a linear NLU model", found=str(error), where=path) from error


def _operating_point(described: Mapping[str, Sequence[str] | float] | None) -> OperatingPoint | None:
    if described is None:
        return None
    functionality, threshold = described["functionality"], described["threshold"]
    if not isinstance(functionality, list) or not isinstance(threshold, float):
        raise ValueError("an operating point that is none")
    return OperatingPoint(functionality=tuple(functionality), threshold=threshold)


def _columns(arrays: Mapping[str, NDArray[np.generic]]) -> NDArray[np.int64]:
    columns = checked(arrays, "columns", np.int64, shape=(None,))
    if len(columns) and not 0 <= int(columns.min()) <= int(columns.max()) < N_HASHED_FEATURES:
        raise ValueError("features that there are not")
    if arrays["coefficients"].shape[1] < len(columns):
        raise ValueError("fewer coefficients than features")
    return columns


def _view(
    kind: Callable[[CachedEncoder, NDArray[np.float32], NDArray[np.float32]], View],
    encoder: CachedEncoder | None,
    arrays: Mapping[str, NDArray[np.generic]],
    name: str,
) -> View | None:
    """Return the view saved as ``name`` in ``arrays``, or None where there is none."""
    if encoder is None or f"{name}/mean" not in arrays:
        return None
    mean = checked(arrays, f"{name}/mean", np.float32, shape=(None,))
    return kind(encoder, mean, checked(arrays, f"{name}/directions", np.float32, shape=(None, None)))
