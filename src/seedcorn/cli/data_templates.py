"""``seedcorn data templates``: what utterances look like without their slot values."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.data import N_SHOWN, data
from seedcorn.cli.options import AsJson, InputFile, InputFormat, Quiet, progress, refuse_overwriting, show

if TYPE_CHECKING:
    from seedcorn.files import Json


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
