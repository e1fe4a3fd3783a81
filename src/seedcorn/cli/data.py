"""``seedcorn data convert`` and ``check``: corpora in another format, and what is in them."""

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.options import InputFile, InputFormat, OutputFile, Shown, progress, show
from seedcorn.corpus.names import OnError
from seedcorn.errors import ConfigError, SeedcornWarning
from seedcorn.progress import track

if TYPE_CHECKING:
    from seedcorn.corpus.formats import ColumnChoice
    from seedcorn.corpus.summary import CorpusSummary
    from seedcorn.corpus.utterances import Corpus
    from seedcorn.files import Json

data = typer.Typer(help="Convert, check, screen and fetch corpora.", no_args_is_help=True)
app.add_typer(data, name="data")

N_SHOWN = 20

Only: TypeAlias = Annotated[
    list[str] | None, typer.Option("--only", help="Rows with this value, as partition=test; repeatable.")
]


@dataclass(frozen=True, kw_only=True)
class ReadingOptions(Shown):
    """A corpus, how it is read, and which rows of it."""

    source: InputFile
    format: InputFormat = None
    lang: Annotated[str, typer.Option("--lang", help="Language of the rows that name none.")] = ""
    on_error: Annotated[OnError, typer.Option("--on-error", help="What to do with a bad row.")] = OnError.STOP
    rejects: Annotated[Path | None, typer.Option("--rejects", help="Write skipped rows here, as JSON lines.")] = None
    text_column: Annotated[
        str, typer.Option(help="Column that holds the text: its name, or its number without a header.")
    ] = ""
    intent_column: Annotated[str, typer.Option(help="Column that holds the intent.")] = ""
    slots_column: Annotated[str, typer.Option(help="Column that holds the slots, as JSON.")] = ""
    delimiter: Annotated[
        str, typer.Option(help="What separates the fields of a CSV file ('tab' too); told from it if absent.")
    ] = ""
    roles: Annotated[
        bool, typer.Option("--roles", help="Make the role of an entity (Rasa) part of its slot type: city.departure.")
    ] = False
    only: Only = None

    @property
    def columns(self) -> "ColumnChoice":
        """The columns that are named. Raises ConfigError for a delimiter of several characters."""
        from pydantic import ValidationError

        from seedcorn.corpus.formats import ColumnChoice

        try:
            return ColumnChoice(
                text=self.text_column,
                intent=self.intent_column,
                slots=self.slots_column,
                delimiter=self.delimiter,
                roles=self.roles,
            )
        except ValidationError as error:
            raise ConfigError(wanted="one character as --delimiter, or tab", found=f"'{self.delimiter}'") from error

    def read(self) -> "Corpus":
        """Return the rows that are asked for, streamed."""
        from seedcorn.corpus.formats import format_of, read_corpus
        from seedcorn.corpus.formats.tab_separated import is_headerless

        columns = self.columns
        if self.rejects is not None and self.on_error is OnError.STOP:
            raise ConfigError(wanted="--on-error skip beside --rejects", found="--on-error stop")
        format = self.format or format_of(self.source, columns)
        if format in ("tsv", "csv") and is_headerless(self.source, columns, is_quoted=format == "csv"):
            message = (
                f"{self.source}: no header; the second column is the origin (--intent-column 2 makes it the intent)"
            )
            warnings.warn(message, SeedcornWarning, stacklevel=2)

        rows = read_corpus(
            self.source,
            format=self.format,
            lang=self.lang,
            columns=columns,
            on_error=self.on_error,
            rejects=self.rejects,
        )
        return chosen_rows(rows, self.only)


@dataclass(frozen=True, kw_only=True)
class ConvertOptions(ReadingOptions):
    """And where it is written, in which format."""

    output: OutputFile
    to: Annotated[str | None, typer.Option("--to", help="Format of the output; told from its name if absent.")] = None


@data.command()
@command_of
def convert(options: ConvertOptions) -> None:
    """Write SOURCE in another format.

    Formats: jsonl, json, massive, parquet, tsv, csv, text, conll, snips, rasa, label-studio or slot-folder. Read as
    well: Rasa markdown and JSON, snips-nlu, CLINC150, doccano, CoNLL-U, Kaldi text, data sets saved to disk.
    """
    from seedcorn.corpus.formats import write_corpus

    with progress(options.quiet):
        rows = _tracked(options.read(), "converting rows (batches)")
        n_rows = write_corpus(rows, options.output, format=options.to)
    show({"n_rows": n_rows, "output": str(options.output)}, as_json=options.as_json)


@data.command()
@command_of
def check(options: ReadingOptions) -> None:
    """Count the rows of SOURCE by intent, slot type and language, and list what is odd about them."""
    from seedcorn.corpus.summary import summarise

    with progress(options.quiet):
        summary = summarise(options.read())
    show(_summary(summary, as_json=options.as_json), as_json=options.as_json)


def _summary(summary: "CorpusSummary", *, as_json: bool) -> "dict[str, Json]":
    problems = [
        f"{p.n_rows:,} rows have {p.what}, the first is row {p.first_row} ({p.first_value})" for p in summary.problems
    ]
    counts = {
        "intents": summary.rows_by_intent,
        "domains": summary.rows_by_domain,
        "slot_types": summary.slots_by_type,
        "languages": summary.rows_by_language,
        "origins": summary.rows_by_origin,
    }
    return {
        "n_rows": summary.n_rows,
        "n_labelled": summary.n_rows - summary.rows_by_intent[""],
        "n_characters": summary.n_characters,
        "n_repeated_texts": summary.n_repeated_texts,
        **{name: _counts(counter, as_json=as_json) for name, counter in counts.items()},
        "problems": problems if as_json else "; ".join(problems) or "none",
    }


def _counts(counter: Counter[str], *, as_json: bool) -> "Json":
    """Return how often each value is there, the most frequent first; what is empty does not count."""
    counts = {value: n_rows for value, n_rows in counter.most_common() if value}
    return counts if as_json else _in_short(counts)


def chosen_rows(corpus: "Corpus", only: list[str] | None) -> "Corpus":
    """Return the rows with the values asked for: any of those of one column, and this for every column named."""
    from seedcorn.corpus.partitions import rows_where

    values: dict[str, set[str]] = {}
    for choice in only or ():
        column, separator, value = choice.partition("=")
        if not separator:
            raise ConfigError(wanted="--only column=value", found=f"'{choice}'")
        values.setdefault(column, set()).add(value)
    for column, wanted in values.items():
        corpus = rows_where(corpus, column, wanted)
    return corpus


def _tracked(corpus: "Corpus", what: str) -> "Corpus":
    return replace(corpus, open_batches=lambda: track(corpus.batches(), what))


def _in_short(counts: Mapping[str, int]) -> str:
    """Return how many values there are and the most frequent of them, the counts being sorted."""
    shown = ", ".join(f"{value} {n_rows:,}" for value, n_rows in list(counts.items())[:N_SHOWN])
    more = ", ..." if len(counts) > N_SHOWN else ""
    return f"{len(counts):,} ({shown}{more})" if counts else "none"
