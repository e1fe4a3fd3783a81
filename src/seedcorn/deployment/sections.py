"""What the pages of runs share: what to annotate next with its forecast, and the certificate."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from seedcorn.deployment.batch import ToAnnotate
from seedcorn.deployment.certificate import Certificate
from seedcorn.files import Json
from seedcorn.report.page import Section, Table, in_reading_order
from seedcorn.runs import Result

_PERCENT = (
    *("f1 before", "f1 after", "difference", "low", "high", "before", "after", "error", "probability"),
    *("semantic error before", "semantic error after", "calibration error before", "calibration error after"),
)


def certificate_section(certificate: Certificate) -> Section:
    """Return what the certificate says of each intent and slot type, and what it rests on."""
    return Section(
        title="Certificate",
        text="It is passed when each intent of before, and all others together, are shown, with 95% confidence, not "
        f"to be worse by more than {certificate.margin:.0%} of the utterances that concern them. Too few of these show "
        "nothing.",
        contents=(
            _comparisons_table(certificate),
            rows_table("Right before and wrong now", certificate.rows("regressions"), searchable=True),
            rows_table("Taken from another intent by a new one", certificate.rows("taken")),
            rows_table(
                "Training utterances of different intents that are most alike", certificate.rows("nearest_pairs")
            ),
            rows_table("False alarms by domain", certificate.rows("false_alarms")),
            rows_table("Semantic error and calibration error before and after", _overall(certificate)),
            rows_table("The training set before and after, by origin", certificate.rows("training_set")),
        ),
    )


def _overall(certificate: Certificate) -> list[Mapping[str, Json]]:
    found = certificate.content.get("overall")
    return [found] if isinstance(found, Mapping) else []


def annotation_section(to_annotate: Result[ToAnnotate]) -> Section:
    """Return the utterances to label next, and the forecast where there is one."""
    value = to_annotate.value
    rows: list[dict[str, Json]] = [
        {"text": task.utterance.text, "proposed": task.utterance.intent, "why": task.why} for task in value.batch.tasks
    ]
    return Section(
        title="What to annotate next",
        text=f"Open {to_annotate.folder.name}/annotate.html in a browser, or give the tasks to Label Studio; the "
        "answers go into the next run of 'seedcorn grow' as data.labels.",
        contents=(
            rows_table("Utterances whose labels are worth most", rows, searchable=True),
            *_forecast_tables(value.curve),
        ),
    )


def _forecast_tables(curve: Mapping[str, JsonValue]) -> tuple[Table, ...]:
    """Return the errors so far and those to be expected, of the model of annotated utterances alone."""
    points, forecasts = curve.get("points"), curve.get("forecasts")
    if not isinstance(points, list) or not isinstance(forecasts, list):
        return ()
    measured: list[dict[str, Json]] = [{"labels": p[0], "error": p[1]} for p in points if isinstance(p, list)]
    foretold = [dict(row) for row in forecasts if isinstance(row, dict)]
    stop = curve.get("stop_after")
    when = "not soon" if stop is None else f"after {stop} more labels" if stop else "already"
    return (
        rows_table("Semantic error of the model of annotated utterances alone, on subsets of them", measured),
        rows_table(f"... after more labels, with its 80% interval; 25 more stop to be worth it {when}", foretold),
    )


def rows_table(caption: str, rows: Sequence[Mapping[str, Json]], *, searchable: bool = False) -> Table:
    """Return ``rows`` as a table with the columns of the first one, in the order in which they are read."""
    return _table(caption, rows, in_reading_order(rows[0]) if rows else ("nothing",), searchable=searchable)


def _comparisons_table(certificate: Certificate) -> Table:
    """Return what got better or worse: each intent and slot type with its counts, rates and interval."""
    counts = ("kind", "name", "verdict", "n_utterances", "n_mended", "n_broken")
    rates = ("f1_before", "f1_after", "difference", "low", "high", "p_holm")
    rows = certificate.rows("comparisons")
    return _table("Before and after, each intent and slot type", rows, (*counts, *rates), searchable=True)


def _table(caption: str, rows: Sequence[Mapping[str, Json]], columns: Sequence[str], *, searchable: bool) -> Table:
    return Table(
        caption=caption,
        columns=tuple(name.replace("_", " ") for name in columns),
        rows=tuple(tuple(_cell(row[name]) for name in columns) for row in rows),
        searchable=searchable,
        percent_columns=_PERCENT,
    )


def _cell(value: Json) -> str | int | float:
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else str(value)
