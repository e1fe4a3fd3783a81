"""``seedcorn nlu``: train a model of intents and slots on any corpus, predict with it, measure it."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.options import (
    AsJson,
    Engine,
    InputFile,
    InputFormat,
    Quiet,
    RandomSeed,
    progress,
    refuse_overwriting,
    show,
)
from seedcorn.cli.pipes import pool_from_pipe
from seedcorn.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from seedcorn.corpus.utterances import Utterance
    from seedcorn.evaluation.nlu import Outcomes
    from seedcorn.files import Json

nlu = typer.Typer(help="Train models of intents and slots, predict, measure.", no_args_is_help=True)
app.add_typer(nlu, name="nlu")

STANDARD = "-"
N_RESAMPLES = 1_000
ModelFolder: TypeAlias = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="A model of 'nlu train', or the folder of a run.")
]


@nlu.command()
def train(
    corpus: InputFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write the model to.")],
    format: InputFormat = None,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train the linear model on the rows of CORPUS that have an intent."""
    from seedcorn.corpus.formats import read_corpus
    from seedcorn.files import writing_whole_folder
    from seedcorn.nlu.linear import train_linear
    from seedcorn.nlu.saved_model import save_nlu

    refuse_overwriting(output, corpus)
    with progress(quiet), writing_whole_folder(output) as partial:
        rows = [u for u in read_corpus(corpus, format=format).utterances() if u.intent]
        model = train_linear(rows, random_seed=random_seed)
        save_nlu(model, partial)
    show({"n_rows": len(rows), "n_intents": len(model.intents), "output": str(output)}, as_json=as_json)


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """The model, the texts, and where the pass over them is made."""

    model: ModelFolder
    texts: Annotated[
        str,
        typer.Argument(
            callback=pool_from_pipe, help="A pool as for 'select relevance', or - for lines of standard input."
        ),
    ] = "-"
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here; else standard output.")] = None
    threads: Annotated[int, typer.Option(min=1, help="Threads that predict, or processors of a Ray cluster here.")] = 1
    engine: Engine = "local"
    format: InputFormat = None
    quiet: Quiet = False


@nlu.command()
@command_of
def predict(options: PredictOptions) -> None:
    """Write the intent and the slots of each text as JSON lines, with their probabilities. The texts are streamed."""
    from seedcorn.engines import mapper_of
    from seedcorn.files import writing_whole
    from seedcorn.nlu.file_to_file import prediction_lines
    from seedcorn.nlu.saved_model import model_folder

    with progress(options.quiet):
        mapper = mapper_of(options.engine, n_workers=options.threads)
        blocks = prediction_lines(model_folder(options.model), _texts(options.texts, options.format), mapper=mapper)
        if options.output is None:
            for block in blocks:
                typer.echo(block, nl=False)
            return
        with writing_whole(options.output) as partial, partial.open("w", encoding="utf-8", newline="") as sink:
            sink.writelines(blocks)


@nlu.command()
def evaluate(
    model: ModelFolder,
    corpus: InputFile,
    format: InputFormat = None,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure MODEL on the labelled rows of CORPUS: rates with 95 % intervals (bootstrap over utterances)."""
    from seedcorn.corpus.formats import read_corpus
    from seedcorn.evaluation.nlu import outcomes
    from seedcorn.nlu.saved_model import load_nlu, model_folder

    with progress(quiet):
        rows = [u for u in read_corpus(corpus, format=format).utterances() if u.intent]
        if not rows:
            raise DataError(wanted="rows with intents to measure on", found="none", where=corpus)
        found = outcomes(rows, load_nlu(model_folder(model)).predict([u.text for u in rows]))
    show({"n_rows": len(rows), **_rates(rows, found, random_seed)}, as_json=as_json)


def _texts(source: str, format: str | None) -> "Iterable[pa.StringArray]":
    from seedcorn.corpus.formats import read_pool
    from seedcorn.corpus.text import clean_text

    if source != STANDARD:
        return read_pool(source, format=format).text_pieces()
    import pyarrow as pa

    try:
        lines = re.split(r"\r\n|\r|\n", sys.stdin.buffer.read().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(wanted="UTF-8 text", found=str(error), where="standard input") from error
    return iter([pa.array([text for line in lines if (text := clean_text(line))], pa.string())])


def _rates(rows: "Sequence[Utterance]", found: "Outcomes", random_seed: int) -> "dict[str, Json]":
    """Return each rate with the ends of its interval."""
    import numpy as np

    rng = np.random.default_rng(random_seed)
    counts = np.stack(
        [found.intent_correct, found.semantic_errors, 2 * found.slots_right, found.slots_wanted + found.slots_found]
    ).astype(np.float64)
    sums = np.array([counts[:, rng.integers(len(rows), size=len(rows))].sum(axis=1) for _ in range(N_RESAMPLES)])
    rates = {
        "intent_accuracy": (found.intent_accuracy, sums[:, 0] / len(rows)),
        "slot_f1": (found.slot_f1, np.where(sums[:, 3] > 0, sums[:, 2] / np.maximum(sums[:, 3], 1), 1.0)),
        "semantic_error_rate": (found.semantic_error_rate, sums[:, 1] / len(rows)),
    }
    result: dict[str, Json] = {}
    for name, (rate, resampled) in rates.items():
        low, high = np.quantile(resampled, [0.025, 0.975])
        result |= {name: rate, f"{name}_low": float(low), f"{name}_high": float(high)}
    return result
