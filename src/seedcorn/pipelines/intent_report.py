"""The page of an intent run: what came in, what was kept and why, how the model learned, what it gets right now."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow.parquet as pq

from seedcorn.pipelines.stage_files import Done, read_json, read_utterances
from seedcorn.report.figures import CurvePoint, MapPoint, curve_figure, map_figure, save_figure
from seedcorn.report.page import Figure, LinkedMap, Page, Section, Table
from seedcorn.report.saved import write_page
from seedcorn.runs import Run
from seedcorn.selection import FloatArray

MOST_EXAMPLES = 2_000
MOST_MAP_POINTS = 1_200
MAP_NAME = "map.svg"

Row: TypeAlias = dict[str, str | int | float]


def write_report(run: Run, name: str, stages: tuple[Done, Done, Done, Done, Done, Done]) -> Path:
    """Write the report and the map of a run from the files of its finished stages; return the report's path."""
    data, pool, relevant, diverse, taught, measured = stages
    the_map = _map(data, taught, random_seed=run.random_seed)
    page = Page(
        title=f"Seedcorn intent run: {name}",
        summary=_summary(measured, taught),
        sections=(
            _measures_section(measured),
            Section(title="What came in", contents=(_counts_table(stages),)),
            _contamination_section(pool),
            _relevance_section(relevant),
            Section(
                title="The map",
                text="Seed and selected utterances in one embedding. Draw a rectangle to choose rows of the table.",
                contents=(the_map,),
            ),
            _teaching_section(taught),
            _errors_section(measured),
        ),
        signatures=tuple(stage.record.signature for stage in (*stages,)),
    )
    save_figure(the_map.figure, run.folder / MAP_NAME)
    return write_page(page, run.folder)


def _rows(path: Path) -> list[Row]:
    rows: list[Row] = pq.read_table(path).to_pylist()
    return rows


def _json_rows(path: Path, key: str) -> list[Row]:
    value = read_json(path)
    return value[key] if isinstance(value, dict) else []


def _table(caption: str, rows: Sequence[Row], columns: Sequence[str], *, filter_column: str = "") -> Table:
    shown = rows[:MOST_EXAMPLES]
    cut = f" The first {MOST_EXAMPLES:,} of {len(rows):,}." if len(rows) > MOST_EXAMPLES else ""
    return Table(
        caption=caption + cut,
        columns=tuple(column.replace("_", " ") for column in columns),
        rows=tuple(tuple(row[column] for column in columns) for row in shown),
        searchable=True,
        filter_column=filter_column.replace("_", " "),
    )


def _summary(measured: Done, taught: Done) -> tuple[tuple[str, str], ...]:
    by_system = {str(row["system"]): row for row in _json_rows(measured.folder / "measures.json", "systems")}
    before, after = by_system["seed only"], by_system["grown"]
    counts = taught.record.counts
    return (
        ("semantic error before", f"{before['semantic_error']:.1%}"),
        ("semantic error after", f"{after['semantic_error']:.1%}"),
        ("intent F1 before", f"{1 - float(before['intent_error']):.3f}"),
        ("intent F1 after", f"{1 - float(after['intent_error']):.3f}"),
        ("utterances added", f"{counts['n_kept']:,}"),
    )


def _measures_section(measured: Done) -> Section:
    rows = _json_rows(measured.folder / "measures.json", "systems")
    columns = ("system", "semantic_error", "intent_error", "slot_f1", "false_alarm_rate")
    reductions = _json_rows(measured.folder / "measures.json", "reductions")
    return Section(
        title="What it brought",
        text="Measured on the test utterances; the intervals are those of a paired bootstrap over test utterances.",
        contents=(
            _table("Rates of the model trained on the seed only and of the grown one.", rows, columns),
            _table(
                "Relative reduction of the error, with its 95 % interval.",
                reductions,
                ("measure", "reduction", "low", "high", "p_value"),
            ),
        ),
    )


def _counts_table(stages: Sequence[Done]) -> Table:
    rows = [
        (s.record.stage, key.removeprefix("n_").replace("_", " "), n)
        for s in stages
        for key, n in s.record.counts.items()
    ]
    return Table(caption="Counts of every stage.", columns=("stage", "what", "number"), rows=tuple(rows))


def _contamination_section(pool: Done) -> Section:
    columns = ("text", "near_to", "similarity")
    return Section(
        title="Contamination",
        text="Pool utterances equal or nearly equal to a dev or test utterance were removed before anything else.",
        contents=(
            _table("Removed utterances, and what they are near to.", _rows(pool.folder / "rejects.parquet"), columns),
        ),
    )


def _relevance_section(relevant: Done) -> Section:
    curves = relevant.folder / "curves.json"
    by_rank = [_point(row["rank"], row["score"], "pool") for row in _json_rows(curves, "score_by_rank")]
    n_kept = relevant.record.counts["n_kept"]
    figures = [
        curve_figure(
            [*by_rank, *(_point(n_kept, p.y, "cut-off") for p in (by_rank[0], by_rank[-1]))],
            x_title="rank",
            y_title="relevance",
            caption=f"Relevance by rank; the cut-off keeps {n_kept:,} utterances.",
        )
    ]
    if precision := _json_rows(curves, "precision"):
        figures.append(_precision_figure(precision))
    kept = _rows(relevant.folder / "relevant.parquet")
    columns = ("text", "origin", "relevance", "strongest_ngrams", "nearest_seed", "position")
    table = _table("Relevant utterances, best first.", kept, columns, filter_column="origin")
    return Section(title="Relevance", contents=(*figures, table))


def _precision_figure(precision: Sequence[Row]) -> Figure:
    points = [
        _point(row["recall"], row["precision"], "cross-validated")
        for row in precision[:: max(1, len(precision) // 300)]
    ]
    return curve_figure(
        points, x_title="recall of held-out seed", y_title="precision", caption="Estimated by cross-validation."
    )


def _point(x: float | str, y: float | str, series: str) -> CurvePoint:
    return CurvePoint(x=float(x), y=float(y), low=float(y), high=float(y), series=series)


def _teaching_section(taught: Done) -> Section:
    rounds = _json_rows(taught.folder / "rounds.json", "rounds")
    columns = tuple(rounds[0]) if rounds else ()
    decisions = _rows(taught.folder / "decisions.parquet")
    return Section(
        title="Self-training",
        text="Every selected utterance with the label it was given, and whether the label was trusted.",
        contents=(
            _table("Rounds.", rounds, columns),
            _table(
                "Decisions.",
                decisions,
                ("text", "intent", "probability", "slots", "decision"),
                filter_column="decision",
            ),
        ),
    )


def _errors_section(measured: Done) -> Section:
    changed = _rows(measured.folder / "changed.parquet")
    columns = ("change", "text", "wanted", "before", "after")
    return Section(
        title="Errors before and after",
        text="Test utterances that only one of the two models gets right.",
        contents=(_table("Mended and broken utterances.", changed, columns, filter_column="change"),),
    )


def _map(data: Done, taught: Done, *, random_seed: int) -> LinkedMap:
    """Return the map of all seed utterances and of the first selected ones."""
    seed = read_utterances(data.folder / "seed.parquet")
    chosen = _rows(taught.folder / "decisions.parquet")[: MOST_MAP_POINTS - len(seed)]
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
