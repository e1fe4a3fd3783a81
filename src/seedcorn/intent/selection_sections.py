"""The sections of an intent run's page on what was kept of the pool, and why."""

from collections.abc import Mapping, Sequence

import numpy as np

from seedcorn.corpus.tables import POSITION, rows_at
from seedcorn.intent.contamination import CleanPool
from seedcorn.intent.relevance import RelevantPool
from seedcorn.intent.report_rows import Row, json_rows, point, rows_of, table_of
from seedcorn.intent.result import IntentResult
from seedcorn.report.figures import curve_figure
from seedcorn.report.page import Figure, Section
from seedcorn.runs import StageRecord

MOST_REJECTS = 500


def contamination_section(clean: CleanPool) -> Section:
    """Return what was removed because dev or test has it."""
    columns = ("text", "near_to", "similarity")
    return Section(
        title="Contamination",
        text="Pool utterances equal or nearly equal to a dev or test utterance were removed before anything else.",
        contents=(table_of("Removed utterances, and what they are near to.", rows_of(clean.rejects), columns),),
    )


def relevance_section(result: IntentResult) -> Section:
    """Return what was kept as relevant, with scores and reasons, and the best of what was not."""
    relevant, record = result.relevant.value, result.relevant.record
    by_rank = [point(row["rank"], row["score"], "pool") for row in json_rows(relevant.curves["score_by_rank"])]
    n_kept = record.counts["n_kept"]
    figures = [
        curve_figure(
            [*by_rank, *(point(n_kept, p.y, "cut-off") for p in (by_rank[0], by_rank[-1]))],
            x_title="rank",
            y_title="relevance",
            caption=f"Relevance by rank; the cut-off keeps {n_kept:,} utterances.",
        )
    ]
    if precision := json_rows(relevant.curves["precision"]):
        figures.append(_precision_figure(precision))
    columns = ("text", "origin", "relevance", "strongest_ngrams", "nearest_seed", "position")
    table = table_of("Relevant utterances, best first.", rows_of(relevant.rows), columns, filter_column="origin")
    why = f"outside the cut-off ({_cutoff_in_words(record)})"
    rejects = table_of(
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


def diversity_section(result: IntentResult) -> Section:
    """Return what was selected of the relevant utterances, and what was left out."""
    chosen = rows_of(result.selected.value.rows)
    positions = {row[POSITION] for row in chosen}
    left_out = [row for row in rows_of(result.relevant.value.rows) if row[POSITION] not in positions]
    reason = ("text", "origin", "relevance", "nearest_seed", "nearest_seed_similarity", POSITION)
    method = result.selected.record.settings["method"]
    return Section(
        title="Diversity",
        text=f"What the relevant utterances add to the seed and to each other: {method}.",
        contents=(
            table_of("Selected, in the order of selection.", chosen, ("text", "round", "gain", *reason[1:])),
            table_of("Relevant, and left out because the selected ones add more.", left_out, reason),
        ),
    )


def _precision_figure(precision: Sequence[Row]) -> Figure:
    points = [
        point(row["recall"], row["precision"], "cross-validated") for row in precision[:: max(1, len(precision) // 300)]
    ]
    return curve_figure(
        points,
        x_title="recall of held-out seed",
        y_title="precision",
        caption="Estimated by cross-validation.",
        x_percent=True,
        y_percent=True,
    )
