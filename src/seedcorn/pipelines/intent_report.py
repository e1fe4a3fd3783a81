"""The page of an intent run: what came in, what was kept and why, how the model learned, what it gets right now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow.parquet as pq

from seedcorn.pipelines.stage_files import POSITION, Done, open_parquet, read_json, read_utterances, rows_at
from seedcorn.report.figures import CurvePoint, MapPoint, curve_figure, map_figure, save_figure
from seedcorn.report.page import Figure, LinkedMap, Page, Section, Table
from seedcorn.report.saved import write_page
from seedcorn.runs import Run
from seedcorn.selection import FloatArray

MOST_EXAMPLES = 2_000
MOST_REJECTS = 500
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
            Section(title="What came in", contents=(_sets_table(data), _origins_table(data), _counts_table(stages))),
            _contamination_section(pool),
            _relevance_section(relevant, pool),
            _diversity_section(relevant, diverse),
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


def _sets_table(data: Done) -> Table:
    rows = []
    own = {u.intent for u in read_utterances(data.folder / "seed.parquet")}
    for name in ("seed", "background", "dev", "test"):
        utterances = read_utterances(data.folder / f"{name}.parquet")
        n_own = sum(u.intent in own for u in utterances)
        n_intents = len({u.intent for u in utterances})
        n_slot_types = len({s.type for u in utterances for s in u.slots})
        rows.append((name, len(utterances), n_own, n_intents, n_slot_types))
    columns = ("set", "utterances", "of the functionality", "intents", "slot types")
    return Table(caption="Annotated utterances.", columns=columns, rows=tuple(rows))


def _origins_table(data: Done) -> Table:
    origins: Counter[str] = Counter()
    for batch in open_parquet(data.folder / "pool.parquet").batches():
        origins.update(batch.column("origin").to_pylist())
    rows = tuple((origin or "not told", n) for origin, n in origins.most_common(MOST_EXAMPLES))
    return Table(caption="The pool as read, by origin.", columns=("origin", "utterances"), rows=rows, searchable=True)


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


def _relevance_section(relevant: Done, pool: Done) -> Section:
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
    rejects = _table(
        f"The best of the {relevant.record.counts['n_rejected']:,} utterances that were rejected.",
        _relevance_rejects(relevant, pool, kept, higher_is_better=by_rank[0].y >= by_rank[-1].y),
        ("text", "origin", "relevance", "why", "position"),
        filter_column="why",
    )
    return Section(title="Relevance", contents=(*figures, table, rejects))


def _relevance_rejects(relevant: Done, pool: Done, kept: Sequence[Row], *, higher_is_better: bool) -> list[Row]:
    """Return the best rows of the pool that are not among ``kept``, each with the reason."""
    path = pool.folder / "pool.parquet"
    positions = pq.read_table(path, columns=[POSITION]).column(POSITION).to_numpy()
    with np.load(relevant.folder / "scores.npz", allow_pickle=False) as saved:
        scores, missing = saved["values"], saved["missing"]
    goodness = np.where(missing, -np.inf, scores if higher_is_better else -scores)
    rejected = np.flatnonzero(~np.isin(positions, [row[POSITION] for row in kept]))
    best = rejected[np.argsort(-goodness[rejected], kind="stable")][:MOST_REJECTS]
    why = f"outside the cut-off ({_cutoff_in_words(relevant)})"
    rows: list[Row] = rows_at(path, best).select(["text", "origin", POSITION]).to_pylist()
    return [
        {**row, "relevance": float(scores[i]), "why": "no score" if missing[i] else why}
        for row, i in zip(rows, best, strict=True)
    ]


def _cutoff_in_words(relevant: Done) -> str:
    cutoff = relevant.record.settings["cutoff"]
    given = cutoff.items() if isinstance(cutoff, Mapping) else ()
    return ", ".join(f"{name.removeprefix('n_').replace('_', ' ')} {value}" for name, value in given if value)


def _diversity_section(relevant: Done, diverse: Done) -> Section:
    chosen = _rows(diverse.folder / "selected.parquet")
    positions = {row[POSITION] for row in chosen}
    left_out = [row for row in _rows(relevant.folder / "relevant.parquet") if row[POSITION] not in positions]
    reason = ("text", "origin", "relevance", "nearest_seed", "nearest_seed_similarity", POSITION)
    return Section(
        title="Diversity",
        text=f"What the relevant utterances add to the seed and to each other: {diverse.record.settings['method']}.",
        contents=(
            _table("Selected, in the order of selection.", chosen, ("text", "round", "gain", *reason[1:])),
            _table("Relevant, and left out because the selected ones add more.", left_out, reason),
        ),
    )


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
    columns = tuple(dict.fromkeys(name for row in rounds for name in row))
    rounds = [{**dict.fromkeys(columns, ""), **row} for row in rounds]
    decisions = _rows(taught.folder / "decisions.parquet")
    return Section(
        title="Self-training",
        text="Every selected utterance with the label it was given, and whether the label was trusted.",
        contents=(
            _learning_curve(rounds),
            _table("Rounds; what is counted is the selected utterances by decision.", rounds, columns),
            _table(
                "Decisions.",
                decisions,
                ("text", "intent", "probability", "slots", "decision", "why"),
                filter_column="decision",
            ),
        ),
    )


def _learning_curve(rounds: Sequence[Row]) -> Figure:
    series = (("semantic error", "semantic_error"), ("false alarm rate", "false_alarm_rate"))
    points = [_point(row["round"], row[key], name) for name, key in series for row in rounds]
    points += [_point(row["round"], 1 - float(row["intent_f1"]), "intent error (1 - F1)") for row in rounds]
    caption = "Learning curve: errors on dev by round; round 0 knows the labelled data only."
    return curve_figure(points, x_title="round of self-training", y_title="error", caption=caption)


def _errors_section(measured: Done) -> Section:
    errors = _rows(measured.folder / "errors.parquet")
    columns = ("change", "text", "wanted", "before", "after")
    return Section(
        title="Errors before and after",
        text="Test utterances that the model of the seed only, the grown one, or both get wrong.",
        contents=(_table("Mended, broken and still wrong.", errors, columns, filter_column="change"),),
    )


def _map(data: Done, taught: Done, *, random_seed: int) -> LinkedMap:
    """Return the map of the seed utterances and of the first selected ones."""
    seed = read_utterances(data.folder / "seed.parquet")[: MOST_MAP_POINTS // 2]
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
