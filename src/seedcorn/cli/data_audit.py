"""``seedcorn data audit``: which annotated utterances look wrong."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.data import data
from seedcorn.cli.options import (
    AsJson,
    InputFile,
    InputFormat,
    Quiet,
    RandomSeed,
    progress,
    refuse_overwriting,
    show,
)

if TYPE_CHECKING:
    from seedcorn.corpus.utterances import Utterance
    from seedcorn.files import Json
    from seedcorn.nlu.label_noise import Suspicion


@data.command()
def audit(
    source: InputFile,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write all suspicions (JSON lines).")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Trainings: each judges what it was not trained on.")] = 5,
    top: Annotated[int, typer.Option(min=0, help="Show so many of each kind.")] = 10,
    format: InputFormat = None,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Rank the annotated utterances of SOURCE whose intent or slots look wrong, each with the reason why."""
    import json
    from functools import partial

    from seedcorn.corpus.formats import read_corpus
    from seedcorn.files import write_text_whole
    from seedcorn.growth.by_hand import LINEAR, with_intents
    from seedcorn.nlu.label_noise import About, audit_labels
    from seedcorn.nlu.linear import train_linear

    refuse_overwriting(output, source)
    with progress(quiet):
        rows = with_intents(read_corpus(source, format=format).utterances())
        train = partial(train_linear, settings=LINEAR)
        suspicions = audit_labels(train, rows, n_folds=folds, random_seed=random_seed)
    found = [_row(rows[s.position], s) for s in suspicions]
    if output is not None:
        write_text_whole(output, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found))
    of_kind = {about: [row for row in found if row["about"] == about.value] for about in About}
    result: dict[str, Json] = {"n_rows": len(rows), **{f"n_suspicious_{a.value}": len(r) for a, r in of_kind.items()}}
    shown = [row for kind in of_kind.values() for row in kind[:top]]
    if as_json:
        show({**result, "most_suspicious": shown}, as_json=True)
        return
    show(result, as_json=False)
    for row in shown:
        typer.echo(f"{row['about']}: {row['text']}: {row['given']} -> {row['found']} ({row['why']})")


def _row(utterance: "Utterance", suspicion: "Suspicion") -> "dict[str, Json]":
    return {
        "id": utterance.id,
        "row": suspicion.position,
        "text": utterance.text,
        "about": suspicion.about.value,
        "given": suspicion.given,
        "found": suspicion.found,
        "score": suspicion.score,
        "probability": suspicion.probability,
        "why": suspicion.why,
    }
