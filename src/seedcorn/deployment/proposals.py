"""Which texts an agent should have annotated next, seen through its own model, each with the reason why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.annotate import AnnotationSettings, Candidates, choose_to_annotate
from seedcorn.diversity.methods import Strategy
from seedcorn.diversity.nearest import Vectors, nearest
from seedcorn.errors import DataError
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.selection import FloatArray, Selection

N_PROPOSALS = 9
_SHARPNESS = 10.0  # of the nearest-neighbour view: cosines are turned into probabilities by exp(10 cosine)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A text to annotate: its row in the pool, what the model makes of it, the likeliest intents, and the reason."""

    position: int
    text: str
    prediction: Prediction
    intents: tuple[tuple[str, float], ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class AnnotationBatch:
    """The proposals, most valuable first, and the selection that they are."""

    proposals: tuple[Proposal, ...]
    selection: Selection


def propose(
    texts: Sequence[str],
    *,
    model: NluModel,
    labelled: Sequence[Utterance],
    intents: Collection[str] = (),
    settings: AnnotationSettings = AnnotationSettings(),
    random_seed: int = 0,
) -> AnnotationBatch:
    """Return the batch of ``texts`` whose labels are worth most to ``model``, which was trained on ``labelled``.

    Only utterances of ``intents`` are worth a label, those of all in-scope intents without any. Texts that are labelled
    already, and repeated ones, are never chosen. Cost: one prediction a text, and one sentence
    encoder. Raises DataError when no new text is left.
    """
    rows = new_rows(texts, labelled)
    if not rows:
        raise DataError(
            wanted="unlabelled text to choose from",
            found=f"none that is new among {len(texts):,}",
            fix="Give text that has not been annotated yet.",
        )
    new = [texts[i] for i in rows]
    predictions = model.predict(new)
    candidates, others = candidates_of(
        new, predictions, model=model, labelled=labelled, intents=intents, random_seed=random_seed
    )
    chosen = choose_to_annotate(candidates, settings=settings, rng=np.random.default_rng(random_seed))
    order = np.argsort(-candidates.intent_probabilities, axis=1, kind="stable")[:, :N_PROPOSALS]
    proposals = tuple(
        Proposal(
            position=rows[i],
            text=new[i],
            prediction=predictions[i],
            intents=tuple((model.intents[k], float(candidates.intent_probabilities[i, k])) for k in order[i]),
            why=_why(i, predictions[i], candidates, others, settings.strategy),
        )
        for i in chosen.positions.tolist()
    )
    return AnnotationBatch(proposals=proposals, selection=_of_all(chosen, rows, len(texts)))


def new_rows(texts: Sequence[str], labelled: Sequence[Utterance]) -> list[int]:
    """Return the rows of ``texts`` that are not labelled yet, the first of equal ones."""
    seen = {u.text for u in labelled}
    rows = []
    for i, text in enumerate(texts):
        if text not in seen and text.strip():
            seen.add(text)
            rows.append(i)
    return rows


def candidates_of(
    texts: Sequence[str],
    predictions: Sequence[Prediction],
    *,
    model: NluModel,
    labelled: Sequence[Utterance],
    intents: Collection[str] = (),
    random_seed: int,
) -> tuple[Candidates, list[str]]:
    """Return what is known of ``texts``, and the labelled text nearest to each."""
    from seedcorn.relevance.embedding import fit_encoder
    from seedcorn.relevance.ngrams import count_words

    known = [u.text for u in labelled]
    encoder = fit_encoder([*known, *texts], n_dimensions=64, random_seed=random_seed)
    vectors, labelled_vectors = encoder.encode(list(texts)), encoder.encode(known)
    probabilities = model.intent_probabilities(texts)
    wanted = intents or set(model.intents) - {"", OUT_OF_SCOPE}
    in_scope = [i for i, intent in enumerate(model.intents) if intent in wanted]
    candidates = Candidates(
        intent_probabilities=probabilities,
        slots_probabilities=np.array([p.all_slots_probability for p in predictions]),
        vectors=vectors,
        labelled_vectors=labelled_vectors,
        n_words=count_words(list(texts)),
        relevance=np.clip(probabilities[:, in_scope].sum(axis=1), 0.0, 1.0),
        second_view=nearest_view(vectors, labelled_vectors, [u.intent for u in labelled], model.intents),
    )
    places = nearest(vectors, labelled_vectors).positions.tolist()
    return candidates, [known[i] if i >= 0 else "" for i in places]


def nearest_view(
    vectors: Vectors, labelled_vectors: Vectors, labels: Sequence[str], intents: Sequence[str]
) -> FloatArray:
    """Return intent probabilities by the nearest labelled text of each intent, (n, k); an intent without any gets 0."""
    similarities = np.full((len(vectors), len(intents)), -np.inf)
    for k, intent in enumerate(intents):
        own = [i for i, label in enumerate(labels) if label == intent]
        if own:
            similarities[:, k] = nearest(vectors, labelled_vectors[own]).similarities
    if not np.isfinite(similarities).any():
        return np.full(similarities.shape, 1.0 / max(len(intents), 1))
    weights = np.exp(_SHARPNESS * (similarities - similarities.max(axis=1, keepdims=True)))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def _why(row: int, prediction: Prediction, candidates: Candidates, others: Sequence[str], strategy: Strategy) -> str:
    if strategy is Strategy.RANDOM:
        return "drawn at random"
    doubts = [f"{prediction.intent} {prediction.intent_probability:.2f}"]
    if prediction.slots or prediction.all_slots_probability < 1:
        doubts.append(f"slots right {prediction.all_slots_probability:.2f}")
    nearest_text = f"; nearest labelled: {others[row]}" if others[row] else ""
    return f"{', '.join(doubts)}{nearest_text}"


def _of_all(chosen: Selection, rows: Sequence[int], n_rows: int) -> Selection:
    """Return the selection among ``rows`` as one of all, the others being labelled already or repeated."""
    codes = np.full(n_rows, len(chosen.reject_reasons), dtype=np.int16)
    codes[np.asarray(rows)] = chosen.reject_codes
    return Selection(
        positions=np.asarray(rows, dtype=np.int64)[chosen.positions],
        gains=chosen.gains,
        reject_codes=codes,
        reject_reasons=(*chosen.reject_reasons, "labelled already, or repeated"),
    )
