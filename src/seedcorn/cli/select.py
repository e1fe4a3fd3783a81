"""``seedcorn select``: choose from a pool, one stage alone, file to file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.options import (
    AsJson,
    Engine,
    InputFormat,
    OutputFile,
    Pool,
    Quiet,
    RandomSeed,
    progress,
    refuse_overwriting,
    show,
)
from seedcorn.errors import ConfigError
from seedcorn.relevance.names import Aggregate, Method, named

if TYPE_CHECKING:
    from seedcorn.corpus.utterances import Utterance
    from seedcorn.relevance.cutoff import Cutoff
    from seedcorn.relevance.linear import RelevanceModel

select = typer.Typer(help="Choose from a pool, one stage alone, file to file.", no_args_is_help=True)
app.add_typer(select, name="select")

Files: TypeAlias = list[Path] | None


@select.command()
def relevance(
    pool: Pool,
    output: OutputFile,
    seed: Annotated[Files, typer.Option(exists=True, help="Annotated in-domain examples; repeatable.")] = None,
    background: Annotated[Files, typer.Option(exists=True, help="Other annotated text; repeatable.")] = None,
    method: Annotated[str, typer.Option(help=f"How relevance is scored: {', '.join(Method)}.")] = "logistic",
    aggregate: Annotated[str | None, typer.Option(help=f"For n-gram methods: {', '.join(Aggregate)}.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Keep rows at least as good as this score.")] = None,
    top: Annotated[int | None, typer.Option(min=0, help="Keep this many rows.")] = None,
    fraction: Annotated[float | None, typer.Option(min=0, max=1, help="Keep this share of the pool.")] = None,
    words: Annotated[int | None, typer.Option(min=0, help="Keep the best rows of together so many words.")] = None,
    per_intent: Annotated[int | None, typer.Option(min=0, help="Keep so many rows nearest to each intent.")] = None,
    precision: Annotated[float | None, typer.Option(min=0, max=1, help="Keep rows relevant to this share.")] = None,
    relevant_fraction: Annotated[
        float | None, typer.Option(help="Share of the pool taken as relevant in probability and precision.")
    ] = None,
    pool_sample: Annotated[int, typer.Option(min=0, help="Pool rows that stand for general text.")] = 20_000,
    sample_from: Annotated[int, typer.Option(min=1, help="Draw them from so many first rows.")] = 2_000_000,
    model: Annotated[Path | None, typer.Option(exists=True, help="Score with this saved n-gram model.")] = None,
    save_model: Annotated[Path | None, typer.Option(help="Save the fitted n-gram model here (.npz).")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads that score, or processors of a Ray cluster here.")] = 1,
    engine: Engine = "local",
    format: InputFormat = None,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Score POOL by its relevance to the seed and write the rows kept, best first, each with score and reasons.

    Give one cut-off: --threshold, --top, --fraction, --words, --per-intent or --precision. The pool is streamed.
    """
    from seedcorn.corpus.formats import read_pool, write_corpus
    from seedcorn.corpus.utterances import Corpus
    from seedcorn.engines import mapper_of
    from seedcorn.relevance.file_to_file import keep_relevant, lowest_kept
    from seedcorn.relevance.relevant import RelevanceSettings

    settings = RelevanceSettings(
        method=named(Method, method, "method"),
        aggregate=None if aggregate is None else named(Aggregate, aggregate, "aggregate"),
        n_pool_sample=pool_sample,
        n_rows_sampled_from=sample_from,
        relevant_fraction=relevant_fraction,
        cutoff=_one_cut_off(
            threshold=threshold, top=top, fraction=fraction, words=words, per_intent=per_intent, precision=precision
        ),
    )
    refuse_overwriting(output, Path(pool), *(seed or ()), *(background or ()))
    with progress(quiet):
        found = keep_relevant(
            read_pool(pool, format=format),
            seed=_utterances(seed),
            background=_utterances(background),
            settings=settings,
            model=model,
            mapper=mapper_of(engine, n_workers=threads),
            random_seed=random_seed,
        )
        if save_model is not None:
            _save(found.fitted.model, save_model)
        write_corpus(Corpus.from_table(found.rows), output)
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
            "output": str(output),
        },
        as_json=as_json,
    )


_FIELDS = {"top": "n_kept", "words": "n_words", "per_intent": "n_per_intent"}


def _one_cut_off(**given: float | None) -> "Cutoff":
    from seedcorn.relevance.cutoff import Cutoff

    chosen = {name: number for name, number in given.items() if number is not None}
    if len(chosen) != 1:
        raise ConfigError(
            wanted="one cut-off",
            found=" and ".join(map(_option, chosen)) or "none",
            fix=f"Give one of {', '.join(map(_option, given))}.",
        )
    return Cutoff.model_validate({_FIELDS.get(name, name): number for name, number in chosen.items()})


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _utterances(files: Files) -> "list[Utterance]":
    from seedcorn.corpus.formats import read_corpus

    return [utterance for file in files or () for utterance in read_corpus(file).utterances()]


def _save(model: "RelevanceModel | None", path: Path) -> None:
    from seedcorn.relevance.linear import save_relevance_model

    if model is None:
        raise ConfigError(wanted="an n-gram method to save the model of", found="another one", where="--save-model")
    save_relevance_model(model, path)
