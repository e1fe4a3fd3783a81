"""The page of a round: the certificate first, then what to annotate, what users say anew, what was trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from seedcorn.deployment.certificate import Certificate
from seedcorn.deployment.sections import annotation_section, certificate_section, rows_table
from seedcorn.errors import require_all
from seedcorn.files import Json
from seedcorn.growth.pipeline import GrowthConfig, GrowthResult, run_growth
from seedcorn.report.page import Page, Section, Table, in_reading_order
from seedcorn.report.saved import write_page
from seedcorn.runs import Run

_NEEDED = (("jinja2", "report"), ("vl_convert", "report"))


def run_and_report(config: GrowthConfig, *, run: Run) -> Path:
    """Run the stages that are not done yet and return the path of the report.

    Raises MissingExtraError now, not after the run, when a package is missing.
    """
    require_all(_NEEDED)
    return write_report(run_growth(config, run=run), run.folder)


def write_report(result: GrowthResult, folder: Path) -> Path:
    """Write the report of a round into ``folder`` and return its path."""
    certificate, data = result.certificate.value, result.data.value
    page = Page(
        title=f"Seedcorn growth: {result.name}",
        lead=_lead(certificate, result),
        summary=_summary(result),
        sections=(
            certificate_section(certificate),
            annotation_section(result.to_annotate),
            Section(
                title="Contradictory labels",
                text="Annotators disagree about these; nobody's label was trained on.",
                contents=(rows_table("Contradictions", _conflicts(data.conflicts)),),
            ),
            _drift_section(result.drift.value.content),
            Section(title="Counts", contents=(_counts(result),)),
        ),
        signatures=tuple(record.signature for record in result.records()),
    )
    return write_page(page, folder)


def _lead(certificate: Certificate, result: GrowthResult) -> str:
    """Return in two sentences what the round gained, from what, and whether anything got worse."""
    agent = result.agent.value
    rates = certificate.content.get("overall")
    gain = f"The agent now knows {len(agent.labelled):,} utterances that people labelled"
    match rates:
        case {"semantic_error_before": float(before), "semantic_error_after": float(after)}:
            gain += f"; of the test utterances of earlier intents {after:.1%} are misunderstood, {before:.1%} were"
    if certificate.passed:
        return f"{gain}. Promoted: no intent is worse by more than {certificate.margin:.0%}, with 95% confidence."
    return f"{gain}. Not promoted, the agent of before stays current: {'; '.join(certificate.reasons)}."


def _summary(result: GrowthResult) -> tuple[tuple[str, str], ...]:
    overall = result.certificate.value.content.get("overall")
    rates = overall if isinstance(overall, Mapping) else {}
    agent = result.agent.value
    return (
        ("certificate", "passed" if result.certificate.value.passed else "not passed"),
        *(
            (name.replace("_", " "), _shown(value))
            for name in in_reading_order(rates)
            if isinstance(value := rates[name], int | float)
        ),
        ("labelled by people", f"{len(agent.labelled):,}"),
        ("labelled by the model", f"{len(agent.self_labelled):,}"),
        ("round", str(agent.round)),
    )


def _shown(value: int | float) -> str:
    return f"{value:.1%}" if isinstance(value, float) else f"{value:,}"


def _drift_section(content: Mapping[str, Json]) -> Section:
    words, groups = (_rows(content.get(name)) for name in ("words", "groups"))
    return Section(
        title="What users say now",
        text=f"The words differ from those of before by {_rate(content, 'divergence')} of the most that is possible "
        f"(Jensen-Shannon divergence); {_rate(content, 'unknown_word_fraction')} of the running words are new.",
        contents=(
            rows_table("Words that became more frequent", words),
            rows_table("New groups of like texts", [{**g, "examples": _joined(g["examples"])} for g in groups]),
        ),
    )


def _rows(part: Json) -> list[dict[str, Json]]:
    return [dict(row) for row in part if isinstance(row, Mapping)] if isinstance(part, Sequence) else []


def _rate(content: Mapping[str, Json], name: str) -> str:
    value = content.get(name)
    return f"{value:.1%}" if isinstance(value, int | float) else "an unknown part"


def _joined(examples: Json) -> str:
    return "; ".join(map(str, examples)) if isinstance(examples, Sequence) else ""


def _conflicts(conflicts: Sequence[Mapping[str, Json]]) -> list[dict[str, Json]]:
    rows: list[dict[str, Json]] = []
    for conflict in conflicts:
        for label in _rows(conflict["labels"]):
            rows.append(
                {
                    "text": conflict["text"],
                    "intent": label["intent"],
                    "slots": label["slots"],
                    "annotators": _joined(label["annotators"]),
                }
            )
    return rows


def _counts(result: GrowthResult) -> Table:
    return rows_table(
        "What each stage kept",
        [
            {"stage": record.stage, "count": name.removeprefix("n_").replace("_", " "), "rows": n}
            for record in result.records()
            for name, n in record.counts.items()
        ],
    )
