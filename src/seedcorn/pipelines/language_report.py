"""The page of a language run: what each step brought, where it helps, what the models know, what changed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from seedcorn.intent.report import Row
from seedcorn.pipelines.language_model_stages import OWN, SYSTEMS_FILE, TRANSLATED_FILE
from seedcorn.pipelines.stage_files import Done, read_json
from seedcorn.report.figures import CurvePoint, bar_figure
from seedcorn.report.page import Figure, Page, Section, Table
from seedcorn.report.saved import write_page
from seedcorn.runs import Run

MOST_EXAMPLES = 1_000


def write_report(run: Run, name: str, *, models: Done, measured: Done, stages: Sequence[Done]) -> Path:
    """Write the report of a run from the files of its finished ``stages``; return its path."""
    rows = json_rows(measured.folder / "measures.json", "systems")
    page = Page(
        title=f"Seedcorn language run: {name}",
        summary=_summary(rows),
        sections=(
            _ablation(rows),
            _slices(json_rows(measured.folder / "measures.json", "slices"), [str(r["system"]) for r in rows]),
            _models(models),
            _examples(measured),
            _translations(models),
            Section(title="Counts", contents=(_counts(stages),)),
        ),
        signatures=tuple(stage.record.signature for stage in stages),
    )
    return write_page(page, run.folder)


def json_rows(path: Path, key: str = "") -> list[Row]:
    """Return the list in a JSON file, or under ``key`` in it."""
    value = read_json(path)
    rows = value[key] if isinstance(value, Mapping) else value
    return [dict(row) for row in rows] if isinstance(rows, Sequence) else []  # type: ignore[arg-type]  # what we wrote


def _summary(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    own = [row for row in rows if row["lexicon"] == OWN]
    before, after = own[0], own[-1]
    return (
        (f"word error rate: {before['system']}", f"{before['wer']:.1%}"),
        (f"word error rate: {after['system']}", f"{after['wer']:.1%}"),
        ("relative reduction", f"{float(after['reduction']):.1%}"),
        ("95 % interval", f"{float(after['low']):.1%} to {float(after['high']):.1%}"),
    )


def _ablation(rows: Sequence[Row]) -> Section:
    shown = [{**dict.fromkeys(("reduction", "low", "high", "p_value"), ""), **row} for row in rows]
    columns = ("system", "lexicon", "wer", "cer", "reduction", "low", "high", "p_value")
    return Section(
        title="What each step brings",
        text=(
            f"Relative reduction of word errors against '{rows[0]['system']}', with the 95 % interval of a paired "
            "bootstrap over test utterances. With the own lexicon a recogniser knows the words of its language model; "
            "with the fixed one all know the same words, and only probabilities differ."
        ),
        contents=(_bars(rows), table("Error rates of every system.", shown, columns)),
    )


def _bars(rows: Sequence[Row]) -> Figure:
    measured = [row for row in rows if "reduction" in row]
    points = [
        CurvePoint(
            x=0,
            y=float(row["reduction"]),
            low=float(row["low"]),
            high=float(row["high"]),
            series=f"{row['lexicon']} lexicon",
        )
        for row in measured
    ]
    return bar_figure(
        points,
        labels=[str(row["system"]) for row in measured],
        y_title="relative reduction of word errors",
        caption="Relative reduction of word errors, with 95 % intervals.",
    )


def _slices(rows: Sequence[Row], systems: Sequence[str]) -> Section:
    names = list(dict.fromkeys(systems))
    by_slice: dict[str, Row] = {}
    for row in rows:
        entry = by_slice.setdefault(
            str(row["slice"]), {"slice": row["slice"], "reference_words": row["n_reference_words"]}
        )
        entry[str(row["system"])] = row["wer"]
    return Section(
        title="Where it helps",
        text="Word error rate by slice of the test, with the own lexicon. Rare intents are rare among the transcripts.",
        contents=(table("Word error rate by slice.", list(by_slice.values()), ("slice", "reference_words", *names)),),
    )


def _models(models: Done) -> Section:
    rows = json_rows(models.folder / SYSTEMS_FILE)
    shown = [
        {
            **row,
            "text": ", ".join(f"{part} {n:,}" for part, n in _mapping(row["n_sentences"]).items()),
            "mixture": ", ".join(f"{part} {weight:.2f}" for part, weight in _mapping(row["weights"]).items()),
        }
        for row in rows
    ]
    columns = ("system", "text", "mixture", "n_words", "n_ngrams", "oov_fraction", "perplexity_own_words", "perplexity")
    return Section(
        title="The language models",
        text="Perplexity on test; the last column is over one vocabulary for all systems, so that it compares.",
        contents=(
            _growth(rows, "perplexity", "perplexity on test, over one vocabulary"),
            _growth(rows, "n_words", "words that the model knows"),
            table("Text, mixture weights, size and perplexity.", shown, columns),
        ),
    )


def _growth(rows: Sequence[Row], key: str, title: str) -> Figure:
    """Return one bar a system: how what ``key`` measures grows or falls from step to step."""
    values = [float(row[key]) for row in rows]
    return bar_figure(
        [CurvePoint(x=0, y=value, low=value, high=value, series="language model") for value in values],
        labels=[str(row["system"]) for row in rows],
        y_title=title,
        caption=f"{title.capitalize()}.",
    )


def _mapping(value: object) -> Mapping[str, float]:
    return value if isinstance(value, Mapping) else {}


def _examples(measured: Done) -> Section:
    rows = pq.read_table(measured.folder / "changed.parquet").to_pylist()
    columns = ("change", "intent", "said", "before", "after")
    return Section(
        title="Before and after",
        text="Test utterances that the first and the last system understand differently: [-said-] {+understood+}.",
        contents=(table("Changed utterances.", rows, columns, filter_column="change"),),
    )


def _translations(models: Done) -> Section:
    rows = pq.read_table(models.folder / TRANSLATED_FILE).to_pylist()
    return Section(
        title="The grown text",
        text="Translations that the last system is made of, with their intents; slots are in the Parquet file.",
        contents=(table("Translations.", rows, ("text", "intent")),),
    )


def _counts(stages: Sequence[Done]) -> Table:
    rows = [
        (s.record.stage, key.removeprefix("n_").replace("_", " "), n)
        for s in stages
        for key, n in s.record.counts.items()
    ]
    return Table(caption="Counts of every stage.", columns=("stage", "what", "number"), rows=tuple(rows))


def table(caption: str, rows: Sequence[Row], columns: Sequence[str], *, filter_column: str = "") -> Table:
    """Return the ``columns`` of ``rows``, of which the first are shown when there are very many."""
    cut = f" The first {MOST_EXAMPLES:,} of {len(rows):,}." if len(rows) > MOST_EXAMPLES else ""
    return Table(
        caption=caption + cut,
        columns=tuple(column.replace("_", " ") for column in columns),
        rows=tuple(tuple(row.get(column, "") for column in columns) for row in rows[:MOST_EXAMPLES]),
        searchable=True,
        filter_column=filter_column,
    )
