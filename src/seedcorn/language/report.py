"""The page of a language run: what each step brought, where it helps, what the models know, what changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from seedcorn.language.annotation import ForPeople
from seedcorn.language.measures import OWN, Measures
from seedcorn.language.models import SystemModel
from seedcorn.language.pipeline import LanguageConfig
from seedcorn.language.result import LanguageResult, ModelRow
from seedcorn.language.texts import Texts
from seedcorn.report.figures import CurvePoint, bar_figure
from seedcorn.report.page import Figure, Page, Section, Table, in_reading_order
from seedcorn.runs import Result

Row: TypeAlias = Mapping[str, str | int | float]
MOST_EXAMPLES = 1_000
_PERCENT = ("wer", "cer", "reduction", "low", "high", "oov fraction", "probability")


def language_page(config: LanguageConfig, result: LanguageResult) -> Page:
    """Return the page of a finished run."""
    models = result.models.rows()
    measures = None if result.recognition is None else result.recognition.measures.value
    return Page(
        title=f"Seedcorn language run: {config.name}",
        lead=_lead(models[-1], _summary(measures.systems) if measures else _perplexities(models), measures is not None),
        summary=_perplexities(models) if measures is None else _summary(measures.systems),
        sections=(
            *(() if measures is None else (_ablation(measures.systems), _slices(measures))),
            _models(models),
            *_chosen(result.models.own[config.reported_name].value),
            *(() if measures is None else (_examples(measures),)),
            _translations([result.texts[source.name] for source in config.systems[config.reported_name]]),
            *_for_people(result.for_people),
            Section(title="Counts", contents=(_counts(result),)),
        ),
        signatures=tuple(stage.record.signature for stage in result.stages()),
    )


def _lead(model: ModelRow, summary: Sequence[tuple[str, str]], is_recognised: bool) -> str:
    """Return in two sentences what was gained, from what, and how sure that is."""
    units = ["sentences of", *["of"] * len(model.n_sentences)]
    parts = zip(units, model.n_sentences.items(), strict=False)
    texts = ", ".join(f"{n:,} {unit} {name}" for unit, (name, n) in parts)
    measure = "word error rate" if is_recognised else "perplexity"
    values = [value for _, value in summary]
    gain = f"With {texts} in the model, the {measure} on test went from {values[0]} to {values[1]}."
    if not is_recognised:
        return f"{gain} No recogniser was run, so that nothing is known of word errors."
    return f"{gain} The relative reduction is {values[2]}, with a 95% interval of {values[3]} over test utterances."


def _perplexities(models: Sequence[ModelRow]) -> tuple[tuple[str, str], ...]:
    return tuple((f"perplexity: {row.system}", f"{row.perplexity:.1f}") for row in (models[0], models[-1]))


def _summary(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    own = [row for row in rows if row["lexicon"] == OWN]
    before, after = own[0], own[-1]
    return (
        (f"word error rate: {before['system']}", f"{before['wer']:.1%}"),
        (f"word error rate: {after['system']}", f"{after['wer']:.1%}"),
        ("relative reduction", f"{float(after['reduction']):.1%}"),
        ("95% interval", f"{float(after['low']):.1%} to {float(after['high']):.1%}"),
    )


def _ablation(rows: Sequence[Row]) -> Section:
    shown = [{**dict.fromkeys(("reduction", "low", "high", "p_value"), ""), **row} for row in rows]
    columns = ("system", "lexicon", "wer", "cer", "reduction", "low", "high", "p_value")
    return Section(
        title="What each step brings",
        text=(
            f"Relative reduction of word errors against '{rows[0]['system']}', with the 95% interval of a paired "
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
        y_percent=True,
        caption="Relative reduction of word errors, with 95% intervals.",
    )


def _slices(measures: Measures) -> Section:
    names = list(dict.fromkeys(str(row["system"]) for row in measures.systems))
    by_slice: dict[str, dict[str, str | int | float]] = {}
    for row in measures.slices:
        entry = by_slice.setdefault(
            str(row["slice"]), {"slice": row["slice"], "reference_words": row["n_reference_words"]}
        )
        entry[str(row["system"])] = row["wer"]
    shown = table("Word error rate by slice.", list(by_slice.values()), ("slice", "reference_words", *names))
    return Section(
        title="Where it helps",
        text="Word error rate by slice of the test, with the own lexicon. Rare intents are rare among the transcripts.",
        contents=(replace(shown, percent_columns=tuple(name.replace("_", " ") for name in names)),),
    )


def _models(rows: Sequence[ModelRow]) -> Section:
    shown: list[Row] = [
        {
            "system": row.system,
            "text": ", ".join(f"{part} {n:,}" for part, n in row.n_sentences.items()),
            "mixture": ", ".join(f"{part} {weight:.2f}" for part, weight in row.weights.items()),
            "n_words": row.n_words,
            "n_ngrams": row.n_ngrams,
            "oov_fraction": row.oov_fraction,
            "perplexity_own_words": row.perplexity_own_words,
            "perplexity": row.perplexity,
        }
        for row in rows
    ]
    return Section(
        title="The language models",
        text="Perplexity on test; the last column is over one vocabulary for all systems, so that it compares.",
        contents=(
            _growth(rows, [row.perplexity for row in rows], "perplexity on test, over one vocabulary"),
            _growth(rows, [row.n_words for row in rows], "words that the model knows"),
            table("Text, mixture weights, size and perplexity.", shown, tuple(shown[0])),
        ),
    )


def _chosen(reported: SystemModel) -> tuple[Section, ...]:
    """Return what each text brought on dev, where the texts of the reported system were chosen there."""
    if not reported.steps:
        return ()
    return (
        Section(
            title="What dev chose",
            text="Texts enter the mixture of the reported system one by one while held-out dev perplexity falls; one "
            "that does not bring a reduction whose 95% interval is clear of zero is left out, with weight 0.",
            contents=(table("Each text as it was weighed up.", reported.steps, in_reading_order(reported.steps[0])),),
        ),
    )


def _growth(rows: Sequence[ModelRow], values: Sequence[float], title: str) -> Figure:
    """Return one bar a system: how what ``title`` names grows or falls from step to step."""
    return bar_figure(
        [CurvePoint(x=0, y=value, low=value, high=value, series="language model") for value in values],
        labels=[row.system for row in rows],
        y_title=title,
        caption=f"{title.capitalize()}.",
    )


def _examples(measures: Measures) -> Section:
    columns = ("change", "intent", "said", "before", "after")
    changed = table("Changed utterances.", measures.changed, columns, filter_column="change")
    return Section(
        title="Before and after",
        text="Test utterances that the first and the last system understand differently: words that were said and not "
        "understood are struck through, what was understood in their place is underlined.",
        contents=(replace(changed, edited_columns=("before", "after")),),
    )


def _translations(texts: Sequence[Result[Texts]]) -> Section:
    translated = [utterance for text in texts for utterance in text.value.translated()]
    return Section(
        title="Translations",
        text="Translations that the reported system is made of, with their intents; slots are in the Parquet file.",
        contents=(
            table("Translations.", [{"text": u.text, "intent": u.intent} for u in translated], ("text", "intent")),
        ),
    )


def _for_people(chosen: Sequence[Result[ForPeople]]) -> Iterator[Section]:
    for what in chosen:
        rows = [{**row.__dict__} for row in what.value.rows]
        yield Section(
            title="What to translate next" if any(row["text"] for row in rows) else "What to transcribe next",
            text=f"Where our own answer is doubtful and many others are alike; {what.folder.name}/tasks.tsv has them.",
            contents=(table("Tasks for people.", rows, ("id", "text", "proposed", "probability", "cost")),),
        )


def _counts(result: LanguageResult) -> Table:
    rows = [
        (stage.name, key.removeprefix("n_").replace("_", " "), n)
        for stage in result.stages()
        for key, n in stage.record.counts.items()
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
        percent_columns=_PERCENT,
    )
