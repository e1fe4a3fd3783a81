"""The page of an intent run: what came in, what was kept and why, how the model learned, what it gets right now."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from seedcorn.corpus.tables import POSITION, rows_at
from seedcorn.corpus.utterances import Utterance
from seedcorn.deployment.sections import annotation_section, certificate_section
from seedcorn.intent.data import IntentData
from seedcorn.intent.result import IntentResult
from seedcorn.intent.stage_results import CleanPool, Evaluated, RelevantPool, SelfTrained
from seedcorn.intent.stages import SEED_ONLY, WITH_POOL, WITHOUT_POOL
from seedcorn.report.figures import CurvePoint, MapPoint, curve_figure, map_figure, save_figure
from seedcorn.report.page import Figure, LinkedMap, Page, Section, Table
from seedcorn.report.saved import write_page
from seedcorn.runs import StageRecord
from seedcorn.selection import FloatArray

MOST_EXAMPLES = 2_000
MOST_REJECTS = 500
MOST_MAP_POINTS = 1_200
MAP_NAME = "map.svg"
_PERCENT = (
    *("semantic error", "intent error", "slot f1", "intent f1", "false alarm rate", "reduction", "low", "high"),
    *("probability", "missed before", "missed after", "change", "standard error"),
)

Row: TypeAlias = dict[str, str | int | float]


def write_report(result: IntentResult, folder: Path) -> Path:
    """Write the report and the map of a run into ``folder``; return the report's path."""
    data, evaluated, trained = result.data.value, result.evaluated.value, result.trained.value
    the_map = _map(data, trained, random_seed=result.random_seed)
    page = Page(
        title=f"Seedcorn intent run: {result.name}",
        lead=_lead(data, evaluated, result.trained.record),
        summary=_summary(evaluated, result.trained.record),
        sections=(
            _measures_section(evaluated),
            Section(
                title="What came in",
                contents=(_sets_table(data), _origins_table(data), _counts_table(result.records())),
            ),
            _contamination_section(result.clean_pool.value),
            _relevance_section(result),
            _diversity_section(result),
            Section(
                title="The map",
                text="Seed and selected utterances in one embedding. Draw a rectangle to choose rows of the table.",
                contents=(the_map,),
            ),
            _self_training_section(trained),
            _errors_section(evaluated),
            *_decisions(result),
        ),
        signatures=tuple(record.signature for record in result.records()),
    )
    save_figure(the_map.figure, folder / MAP_NAME)
    return write_page(page, folder)


def _decisions(result: IntentResult) -> Iterator[Section]:
    """Yield what people decide next: whether the model may be deployed, and what they label."""
    if result.certificate is not None:
        yield certificate_section(result.certificate.value)
    if result.to_annotate is not None:
        yield annotation_section(result.to_annotate)


def _rows(table: pa.Table) -> list[Row]:
    rows: list[Row] = table.to_pylist()
    return rows


def _json_rows(values: object) -> list[Row]:
    rows: list[Row] = [dict(value) for value in values] if isinstance(values, Sequence) else []
    return rows


def _table(caption: str, rows: Sequence[Row], columns: Sequence[str], *, filter_column: str = "") -> Table:
    shown = rows[:MOST_EXAMPLES]
    cut = f" The first {MOST_EXAMPLES:,} of {len(rows):,}." if len(rows) > MOST_EXAMPLES else ""
    return Table(
        caption=caption + cut,
        columns=tuple(column.replace("_", " ") for column in columns),
        rows=tuple(tuple(row[column] for column in columns) for row in shown),
        searchable=True,
        filter_column=filter_column.replace("_", " "),
        percent_columns=_PERCENT,
    )


def _by_system(evaluated: Evaluated) -> dict[str, Row]:
    return {str(row["system"]): row for row in _json_rows(evaluated.systems)}


def _lead(data: IntentData, evaluated: Evaluated, trained: StageRecord) -> str:
    """Return in two sentences what the pool brought, from what, and how sure that is."""
    rates = _by_system(evaluated)
    before, after = (float(rates[name]["semantic_error"]) for name in (WITHOUT_POOL, WITH_POOL))
    sure = next(
        (
            f"The relative reduction is {float(row['reduction']):.0%}, with a 95 % interval of "
            f"{float(row['low']):.0%} to {float(row['high']):.0%} over the test utterances."
            for row in _json_rows(evaluated.reductions)
            if row["against"] == WITHOUT_POOL and row["measure"] == "semantic_error"
        ),
        "There were too few test utterances for an interval.",
    )
    return (
        f"From {len(data.seed):,} annotated utterances of {', '.join(data.intents)} and {trained.counts['n_kept']:,} "
        f"utterances that were found in the pool, the share of test utterances with a wrong intent or slot went from "
        f"{before:.1%} to {after:.1%}. {sure}"
    )


def _summary(evaluated: Evaluated, trained: StageRecord) -> tuple[tuple[str, str], ...]:
    rates = _by_system(evaluated)
    shown = [
        (f"{what} {name}", f"{float(rates[name][key]):.1%}")
        for what, key in (("semantic error", "semantic_error"), ("intent error", "intent_error"))
        for name in (SEED_ONLY, WITHOUT_POOL, WITH_POOL)
    ]
    return (*shown, ("utterances added", f"{trained.counts['n_kept']:,}"))


def _measures_section(evaluated: Evaluated) -> Section:
    columns = ("system", "semantic_error", "intent_error", "slot_f1", "false_alarm_rate")
    return Section(
        title="What it brought",
        text="Measured on the test utterances; the intervals are those of a paired bootstrap over test utterances.",
        contents=(
            _table(
                "The model of the annotated utterances alone, the one with all that stands beside them, and that one "
                "with the pool.",
                _json_rows(evaluated.systems),
                columns,
            ),
            _table(
                "Relative reduction of the error with the pool, with its 95 % interval.",
                [{**row, "measure": str(row["measure"]).replace("_", " ")} for row in _json_rows(evaluated.reductions)],
                ("against", "measure", "reduction", "low", "high", "p_value"),
            ),
        ),
    )


def _sets_table(data: IntentData) -> Table:
    rows = []
    for name in ("seed", "background", "dev", "test"):
        utterances: list[Utterance] = getattr(data, name)
        n_own = sum(u.intent in data.intents for u in utterances)
        n_intents = len({u.intent for u in utterances})
        n_slot_types = len({s.type for u in utterances for s in u.slots})
        rows.append((name, len(utterances), n_own, n_intents, n_slot_types))
    columns = ("set", "utterances", "of the functionality", "intents", "slot types")
    return Table(caption="Annotated utterances.", columns=columns, rows=tuple(rows))


def _origins_table(data: IntentData) -> Table:
    origins: Counter[str] = Counter()
    for batch in data.pool.batches():
        origins.update(batch.column("origin").to_pylist())
    rows = tuple((origin or "not told", n) for origin, n in origins.most_common(MOST_EXAMPLES))
    return Table(caption="The pool as read, by origin.", columns=("origin", "utterances"), rows=rows, searchable=True)


def _counts_table(records: Iterable[StageRecord]) -> Table:
    rows = [(r.stage, key.removeprefix("n_").replace("_", " "), n) for r in records for key, n in r.counts.items()]
    return Table(caption="Counts of every stage.", columns=("stage", "what", "number"), rows=tuple(rows))


def _contamination_section(clean: CleanPool) -> Section:
    columns = ("text", "near_to", "similarity")
    return Section(
        title="Contamination",
        text="Pool utterances equal or nearly equal to a dev or test utterance were removed before anything else.",
        contents=(_table("Removed utterances, and what they are near to.", _rows(clean.rejects), columns),),
    )


def _relevance_section(result: IntentResult) -> Section:
    relevant, record = result.relevant.value, result.relevant.record
    by_rank = [_point(row["rank"], row["score"], "pool") for row in _json_rows(relevant.curves["score_by_rank"])]
    n_kept = record.counts["n_kept"]
    figures = [
        curve_figure(
            [*by_rank, *(_point(n_kept, p.y, "cut-off") for p in (by_rank[0], by_rank[-1]))],
            x_title="rank",
            y_title="relevance",
            caption=f"Relevance by rank; the cut-off keeps {n_kept:,} utterances.",
        )
    ]
    if precision := _json_rows(relevant.curves["precision"]):
        figures.append(_precision_figure(precision))
    columns = ("text", "origin", "relevance", "strongest_ngrams", "nearest_seed", "position")
    table = _table("Relevant utterances, best first.", _rows(relevant.rows), columns, filter_column="origin")
    why = f"outside the cut-off ({_cutoff_in_words(record)})"
    rejects = _table(
        f"The best of the {record.counts['n_rejected']:,} utterances that were rejected.",
        _relevance_rejects(relevant, result.clean_pool.value, why),
        ("text", "origin", "relevance", "why", "position"),
        filter_column="why",
    )
    return Section(title="Relevance", contents=(*figures, table, rejects))


def _relevance_rejects(relevant: RelevantPool, clean: CleanPool, why: str) -> list[Row]:
    """Return the best rows of the pool that are not kept, each with the reason."""
    scores = relevant.scores
    positions = np.concatenate([batch.column(POSITION).to_numpy() for batch in clean.pool.batches()])
    missing = np.zeros(len(scores), np.bool_) if scores.missing is None else scores.missing
    ranked = np.concatenate([scores.best_first(), np.flatnonzero(missing)])
    is_kept = np.isin(positions, relevant.rows.column(POSITION).to_numpy())
    best = ranked[~is_kept[ranked]][:MOST_REJECTS]
    rows: list[Row] = rows_at(clean.pool, best).select(["text", "origin", POSITION]).to_pylist()
    return [
        {**row, "relevance": float(scores.values[i]), "why": "no score" if missing[i] else why}
        for row, i in zip(rows, best, strict=True)
    ]


def _cutoff_in_words(relevant: StageRecord) -> str:
    cutoff = relevant.settings["cutoff"]
    given = cutoff.items() if isinstance(cutoff, Mapping) else ()
    return ", ".join(f"{name.removeprefix('n_').replace('_', ' ')} {value}" for name, value in given if value)


def _diversity_section(result: IntentResult) -> Section:
    chosen = _rows(result.selected.value.rows)
    positions = {row[POSITION] for row in chosen}
    left_out = [row for row in _rows(result.relevant.value.rows) if row[POSITION] not in positions]
    reason = ("text", "origin", "relevance", "nearest_seed", "nearest_seed_similarity", POSITION)
    method = result.selected.record.settings["method"]
    return Section(
        title="Diversity",
        text=f"What the relevant utterances add to the seed and to each other: {method}.",
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
        points,
        x_title="recall of held-out seed",
        y_title="precision",
        caption="Estimated by cross-validation.",
        x_percent=True,
        y_percent=True,
    )


def _point(x: float | str, y: float | str, series: str) -> CurvePoint:
    return CurvePoint(x=float(x), y=float(y), low=float(y), high=float(y), series=series)


def _self_training_section(trained: SelfTrained) -> Section:
    rounds = _json_rows(trained.rounds)
    columns = tuple(dict.fromkeys(name for row in rounds for name in row))
    rounds = [{**dict.fromkeys(columns, ""), **row} for row in rounds]
    return Section(
        title="Self-training",
        text="Every selected utterance with the label it was given, and whether the label was trusted.",
        contents=(
            _learning_curve(rounds),
            _table("Rounds; what is counted is the selected utterances by decision.", rounds, columns),
            _table(
                "Decisions.",
                _rows(trained.decisions),
                ("text", "intent", "probability", "slots", "decision", "why"),
                filter_column="decision",
            ),
        ),
    )


def _learning_curve(rounds: Sequence[Row]) -> Figure:
    """Return the errors by round: on dev, or, at a budget of false alarms, on held-out labelled utterances."""
    of_intents = [row for row in rounds if row.get("missed_after", "") != ""]
    if of_intents or (rounds and "wrong_after" in rounds[0]):
        points = [_point(0, row["missed_before"], "missed at the budget") for row in of_intents[:1]]
        points += [_point(row["round"], row["missed_after"], "missed at the budget") for row in of_intents]
        caption = "Learning curve: held-out utterances of the functionality that are missed at the false-alarm budget."
        return curve_figure(points, x_title="round of self-training", y_title="missed", caption=caption, y_percent=True)
    series = (("semantic error", "semantic_error"), ("false alarm rate", "false_alarm_rate"))
    points = [_point(row["round"], row[key], name) for name, key in series for row in rounds]
    points += [_point(row["round"], 1 - float(row["intent_f1"]), "intent error (1 - F1)") for row in rounds]
    caption = "Learning curve: errors on dev by round; round 0 knows the labelled data only."
    return curve_figure(points, x_title="round of self-training", y_title="error", caption=caption, y_percent=True)


def _errors_section(evaluated: Evaluated) -> Section:
    errors = _rows(evaluated.errors)
    columns = ("change", "text", "wanted", "before", "after")
    return Section(
        title="Errors before and after",
        text="Test utterances that the model without the pool, the one with it, or both get wrong.",
        contents=(_table("Mended, broken and still wrong.", errors, columns, filter_column="change"),),
    )


def _map(data: IntentData, trained: SelfTrained, *, random_seed: int) -> LinkedMap:
    """Return the map of the seed utterances and of the first selected ones."""
    seed = data.seed[: MOST_MAP_POINTS // 2]
    chosen = _rows(trained.decisions)[: MOST_MAP_POINTS - len(seed)]
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
