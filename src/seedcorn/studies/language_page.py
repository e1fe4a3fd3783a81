"""A language study as a page: summary, reductions as bars, all numbers, and what the language models know."""

import re
from collections.abc import Iterator, Mapping, Sequence

from seedcorn.files import Json
from seedcorn.language.measures import OWN
from seedcorn.language.report import table
from seedcorn.report.figures import CurvePoint, bar_figure, curve_figure
from seedcorn.report.page import Figure, Page, Section, Table
from seedcorn.studies.language import LanguageStudyConfig
from seedcorn.studies.language_results import MEASURES, PERPLEXITY, WER, Row, compared_by, number
from seedcorn.studies.results import Results, fewer_in_words, interval_in_words

_IN_WORDS = {
    "wer_reduction": "fewer word errors",
    "wer_reduction_over_general_text": "fewer word errors than with general text",
    "full_over_general": "fewer word errors than with general text, all subsets together",
    "translations_alone": "fewer word errors by translations alone",
    "oracle_wer_reduction": "fewer word errors with true translations",
    "perplexity_reduction": "lower perplexity",
    "perplexity_reduction_over_general_text": "lower perplexity than with general text",
    "oracle_perplexity_reduction": "lower perplexity with true translations",
}
_MEASURES_IN_WORDS = {WER: "word errors", PERPLEXITY: "perplexity"}
_FRACTIONS = ("wer", "cer", "oov_fraction", "reduction")


def study_page(config: LanguageStudyConfig, results: Results) -> Page:
    """Return the study as a page: summary, reductions as bars, and all numbers."""
    systems = [row for row in results.rows if row.get("kind") == "system"]
    slices = [row for row in results.rows if row.get("kind") == "slice"]
    shown = [_shown(row) for row in systems]
    reductions = [f"over {name}" for name in (config.baseline_name, config.general) if name]
    measure = _MEASURES_IN_WORDS[compared_by(systems[0])]
    errors = ("n_transcripts", "lexicon", "system", *(m for m in (WER, "cer") if m in systems[0]), *reductions)
    models = ("n_transcripts", "lexicon", "system", *(m for m in MEASURES if m in systems[0] and m not in errors))
    slice_columns = ("n_transcripts", "slice", "system", "wer", "reduction")
    rows_of_slices = [_shown(row) for row in slices]
    of_slices = [table("Slices.", rows_of_slices, slice_columns, filter_column="slice")] if slices else []
    return Page(
        title=f"Seedcorn study: {config.name}",
        lead=_lead(config, systems),
        summary=tuple(_tiles(results.summary, n_transcripts=min(config.sizes))),
        sections=(
            Section(
                title=f"Relative reduction of {measure}",
                text=f"Against {config.baseline_name}; means over {len(config.random_seeds)} subsets, 95% intervals.",
                contents=(
                    *_by_size(results.summary, config.sizes),
                    bar_figure(
                        [_point(row, config.baseline_name) for row in systems if row["system"] != config.baseline_name],
                        labels=[
                            f"{row['system']} ({row['n_transcripts']:,})"
                            for row in systems
                            if row["system"] != config.baseline_name
                        ],
                        y_title=f"relative reduction of {measure}",
                        y_percent=True,
                        caption="By system and, in brackets, number of transcripts.",
                    ),
                    table(f"{measure.capitalize()} of every system.", shown, errors, filter_column="system"),
                    *of_slices,
                ),
            ),
            Section(
                title="The language models",
                text="Means over subsets, with 95% intervals; perplexity is over one vocabulary for all systems.",
                contents=(
                    _growth(systems, "perplexity", "perplexity on test"),
                    _growth(systems, "n_words", "words that the model knows"),
                    table("The language model of every system.", shown, models, filter_column="system"),
                ),
            ),
        ),
        signatures=(f"config:{results.config_digest[:12]} command:{results.command}",),
    )


def _lead(config: LanguageStudyConfig, systems: Sequence[Row]) -> str:
    """Return in two sentences what the reported system gains at the fewest transcripts, and how sure that is."""
    fewest = min(config.sizes)
    row = next(
        r for r in systems if (r["n_transcripts"], r["system"], r["lexicon"]) == (fewest, config.reported_name, OWN)
    )
    match row.get(f"over {config.baseline_name}"):
        case {"mean": float(mean), "low": float(low), "high": float(high)}:
            gain = f"{fewer_in_words(mean)} word errors"
            if compared_by(row) == PERPLEXITY:
                gain = f"a perplexity {abs(mean):.0%} {'higher' if mean < 0 else 'lower'}"
            return (
                f"With {fewest:,} transcripts, '{config.reported_name}' has {gain} than "
                f"'{config.baseline_name}'. The 95% interval over random subsets is {low:.0%} to {high:.0%}."
            )
    return ""


def _tiles(summary: Mapping[str, Json], *, n_transcripts: int) -> Iterator[tuple[str, str]]:
    """Yield the headline numbers: what is gained with ``n_transcripts``, and how good the best translator is."""
    for name, value in _measured_with(summary, n_transcripts).items():
        yield f"{name}, {n_transcripts:,} transcripts", f"{value:.1%}"
    if isinstance(chrf := summary.get("chrf"), float):
        yield "chrF of the best translator", f"{chrf:.1f}"


def _by_size(summary: Mapping[str, Json], sizes: Sequence[int]) -> Iterator[Table]:
    """Yield the headline numbers of all ``sizes`` as a table, where there is more than one."""
    if len(sizes) > 1:
        by_size = {size: _measured_with(summary, size) for size in sorted(sizes)}
        names = tuple(dict.fromkeys(name for measured in by_size.values() for name in measured))
        yield Table(
            caption="The system that is reported, by number of transcripts.",
            columns=("transcripts", *names),
            rows=tuple((size, *(measured.get(name, "") for name in names)) for size, measured in by_size.items()),
            percent_columns=names,
        )


def _measured_with(summary: Mapping[str, Json], n_transcripts: int) -> dict[str, float]:
    """Return the numbers of a summary for ``n_transcripts``, such as ``wer_reduction_576``, as people say them."""
    measured = {}
    for key, value in summary.items():
        found = re.fullmatch(rf"(\w+)_{n_transcripts}(_low)?", key)
        if found is not None and isinstance(value, float):
            measured[_IN_WORDS.get(found[1], found[1]) + (", at least" if found[2] else "")] = value
    return measured


def _growth(systems: Sequence[Row], key: str, title: str) -> Figure:
    """Return what ``key`` measures of each system over the number of transcripts."""
    own = [row for row in systems if row["lexicon"] == OWN]
    return curve_figure(
        [_measured(row[key], x=number(row["n_transcripts"]), series=str(row["system"])) for row in own],
        x_title="transcripts",
        y_title=title,
        caption=f"{title.capitalize()}, by number of transcripts.",
    )


def _point(row: Row, baseline: str) -> CurvePoint:
    return _measured(row[f"over {baseline}"], x=0, series=f"{row['lexicon']} lexicon")


def _measured(value: Json, *, x: float, series: str) -> CurvePoint:
    mean, low, high = (number(value[k]) if isinstance(value, Mapping) else 0.0 for k in ("mean", "low", "high"))
    return CurvePoint(x=x, y=mean, low=low, high=high, series=series)


def _shown(row: Row) -> dict[str, str | int | float]:
    return {key: _cell_text(key, value) for key, value in row.items()}


def _cell_text(key: str, value: Json) -> str | int | float:
    if isinstance(value, Mapping):
        return interval_in_words(value, is_fraction=key in _FRACTIONS or key.startswith("over "))
    return value if isinstance(value, str | int | float) else ""
