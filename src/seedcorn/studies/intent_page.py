"""The page of an intent study: the summary, one bar a functionality, and all numbers."""

from collections.abc import Mapping

from seedcorn.files import Json
from seedcorn.intent.measures import WITHOUT_POOL
from seedcorn.report.figures import CurvePoint, bar_figure
from seedcorn.report.page import Figure, Page, Section, Table
from seedcorn.studies.intent import IntentStudyConfig
from seedcorn.studies.results import Results, fewer_in_words, interval_in_words

_COLUMNS = ("corpus", "part", "system", "semantic_error", "intent_error", "slot_f1", "false_alarm_rate")
_IN_WORDS = {
    "pool_reduction": "fewer errors with the pool",
    "pool_reduction_low": "its 95% interval starts at",
    "semantic_error_reduction": "fewer errors than with the seed only",
    "pool_intent_error_reduction": "fewer intent errors with the pool",
    "n_worse": "functionalities that got worse",
}
_REDUCTIONS = ("semantic_error_reduction_against_without_pool", "semantic_error_reduction_against_seed_only")


def study_page(config: IntentStudyConfig, results: Results) -> Page:
    """Return the study as a page."""
    means = [row for row in results.rows if row["kind"] == "mean"]
    columns = (*_COLUMNS, *_REDUCTIONS)
    return Page(
        title=f"Seedcorn study: {config.name}",
        lead=_lead(results),
        summary=tuple(
            (_IN_WORDS.get(name, name), f"{value:.1%}" if isinstance(value, float) else str(value))
            for name, value in results.summary.items()
            if isinstance(value, float | int)
        ),
        sections=(
            Section(
                title="Relative reduction of semantic error by the pool",
                text=f"Against the system '{WITHOUT_POOL}'; paired bootstrap over test utterances, 95% intervals.",
                contents=(_bars(config, results),),
            ),
            Section(
                title="All numbers",
                text="Means over functionalities; the intervals are those of Student's t over functionalities.",
                contents=(
                    Table(
                        caption="By corpus, part and system.",
                        columns=tuple(c.replace("_", " ") for c in columns),
                        rows=tuple(tuple(_shown(row[c]) for c in columns) for row in means),
                        searchable=len(means) > 10,
                    ),
                ),
            ),
        ),
        signatures=(f"config:{results.config_digest[:12]} command:{results.command}",),
    )


def _lead(results: Results) -> str:
    found = results.summary
    reduction, low = (found[key] for key in ("pool_reduction", "pool_reduction_low"))
    if not isinstance(reduction, float) or not isinstance(low, float):
        return ""
    fewer = fewer_in_words(reduction, n_decimals=1)
    gain = f"With the pool, {fewer} test utterances have a wrong intent or slot than without it"
    if found["n_functionalities"] == 1:
        return f"{gain}. That is one functionality, which says nothing of how sure it is."
    sure = "clear of zero" if low > 0 else "not clear of zero"
    return (
        f"{gain}, as a mean over {found['n_functionalities']} functionalities. The 95% interval over functionalities "
        f"starts at {low:.1%}: {sure}."
    )


def _shown(value: Json) -> str | int | float:
    if isinstance(value, Mapping):
        return interval_in_words(value, is_fraction=True)
    return value if isinstance(value, str | int | float) else ""


def _bars(config: IntentStudyConfig, results: Results) -> Figure:
    rows = [row for row in results.rows if row["kind"] == "functionality" and row["system"] in config.systems]
    points, labels = [], []
    for row in rows:
        found = row["semantic_error_bootstrap"]
        if isinstance(found, Mapping):
            relative, low, high = (float(str(found[k])) for k in ("relative", "low", "high"))
            points.append(CurvePoint(x=0, y=relative, low=low, high=high, series=str(row["system"])))
            labels.append(f"{row['functionality']} ({row['corpus']})")
    return bar_figure(
        points,
        labels=labels,
        y_title="relative reduction of semantic error",
        caption="By functionality.",
        y_percent=True,
    )
