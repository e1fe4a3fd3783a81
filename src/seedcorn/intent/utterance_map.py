"""The map of an intent run: seed and selected utterances in the plane."""

from collections.abc import Sequence

import numpy as np

from seedcorn.intent.data import IntentData
from seedcorn.intent.report_rows import rows_of
from seedcorn.intent.self_training import SelfTrained
from seedcorn.report.figures import MapPoint, map_figure
from seedcorn.report.page import LinkedMap, Table
from seedcorn.selection import FloatArray

MOST_MAP_POINTS = 1_200


def utterance_map(data: IntentData, trained: SelfTrained, *, random_seed: int) -> LinkedMap:
    """Return the map of the seed utterances and of the first selected ones."""
    seed = data.seed[: MOST_MAP_POINTS // 2]
    chosen = rows_of(trained.decisions)[: MOST_MAP_POINTS - len(seed)]
    places = _places([u.text for u in seed] + [str(row["text"]) for row in chosen], random_seed)
    points = [
        MapPoint(
            x=float(x),
            y=float(y),
            origin="seed",
            intent=u.intent,
            round="0",
            text=u.text,
            score=1.0,
            reason="annotated",
        )
        for u, (x, y) in zip(seed, places, strict=False)
    ]
    points += [
        MapPoint(
            x=float(x),
            y=float(y),
            origin=str(row["origin"]) or "pool",
            intent=str(row["intent"]),
            round=str(row["round"]),
            text=str(row["text"]),
            score=float(row["relevance"]),
            reason=f"{row['strongest_ngrams']}; nearest seed: {row['nearest_seed']}",
        )
        for row, (x, y) in zip(chosen, places[len(seed) :], strict=True)
    ]
    table = Table(
        caption="The utterances of the map.",
        columns=("text", "intent", "origin", "round", "relevance", "reason"),
        rows=tuple((p.text, p.intent, p.origin, p.round, p.score, p.reason) for p in points),
        searchable=True,
        filter_column="origin",
    )
    figure = map_figure(points, caption="Each point is an utterance; hover for its text, label, score and reason.")
    return LinkedMap(figure=figure, table=table, points=tuple((p.x, p.y) for p in points))


def _places(texts: Sequence[str], random_seed: int) -> FloatArray:
    """Return a place in the plane for each text, (n, 2), by t-SNE of sentence embeddings (van der Maaten 2008)."""
    from sklearn.manifold import TSNE

    from seedcorn.relevance.embedding import fit_encoder

    vectors = fit_encoder(texts, n_dimensions=50, random_seed=random_seed).encode(texts)
    if len(texts) < 5:
        return np.pad(vectors[:, :2].astype(np.float64), ((0, 0), (0, max(0, 2 - vectors.shape[1]))))
    perplexity = min(30.0, (len(texts) - 1) / 3)
    places = TSNE(perplexity=perplexity, init="random", random_state=random_seed, max_iter=500).fit_transform(vectors)
    return np.round(places.astype(np.float64), 3)
