"""``seedcorn select annotate``: which texts of a pool people should label next."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.options import (
    AsJson,
    InputFile,
    InputFormat,
    OutputFile,
    Quiet,
    RandomSeed,
    progress,
    refuse_overwriting,
    show,
)
from seedcorn.cli.select import select

if TYPE_CHECKING:
    from seedcorn.corpus.utterances import Utterance
    from seedcorn.evaluation.forecast import LearningCurve
    from seedcorn.runs import Json

Files: TypeAlias = list[Path] | None


class StrategyName(StrEnum):
    """The names of diversity.annotate.Strategy, without loading it."""

    UNCERTAINTY = "uncertainty"
    MARGIN = "margin"
    DISAGREEMENT = "disagreement"
    COVERAGE = "coverage"
    MIXED = "mixed"
    RANDOM = "random"


@select.command()
def annotate(
    pool: InputFile,
    output: OutputFile,
    labelled: Annotated[list[Path], typer.Option(exists=True, help="Annotated utterances; repeatable.")],
    labels: Annotated[Files, typer.Option(exists=True, help="Answers of annotators so far; repeatable.")] = None,
    model: Annotated[Path | None, typer.Option(exists=True, help="The NLU model; trained if absent.")] = None,
    strategy: Annotated[StrategyName, typer.Option(help="What makes a text worth its label.")] = StrategyName.MIXED,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts to annotate.")] = 25,
    words: Annotated[int | None, typer.Option(min=1, help="Texts of together so many words instead.")] = None,
    forecast: Annotated[bool, typer.Option("--forecast", help="Foretell the error after more labels.")] = False,
    dev: Annotated[Path | None, typer.Option(exists=True, help="Measure the forecast here.")] = None,
    format: InputFormat = None,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Choose from POOL the texts whose labels are worth most, with the labels that the model proposes.

    The ending of --output says for whom: .html is a page to annotate in without a server, .json are tasks for Label
    Studio (their labelling interface beside them), .jsonl is for everything else. Answers come back by --labels.
    """
    from seedcorn.corpus.formats import read_corpus
    from seedcorn.diversity.annotate import AnnotationSettings
    from seedcorn.growth.answers import read_answers
    from seedcorn.growth.by_hand import foretell, to_annotate
    from seedcorn.growth.tasks import write_tasks
    from seedcorn.nlu.linear import load_linear

    refuse_overwriting(output, pool, *labelled, *(labels or ()))
    settings = AnnotationSettings.model_validate(
        {"strategy": strategy.value, "batch_size": batch_size, "n_words": words}
    )
    result: dict[str, Json] = {}
    with progress(quiet):
        known = _utterances(labelled)
        rows = [u if u.id else _numbered(u, i) for i, u in enumerate(read_corpus(pool, format=format).utterances())]
        if labels:
            answers = read_answers(labels, asked=rows, intents={u.intent for u in known})
            known += answers.labels
            result |= {"n_labels": len(answers.labels), "n_unsure": len(answers.unsure)}
            result["conflicts"] = [f"{c.text}: {', '.join(u.intent for u, _ in c.labels)}" for c in answers.conflicts]
        batch = to_annotate(
            rows,
            labelled=known,
            model=load_linear(model) if model is not None else None,
            settings=settings,
            name=output.stem,
            random_seed=random_seed,
        )
        write_tasks(batch, output)
        if forecast or dev is not None:
            curve = foretell(known, dev=_utterances([dev] if dev else []), random_seed=random_seed)
            result |= _foretold(curve)
    show({"n_tasks": len(batch.tasks), "strategy": strategy.value, **result, "output": str(output)}, as_json=as_json)


def _numbered(utterance: "Utterance", row: int) -> "Utterance":
    from dataclasses import replace

    return replace(utterance, id=f"row-{row}")


def _utterances(files: list[Path]) -> "list[Utterance]":
    from seedcorn.corpus.formats import read_corpus

    return [utterance for file in files for utterance in read_corpus(file).utterances()]


def _foretold(curve: "LearningCurve") -> "dict[str, Json]":
    """Return the forecasts as they are shown: the semantic error with its 80 % interval after so many more labels."""
    n_now, now = curve.points[-1]
    ahead: dict[str, Json] = {
        f"error_after_{f.n_more}_more": f"{f.error:.3f} ({f.low:.3f} to {f.high:.3f})" for f in curve.forecasts
    }
    stop = "not soon" if curve.stop_after is None else f"after {curve.stop_after} more labels"
    return {f"error_with_{n_now}_labels": now, **ahead, "25_more_are_not_worth_it": stop}
