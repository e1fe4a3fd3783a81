"""``seedcorn select annotate``: which texts of a pool people should label next."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.commands import command_of
from seedcorn.cli.options import Files, InputFile, InputFormat, OutputFile, RandomSeed, Shown, progress, show
from seedcorn.cli.pipes import each_from_pipe, from_pipe
from seedcorn.cli.select import select
from seedcorn.diversity.methods import Strategy

if TYPE_CHECKING:
    from seedcorn.corpus.utterances import Utterance
    from seedcorn.evaluation.forecast import LearningCurve
    from seedcorn.files import Json
    from seedcorn.growth.answers import Answers


@dataclass(frozen=True, kw_only=True)
class AnnotateOptions(Shown):
    """The pool, what is labelled already, and how much more people are to label."""

    pool: InputFile
    output: OutputFile
    labelled: Annotated[
        list[Path], typer.Option(exists=True, callback=each_from_pipe, help="Annotated utterances; repeatable.")
    ]
    labels: Annotated[
        Files, typer.Option(exists=True, callback=each_from_pipe, help="Answers of annotators so far; repeatable.")
    ] = None
    model: Annotated[Path | None, typer.Option(exists=True, help="The NLU model; trained if absent.")] = None
    strategy: Annotated[Strategy, typer.Option(help="What makes a text worth its label.")] = Strategy.MIXED
    batch_size: Annotated[int, typer.Option(min=1, help="Texts to annotate.")] = 25
    words: Annotated[int | None, typer.Option(min=1, help="Texts of together so many words instead.")] = None
    forecast: Annotated[bool, typer.Option("--forecast", help="Foretell the error after more labels.")] = False
    dev: Annotated[Path | None, typer.Option(exists=True, callback=from_pipe, help="Measure the forecast here.")] = None
    format: InputFormat = None
    random_seed: RandomSeed = 0


@select.command()
@command_of
def annotate(options: AnnotateOptions) -> None:
    """Choose from POOL the texts whose labels are worth most, with the labels that the model proposes.

    The ending of --output says for whom: .html is a page to annotate in without a server, .json are tasks for Label
    Studio (their labelling interface beside them), .jsonl is for everything else. Answers come back by --labels.
    """
    from seedcorn.corpus.formats import read_utterances
    from seedcorn.deployment.tasks import write_tasks
    from seedcorn.diversity.annotate import AnnotationSettings
    from seedcorn.growth.answers import read_answers
    from seedcorn.growth.by_hand import foretell, to_annotate
    from seedcorn.nlu.linear_file import load_linear

    settings = AnnotationSettings(strategy=options.strategy, batch_size=options.batch_size, n_words=options.words)
    result: dict[str, Json] = {}
    with progress(options.quiet):
        known = read_utterances(options.labelled)
        rows = [_numbered(u, i) for i, u in enumerate(read_utterances([options.pool], format=options.format))]
        if options.labels:
            answers = read_answers(options.labels, asked=rows, intents={u.intent for u in known})
            known += answers.labels
            result |= _answered(answers)
        batch = to_annotate(
            rows,
            labelled=known,
            model=load_linear(options.model) if options.model is not None else None,
            settings=settings,
            name=options.output.stem,
            random_seed=options.random_seed,
        )
        write_tasks(batch, options.output)
        if options.forecast or options.dev is not None:
            dev = read_utterances([options.dev] if options.dev else None)
            result |= _foretold(foretell(known, dev=dev, random_seed=options.random_seed))
    chosen = {"n_tasks": len(batch.tasks), "strategy": options.strategy.value}
    show({**chosen, **result, "output": str(options.output)}, as_json=options.as_json)


def _numbered(utterance: "Utterance", row: int) -> "Utterance":
    from dataclasses import replace

    return utterance if utterance.id else replace(utterance, id=f"row-{row}")


def _answered(answers: "Answers") -> "dict[str, Json]":
    return {
        "n_labels": len(answers.labels),
        "n_unsure": len(answers.unsure),
        "conflicts": [f"{c.text}: {', '.join(u.intent for u, _ in c.labels)}" for c in answers.conflicts],
    }


def _foretold(curve: "LearningCurve") -> "dict[str, Json]":
    """Return the forecasts as they are shown: the semantic error with its 80 % interval after so many more labels."""
    n_now, now = curve.points[-1]
    ahead: dict[str, Json] = {
        f"error_after_{f.n_more}_more": f"{f.error:.3f} ({f.low:.3f} to {f.high:.3f})" for f in curve.forecasts
    }
    stop = "not soon" if curve.stop_after is None else f"after {curve.stop_after} more labels"
    return {f"error_with_{n_now}_labels": now, **ahead, "25_more_are_not_worth_it": stop}
