"""``seedcorn nlu``: train a model of intents and slots on any corpus, predict with it, measure it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.options import AsJson, InputFile, InputFormat, Quiet, RandomSeed, progress, refuse_overwriting, show
from seedcorn.errors import DataError

if TYPE_CHECKING:
    from seedcorn.corpus.predictions import Prediction
    from seedcorn.corpus.utterances import Utterance
    from seedcorn.evaluation.nlu import Outcomes
    from seedcorn.files import Json

nlu = typer.Typer(help="Train models of intents and slots, predict, measure.", no_args_is_help=True)
app.add_typer(nlu, name="nlu")

STANDARD = Path("-")
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


@nlu.command()
def predict(
    model: ModelFolder,
    texts: Annotated[Path, typer.Argument(help="A corpus, or - for lines of standard input.")] = STANDARD,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here; else standard output.")] = None,
    format: InputFormat = None,
    quiet: Quiet = False,
) -> None:
    """Write the intent and the slots of each text as JSON lines, with their probabilities."""
    from seedcorn.files import write_text_whole
    from seedcorn.nlu.saved_model import load_nlu, model_folder

    refuse_overwriting(output, texts, model)
    with progress(quiet):
        rows = _texts(texts, format)
        found = load_nlu(model_folder(model)).predict(rows)
    lines = "".join(_line(text, prediction) + "\n" for text, prediction in zip(rows, found, strict=True))
    if output is None:
        typer.echo(lines, nl=False)
    else:
        write_text_whole(output, lines)


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


def _texts(path: Path, format: str | None) -> list[str]:
    from seedcorn.corpus.formats import read_texts
    from seedcorn.corpus.text import clean_text

    if path != STANDARD:
        return read_texts(path, format=format)
    try:
        lines = sys.stdin.buffer.read().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(wanted="UTF-8 text", found=str(error), where="standard input") from error
    return [text for line in lines if (text := clean_text(line))]


def _line(text: str, prediction: "Prediction") -> str:
    slots = [
        {"start": s.start, "end": s.end, "type": s.type, "value": text[s.start : s.end], "probability": round(p, 4)}
        for s, p in zip(prediction.slots, prediction.slot_probabilities, strict=True)
    ]
    row = {"text": text, "intent": prediction.intent, "probability": round(prediction.intent_probability, 4)}
    return json.dumps({**row, "slots": slots}, ensure_ascii=False)


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
