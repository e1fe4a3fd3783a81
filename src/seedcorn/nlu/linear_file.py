"""A linear NLU model in one file; of its encoder what was fine-tuned, and the name."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seedcorn.array_files import checked, read_arrays
from seedcorn.errors import DataError
from seedcorn.files import writing_whole
from seedcorn.nlu.crf import SlotCrf
from seedcorn.nlu.fine_tuned_intents import FineTunedIntents
from seedcorn.nlu.intent_views import OperatingPoint
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.maxent import N_HASHED_FEATURES, MaxEnt
from seedcorn.nlu.sentence_encoder import CachedEncoder, SentenceView, TokenView, load_sentence_encoder
from seedcorn.nlu.slot_tagger import SlotTagger
from seedcorn.nlu.word_knowledge import WordKnowledge, knowledge_arrays, knowledge_of

View = TypeVar("View", SentenceView, TokenView)
_INTENTS = "fine-tuned-intents"


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
        np.savez(  # weights hardly shrink by compression, which took a second a model
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
            **_fine_tuned_arrays(model),
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
            maxent=_maxent(arrays, intents, knowledge, _view(SentenceView, encoder, arrays, "view")),
            crf=SlotCrf(crf, knowledge, _view(TokenView, encoder, arrays, "token_view")),
            slot_intents=None if slot_intents is None else tuple(slot_intents),
            operating_point=_operating_point(description.get("operating_point")),
            taggers=_taggers(arrays, name),
            fine_tuned=_fine_tuned(arrays, name, intents),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise DataError(wanted="a linear NLU model", found=str(error), where=path) from error


def _fine_tuned_arrays(model: LinearNlu) -> dict[str, NDArray[np.generic]]:
    arrays = {} if model.fine_tuned is None else model.fine_tuned.arrays(_INTENTS)
    for number, tagger in enumerate(model.taggers):
        arrays |= tagger.arrays(_tagger_name(number))
    return arrays


def _tagger_name(number: int) -> str:
    return f"tagger-{number}" if number else "tagger"


def _taggers(arrays: Mapping[str, NDArray[np.generic]], checkpoint: str | None) -> tuple[SlotTagger, ...]:
    taggers: list[SlotTagger] = []
    while (tagger := SlotTagger.load(arrays, checkpoint, saved_as=_tagger_name(len(taggers)))) is not None:
        taggers.append(tagger)
    return tuple(taggers)


def _fine_tuned(
    arrays: Mapping[str, NDArray[np.generic]], checkpoint: str | None, intents: tuple[str, ...]
) -> FineTunedIntents | None:
    fine_tuned = FineTunedIntents.load(arrays, checkpoint, saved_as=_INTENTS)
    if fine_tuned is not None and fine_tuned.outputs != intents:
        raise ValueError("fine-tuned intents that are others than those of the model")
    return fine_tuned


def _operating_point(described: Mapping[str, Sequence[str] | float] | None) -> OperatingPoint | None:
    if described is None:
        return None
    functionality, threshold = described["functionality"], described["threshold"]
    if not isinstance(functionality, list) or not isinstance(threshold, float):
        raise ValueError("an operating point that is none")
    return OperatingPoint(functionality=tuple(functionality), threshold=threshold)


def _maxent(
    arrays: Mapping[str, NDArray[np.generic]],
    intents: tuple[str, ...],
    knowledge: WordKnowledge | None,
    view: SentenceView | None,
) -> MaxEnt:
    """Return the model of intents. Raises ValueError unless it has a coefficient a feature, and such features are."""
    columns = checked(arrays, "columns", np.int64, shape=(None,))
    if len(columns) and not 0 <= int(columns.min()) <= int(columns.max()) < N_HASHED_FEATURES:
        raise ValueError("features that there are not")
    coefficients = checked(arrays, "coefficients", np.float32, shape=(len(intents), None))
    n_of_sentence = coefficients.shape[1] - len(columns)
    if n_of_sentence == 0:  # of a single intent there is nothing to know, though its slots may have knowledge
        knowledge, view = None, None
    n_known = 0 if knowledge is None else knowledge.vectors.vectors.shape[1]
    if n_of_sentence != (n_known if view is None else view.directions.shape[1]):
        raise ValueError(f"{coefficients.shape[1]} coefficients of other features")
    intercepts = checked(arrays, "intercepts", np.float64, shape=(len(intents),))
    return MaxEnt(
        intents=intents,
        columns=columns,
        coefficients=coefficients,
        intercepts=intercepts,
        knowledge=knowledge,
        view=view,
    )


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
    return kind(encoder, mean, checked(arrays, f"{name}/directions", np.float32, shape=(len(mean), None)))
