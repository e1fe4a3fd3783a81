"""``seedcorn data``: convert, check, screen and fetch corpora."""

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.options import (
    AsJson,
    Delimiter,
    Engine,
    InputFile,
    InputFormat,
    IntentColumn,
    OutputFile,
    Pool,
    Quiet,
    SlotsColumn,
    TextColumn,
    progress,
    refuse_overwriting,
    show,
)
from seedcorn.errors import ConfigError, DataError, SeedcornWarning, nearest
from seedcorn.progress import track

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from seedcorn.corpus.formats import ColumnChoice
    from seedcorn.corpus.utterances import Corpus
    from seedcorn.runs import Json

data = typer.Typer(help="Convert, check, screen and fetch corpora.", no_args_is_help=True)
app.add_typer(data, name="data")

N_SHOWN = 20


class OnErrorChoice(StrEnum):
    """What to do with a row that cannot be read."""

    STOP = "stop"
    SKIP = "skip"


Language: TypeAlias = Annotated[str, typer.Option("--lang", help="Language of the rows that name none.")]
OnBadRow: TypeAlias = Annotated[OnErrorChoice, typer.Option("--on-error", help="What to do with a bad row.")]
Only: TypeAlias = Annotated[
    list[str] | None, typer.Option("--only", help="Rows with this value, as partition=test; repeatable.")
]
Roles: TypeAlias = Annotated[
    bool, typer.Option("--roles", help="Make the role of an entity (Rasa) part of its slot type: city.departure.")
]
Rejects: TypeAlias = Annotated[Path | None, typer.Option("--rejects", help="Write skipped rows here, as JSON lines.")]


@data.command()
def convert(
    source: InputFile,
    output: OutputFile,
    format: InputFormat = None,
    to: Annotated[str | None, typer.Option("--to", help="Format of the output; told from its name if absent.")] = None,
    lang: Language = "",
    on_error: OnBadRow = OnErrorChoice.STOP,
    rejects: Rejects = None,
    text_column: TextColumn = "",
    intent_column: IntentColumn = "",
    slots_column: SlotsColumn = "",
    delimiter: Delimiter = "",
    roles: Roles = False,
    only: Only = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write SOURCE in another format.

    Formats: jsonl, json, massive, parquet, tsv, csv, text, conll, snips, rasa, label-studio or slot-folder. Read as
    well: Rasa markdown and JSON, snips-nlu, CLINC150, doccano, CoNLL-U, Kaldi text, data sets saved to disk.
    """
    from seedcorn.corpus.formats import write_corpus

    refuse_overwriting(output, source)
    refuse_overwriting(rejects, source, output)
    columns = _columns(text_column, intent_column, slots_column, delimiter, roles)
    with progress(quiet):
        corpus = _chosen(_read(source, format, lang, on_error, rejects, columns), only)
        n_rows = write_corpus(_tracked(corpus, "converting rows (batches)"), output, format=to)
    show({"n_rows": n_rows, "output": str(output)}, as_json=as_json)


@data.command()
def check(
    source: InputFile,
    format: InputFormat = None,
    lang: Language = "",
    on_error: OnBadRow = OnErrorChoice.STOP,
    rejects: Rejects = None,
    text_column: TextColumn = "",
    intent_column: IntentColumn = "",
    slots_column: SlotsColumn = "",
    delimiter: Delimiter = "",
    roles: Roles = False,
    only: Only = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Count the rows of SOURCE by intent, slot type and language, and list what is odd about them."""
    from seedcorn.corpus.summary import summarise

    refuse_overwriting(rejects, source)
    columns = _columns(text_column, intent_column, slots_column, delimiter, roles)
    with progress(quiet):
        summary = summarise(_chosen(_read(source, format, lang, on_error, rejects, columns), only))
    problems = [
        f"{p.n_rows:,} rows have {p.what}, the first is row {p.first_row} ({p.first_value})" for p in summary.problems
    ]
    result: dict[str, Json] = {
        "n_rows": summary.n_rows,
        "n_labelled": summary.n_rows - summary.rows_by_intent[""],
        "n_characters": summary.n_characters,
        "n_repeated_texts": summary.n_repeated_texts,
    }
    counters = {
        "intents": summary.rows_by_intent,
        "domains": summary.rows_by_domain,
        "slot_types": summary.slots_by_type,
        "languages": summary.rows_by_language,
        "origins": summary.rows_by_origin,
    }
    for name, counter in counters.items():
        counts = {value: n_rows for value, n_rows in counter.most_common() if value}
        result[name] = counts if as_json else _in_short(counts)
    show({**result, "problems": problems if as_json else "; ".join(problems) or "none"}, as_json=as_json)


@data.command()
def contamination(
    pool: Pool,
    evaluation: Annotated[list[Path], typer.Option("--evaluation", exists=True, help="Dev or test text; repeatable.")],
    only: Only = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the usable rows here.")] = None,
    threshold: Annotated[float, typer.Option(min=0.01, max=1, help="Similarity from which texts are too near.")] = 0.8,
    threads: Annotated[int, typer.Option(min=1, help="Threads that compare, or processors of a Ray cluster here.")] = 1,
    engine: Engine = "local",
    format: InputFormat = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Find rows of POOL that repeat each other or are nearly equal to evaluation text, and write the others.

    --only chooses rows of the evaluation files (partition=test).
    """
    import numpy as np

    from seedcorn.corpus.contamination import screen_pool
    from seedcorn.corpus.formats import read_corpus, read_pool, write_corpus
    from seedcorn.engines import mapper_of

    refuse_overwriting(output, Path(pool), *evaluation)
    with progress(quiet):
        corpus, mapper = read_pool(pool, format=format), mapper_of(engine, n_workers=threads)
        held_out = [u.text for path in evaluation for u in _chosen(read_corpus(path), only).utterances()]
        if not held_out:
            raise DataError(wanted="evaluation text", found="no rows", where=evaluation[0])
        selection = screen_pool(corpus.text_pieces(), held_out, threshold=threshold, mapper=mapper).selection
        if output is not None:
            write_corpus(_rows_of(corpus, selection.reject_codes < 0), output)
    counts = np.bincount(selection.reject_codes + 1, minlength=len(selection.reject_reasons) + 1).tolist()
    rejected = dict(zip(selection.reject_reasons, counts[1:], strict=True))
    show({"n_rows": selection.n_rows, "n_kept": counts[0], **rejected}, as_json=as_json)


@data.command()
def templates(
    source: InputFile,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write all templates here, as JSON lines.")
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="Show so many of the most frequent templates.")] = N_SHOWN,
    format: InputFormat = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """List the templates of SOURCE: utterances with slot types in place of slot values, by intent and slot types."""
    from seedcorn.corpus.formats import read_corpus
    from seedcorn.corpus.templates import templates_by_signature
    from seedcorn.files import write_text_whole

    refuse_overwriting(output, source)
    with progress(quiet):
        grouped = templates_by_signature(read_corpus(source, format=format).utterances())
    rows: list[dict[str, Json]] = [
        {"domain": s.domain, "intent": s.intent, "slot_types": list(s.slot_types), "template": text, "n_rows": n_rows}
        for s, counts in grouped.items()
        for text, n_rows in counts.most_common()
    ]
    if output is not None:
        write_text_whole(output, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    frequent = sorted(rows, key=_by_frequency)[:top]
    result: dict[str, Json] = {"n_signatures": len(grouped), "n_templates": len(rows)}
    if as_json:
        show({**result, "most_frequent": frequent}, as_json=True)
        return
    show(result, as_json=False)
    for row in frequent:
        typer.echo(f"{row['n_rows']:>7}  {row['intent']}  {row['template']}")


def _by_frequency(row: "dict[str, Json]") -> int:
    n_rows = row["n_rows"]
    return -n_rows if isinstance(n_rows, int) else 0


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="massive or snips.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where data sets are kept.")] = Path("data"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Download a public data set, or find its copy below $SEEDCORN_DATA; other bytes than at first are refused."""
    from seedcorn.corpus.fetch import DATA_SETS
    from seedcorn.corpus.fetch import fetch as fetch_data_set

    if name not in DATA_SETS:
        raise ConfigError(wanted="the name of a data set", found=f"'{name}'", fix=nearest(name, list(DATA_SETS)))
    local_copies = os.environ.get("SEEDCORN_DATA")
    with progress(quiet):
        fetched = fetch_data_set(DATA_SETS[name], folder, local_copies=Path(local_copies) if local_copies else None)
    kind = "local copy" if fetched.is_local_copy else "download"
    licence = DATA_SETS[name].licence
    result: dict[str, Json] = {"folder": str(fetched.folder), "found_as": kind, "licence": licence}
    digests: dict[str, Json] = dict(fetched.digests)
    show({**result, "sha256": digests if as_json else ", ".join(fetched.digests.values())}, as_json=as_json)


def _columns(text: str, intent: str, slots: str, delimiter: str, roles: bool) -> "ColumnChoice":
    from seedcorn.corpus.formats import ColumnChoice

    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
    if len(delimiter) > 1 or delimiter in ("\n", "\r", '"'):
        raise ConfigError(wanted="one character as --delimiter, or tab", found=f"'{delimiter}'")
    return ColumnChoice(text=text, intent=intent, slots=slots, delimiter=delimiter, roles=roles)


def _read(
    source: Path, format: str | None, lang: str, on_error: OnErrorChoice, rejects: Path | None, columns: "ColumnChoice"
) -> "Corpus":
    from seedcorn.corpus.formats import OnError, detect_format, read_corpus
    from seedcorn.corpus.formats.tab_separated import is_headerless

    if rejects is not None and on_error is OnErrorChoice.STOP:
        raise ConfigError(wanted="--on-error skip beside --rejects", found="--on-error stop")
    chosen = OnError(on_error.value)
    if (format or detect_format(source)) in ("tsv", "csv") and is_headerless(source, columns):
        message = f"{source}: no header; the second column is the origin (--intent-column 2 makes it the intent)"
        warnings.warn(message, SeedcornWarning, stacklevel=2)
    return read_corpus(source, format=format, on_error=chosen, rejects=rejects, lang=lang, columns=columns)


def _chosen(corpus: "Corpus", only: list[str] | None) -> "Corpus":
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


def _rows_of(corpus: "Corpus", is_kept: "NDArray[np.bool_]") -> "Corpus":
    import pyarrow as pa

    def open_batches() -> "Iterator[pa.RecordBatch]":
        n_rows = 0
        for batch in corpus.batches():
            yield batch.filter(pa.array(is_kept[n_rows : n_rows + batch.num_rows]))
            n_rows += batch.num_rows

    return replace(corpus, open_batches=open_batches)


def _in_short(counts: Mapping[str, int]) -> str:
    """Return how many values there are and the most frequent of them, the counts being sorted."""
    shown = ", ".join(f"{value} {n_rows:,}" for value, n_rows in list(counts.items())[:N_SHOWN])
    more = ", ..." if len(counts) > N_SHOWN else ""
    return f"{len(counts):,} ({shown}{more})" if counts else "none"
