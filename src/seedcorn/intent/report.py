"""The page of an intent run: what came in, what was kept and why, how the model learned, what it gets right now."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from seedcorn.corpus.utterances import Utterance
from seedcorn.deployment.sections import annotation_section, certificate_section
from seedcorn.intent.data import IntentData
from seedcorn.intent.measures import SEED_ONLY, WITH_POOL, WITHOUT_POOL, Evaluated
from seedcorn.intent.report_rows import MOST_EXAMPLES, Row, json_rows, point, rows_of, table_of
from seedcorn.intent.result import IntentResult
from seedcorn.intent.selection_sections import contamination_section, diversity_section, relevance_section
from seedcorn.intent.self_training import SelfTrained
from seedcorn.intent.utterance_map import utterance_map
from seedcorn.report.figures import curve_figure, save_figure
from seedcorn.report.page import Figure, Page, Section, Table, in_reading_order
from seedcorn.report.saved import write_page
from seedcorn.runs import StageRecord

MAP_NAME = "map.svg"


def write_report(result: IntentResult, folder: Path) -> Path:
    """Write the report and the map of a run into ``folder``; return the report's path."""
    data, evaluated, trained = result.data.value, result.evaluated.value, result.trained.value
    the_map = utterance_map(data, trained, random_seed=result.random_seed)
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
            contamination_section(result.clean_pool.value),
            relevance_section(result),
            diversity_section(result),
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


def _by_system(evaluated: Evaluated) -> dict[str, Row]:
    return {str(row["system"]): row for row in json_rows(evaluated.systems)}


def _lead(data: IntentData, evaluated: Evaluated, trained: StageRecord) -> str:
    """Return in two sentences what the pool brought, from what, and how sure that is."""
    rates = _by_system(evaluated)
    before, after = (float(rates[name]["semantic_error"]) for name in (WITHOUT_POOL, WITH_POOL))
    sure = next(
        (
            f"The relative reduction is {float(row['reduction']):.0%}, with a 95% interval of "
            f"{float(row['low']):.0%} to {float(row['high']):.0%} over the test utterances."
            for row in json_rows(evaluated.reductions)
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
        (f"{what}, {name}", f"{float(rates[name][key]):.1%}")
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
            table_of(
                "The model of the annotated utterances alone, the one with all that stands beside them, and that one "
                "with the pool.",
                json_rows(evaluated.systems),
                columns,
            ),
            table_of(
                "Relative reduction of the error with the pool, with its 95% interval.",
                [{**row, "measure": str(row["measure"]).replace("_", " ")} for row in json_rows(evaluated.reductions)],
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


def _self_training_section(trained: SelfTrained) -> Section:
    rounds = json_rows(trained.rounds)
    columns = in_reading_order(dict.fromkeys(name for row in rounds for name in row))
    rounds = [{**dict.fromkeys(columns, ""), **row} for row in rounds]
    return Section(
        title="Self-training",
        text="Every selected utterance with the label it was given, and whether the label was trusted.",
        contents=(
            _learning_curve(rounds),
            table_of("Rounds; what is counted is the selected utterances by decision.", rounds, columns),
            table_of(
                "Decisions.",
                rows_of(trained.decisions),
                ("text", "intent", "probability", "slots", "decision", "why"),
                filter_column="decision",
            ),
        ),
    )


def _learning_curve(rounds: Sequence[Row]) -> Figure:
    """Return the errors by round: on dev, or, at a budget of false alarms, on held-out labelled utterances."""
    of_intents = [row for row in rounds if row.get("missed_after", "") != ""]
    if of_intents or (rounds and "wrong_after" in rounds[0]):
        points = [point(0, row["missed_before"], "missed at the budget") for row in of_intents[:1]]
        points += [point(row["round"], row["missed_after"], "missed at the budget") for row in of_intents]
        caption = "Learning curve: held-out utterances of the functionality that are missed at the false-alarm budget."
        return curve_figure(points, x_title="round of self-training", y_title="missed", caption=caption, y_percent=True)
    series = (("semantic error", "semantic_error"), ("false alarm rate", "false_alarm_rate"))
    points = [point(row["round"], row[key], name) for name, key in series for row in rounds]
    points += [point(row["round"], 1 - float(row["intent_f1"]), "intent error (1 - F1)") for row in rounds]
    caption = "Learning curve: errors on dev by round; round 0 knows the labelled data only."
    return curve_figure(points, x_title="round of self-training", y_title="error", caption=caption, y_percent=True)


def _errors_section(evaluated: Evaluated) -> Section:
    errors = rows_of(evaluated.errors)
    columns = ("change", "text", "wanted", "before", "after")
    return Section(
        title="Errors before and after",
        text="Test utterances that the model without the pool, the one with it, or both get wrong.",
        contents=(table_of("Mended, broken and still wrong.", errors, columns, filter_column="change"),),
    )
