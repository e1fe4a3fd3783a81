"""``seedcorn select relevance``: score a pool by its relevance to a seed, and keep the best of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.options import (
    Engine,
    Files,
    InputFormat,
    OutputFile,
    Pool,
    RandomSeed,
    Shown,
    progress,
    show,
)
from seedcorn.cli.pipes import each_from_pipe
from seedcorn.errors import ConfigError
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.relevance.names import Aggregate, Method, named

if TYPE_CHECKING:
    from seedcorn.relevance.file_to_file import RelevantRows
    from seedcorn.relevance.relevant import RelevanceSettings

select = typer.Typer(help="Choose from a pool, one stage alone, file to file.", no_args_is_help=True)
app.add_typer(select, name="select")

_FIELDS = {"top": "n_kept", "words": "n_words", "per_intent": "n_per_intent"}


@dataclass(frozen=True, kw_only=True)
class CutoffOptions:
    """Where the relevant part ends: one of these."""

    threshold: Annotated[float | None, typer.Option(help="Keep rows at least as good as this score.")] = None
    top: Annotated[int | None, typer.Option(min=0, help="Keep this many rows.")] = None
    fraction: Annotated[float | None, typer.Option(min=0, max=1, help="Keep this share of the pool.")] = None
    words: Annotated[int | None, typer.Option(min=0, help="Keep the best rows of together so many words.")] = None
    per_intent: Annotated[int | None, typer.Option(min=0, help="Keep so many rows nearest to each intent.")] = None
    precision: Annotated[float | None, typer.Option(min=0, max=1, help="Keep rows relevant to this share.")] = None

    @property
    def cutoff(self) -> Cutoff:
        """The one that is given. Raises ConfigError for none or several."""
        names = [field.replace("_", "-") for field in CutoffOptions.__dataclass_fields__]
        given = {name: getattr(self, name) for name in CutoffOptions.__dataclass_fields__}
        chosen = {name: number for name, number in given.items() if number is not None}
        if len(chosen) != 1:
            raise ConfigError(
                wanted="one cut-off",
                found=" and ".join(f"--{name.replace('_', '-')}" for name in chosen) or "none",
                fix=f"Give one of {', '.join(f'--{name}' for name in names)}.",
            )
        return Cutoff.model_validate({_FIELDS.get(name, name): number for name, number in chosen.items()})


@dataclass(frozen=True, kw_only=True)
class RelevanceOptions(CutoffOptions, Shown):
    """The pool, what it is compared with, how, and where the passes over it are made."""

    pool: Pool
    output: OutputFile
    seed: Annotated[
        Files, typer.Option(exists=True, callback=each_from_pipe, help="Annotated in-domain examples; repeatable.")
    ] = None
    background: Annotated[
        Files, typer.Option(exists=True, callback=each_from_pipe, help="Other annotated text; repeatable.")
    ] = None
    method: Annotated[str, typer.Option(help=f"How relevance is scored: {', '.join(Method)}.")] = "logistic"
    aggregate: Annotated[str | None, typer.Option(help=f"For n-gram methods: {', '.join(Aggregate)}.")] = None
    relevant_fraction: Annotated[
        float | None, typer.Option(help="Share of the pool taken as relevant in probability and precision.")
    ] = None
    pool_sample: Annotated[int, typer.Option(min=0, help="Pool rows that stand for general text.")] = 20_000
    sample_from: Annotated[int, typer.Option(min=1, help="Draw them from so many first rows.")] = 2_000_000
    model: Annotated[Path | None, typer.Option(exists=True, help="Score with this saved n-gram model.")] = None
    save_model: Annotated[Path | None, typer.Option(help="Save the fitted n-gram model here (.npz).")] = None
    threads: Annotated[int, typer.Option(min=1, help="Threads that score, or processors of a Ray cluster here.")] = 1
    engine: Engine = "local"
    format: InputFormat = None
    random_seed: RandomSeed = 0

    @property
    def settings(self) -> "RelevanceSettings":
        """How relevance is scored and cut."""
        from seedcorn.relevance.relevant import RelevanceSettings

        return RelevanceSettings(
            method=named(Method, self.method, "method"),
            aggregate=None if self.aggregate is None else named(Aggregate, self.aggregate, "aggregate"),
            n_pool_sample=self.pool_sample,
            n_rows_sampled_from=self.sample_from,
            relevant_fraction=self.relevant_fraction,
            cutoff=self.cutoff,
        )


@select.command()
@command_of
def relevance(options: RelevanceOptions) -> None:
    """Score POOL by its relevance to the seed and write the rows kept, best first, each with score and reasons.

    Give one cut-off: --threshold, --top, --fraction, --words, --per-intent or --precision. The pool is streamed.
    """
    from seedcorn.corpus.formats import read_pool, read_utterances, write_corpus
    from seedcorn.corpus.utterances import Corpus
    from seedcorn.engines import mapper_of
    from seedcorn.relevance.file_to_file import keep_relevant

    settings = options.settings
    with progress(options.quiet):
        found = keep_relevant(
            read_pool(options.pool, format=options.format),
            seed=read_utterances(options.seed),
            background=read_utterances(options.background),
            settings=settings,
            model=options.model,
            mapper=mapper_of(options.engine, n_workers=options.threads),
            random_seed=options.random_seed,
        )
        if options.save_model is not None:
            _save(found, options.save_model)
        write_corpus(Corpus.from_table(found.rows), options.output)
    _show(found, options)


def _show(found: "RelevantRows", options: RelevanceOptions) -> None:
    from seedcorn.relevance.file_to_file import lowest_kept

    kept = found.kept
    show(
        {
            "n_rows": kept.n_rows,
            "n_kept": len(kept.positions),
            "n_rejected": kept.n_rows - len(kept.positions),
            "n_without_score": kept.n_unscored,
            "score": kept.scores.name,
            "unit": kept.scores.unit,
            "lowest_kept_score": lowest_kept(kept.scores),
            "output": str(options.output),
        },
        as_json=options.as_json,
    )


def _save(found: "RelevantRows", path: Path) -> None:
    from seedcorn.relevance.linear import save_relevance_model

    if found.fitted.model is None:
        raise ConfigError(wanted="an n-gram method to save the model of", found="another one", where="--save-model")
    save_relevance_model(found.fitted.model, path)
