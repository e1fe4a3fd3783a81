"""``seedcorn select``: choose from a pool, one stage alone, file to file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli import app
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

if TYPE_CHECKING:
    import pyarrow as pa

    from seedcorn.corpus.utterances import Utterance
    from seedcorn.relevance.linear import RelevanceModel
    from seedcorn.relevance.methods import FittedMethod
    from seedcorn.relevance.streaming import Cut, KeptRows

select = typer.Typer(help="Choose from a pool, one stage alone, file to file.", no_args_is_help=True)
app.add_typer(select, name="select")

Files: TypeAlias = list[Path] | None
CutOff: TypeAlias = tuple[str, float]


@select.command()
def relevance(
    pool: Pool,
    output: OutputFile,
    seed: Annotated[Files, typer.Option(exists=True, help="Annotated in-domain examples; repeatable.")] = None,
    background: Annotated[Files, typer.Option(exists=True, help="Other annotated text; repeatable.")] = None,
    method: Annotated[str, typer.Option(help="logistic, importance, cross_entropy or embedding.")] = "logistic",
    aggregate: Annotated[str | None, typer.Option(help="sum, mean or probability, for n-gram methods.")] = None,
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
    import numpy as np
    import pyarrow as pa

    from seedcorn.corpus.formats import read_pool
    from seedcorn.engines import mapper_of
    from seedcorn.relevance.methods import fit_method, saved_method
    from seedcorn.relevance.streaming import keep_from_stream, sample_texts

    cut_off = _one_cut_off(
        threshold=threshold, top=top, fraction=fraction, words=words, per_intent=per_intent, precision=precision
    )
    refuse_overwriting(output, Path(pool), *(seed or ()), *(background or ()))
    pa.set_cpu_count(threads)
    with progress(quiet):
        corpus, mapper = read_pool(pool, format=format), mapper_of(engine, n_workers=threads)
        seed_utterances = _utterances(seed)
        if model is not None:
            fitted = saved_method(model, aggregate)
        else:
            rng = np.random.default_rng(random_seed)
            fitted = fit_method(
                method,
                [u.text for u in seed_utterances],
                [u.text for u in _utterances(background)],
                sample_texts(corpus.texts(), n_texts=pool_sample, n_rows=sample_from, rng=rng),
                aggregate=aggregate,
                relevant_fraction=relevant_fraction,
                random_seed=random_seed,
            )
        if save_model is not None:
            _save(fitted.model, save_model)
        n_rows = corpus.count() if fraction is not None else 0
        cut, cut_parts = _cuts(cut_off, fitted, seed_utterances, n_rows)
        kept = keep_from_stream(corpus.pieces(), fitted.score, cut, cut_parts=cut_parts, mapper=mapper)
        _write(_explained(kept, fitted.model, seed_utterances), output)
    show(
        {
            "n_rows": kept.n_rows,
            "n_kept": len(kept.positions),
            "n_rejected": kept.n_rows - len(kept.positions),
            "n_without_score": kept.n_unscored,
            "score": kept.scores.name,
            "unit": kept.scores.unit,
            "lowest_kept_score": float(kept.scores.values[-1]) if len(kept.positions) else None,
            "output": str(output),
        },
        as_json=as_json,
    )


def _one_cut_off(**given: float | None) -> CutOff:
    chosen = [(name, number) for name, number in given.items() if number is not None]
    if len(chosen) != 1:
        raise ConfigError(
            wanted="one cut-off",
            found=" and ".join(_option(name) for name, _ in chosen) or "none",
            fix=f"Give one of {', '.join(_option(name) for name in given)}.",
        )
    return chosen[0]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _utterances(files: Files) -> "list[Utterance]":
    from seedcorn.corpus.formats import read_corpus

    return [utterance for file in files or () for utterance in read_corpus(file).utterances()]


def _cuts(cut_off: CutOff, fitted: "FittedMethod", seed: "Sequence[Utterance]", n_rows: int) -> "tuple[Cut, Cut]":
    """Return what cuts the whole pool, and what cuts its parts."""
    from seedcorn.relevance.cutoff import words_candidates
    from seedcorn.relevance.ngrams import count_words

    cut = _cut(cut_off, fitted, seed, n_rows)
    name, number = cut_off
    if name != "words":
        return cut, cut
    return cut, lambda scores, texts: words_candidates(scores, count_words(texts), n_words_budget=int(number))


def _cut(cut_off: CutOff, fitted: "FittedMethod", seed: "Sequence[Utterance]", n_rows: int) -> "Cut":
    from seedcorn.relevance import cutoff
    from seedcorn.relevance.explain import nearest_intents
    from seedcorn.relevance.ngrams import count_words

    name, number = cut_off
    count = int(number)
    match name:
        case "top":
            return lambda scores, texts: cutoff.keep_best(scores, n_kept=count)
        case "fraction":
            n_kept = cutoff.n_of_fraction(n_rows, number)
            return lambda scores, texts: cutoff.keep_best(scores, n_kept=n_kept)
        case "words":
            return lambda scores, texts: cutoff.keep_words(scores, count_words(texts), n_words_budget=count)
        case "per_intent":
            quotas = dict.fromkeys((u.intent for u in seed), count)
            return lambda scores, texts: cutoff.keep_per_intent(scores, nearest_intents(texts, seed), quotas=quotas)
        case _:
            threshold = fitted.threshold_for(number) if name == "precision" else number
            return lambda scores, texts: cutoff.keep_above(scores, threshold=threshold)


def _explained(kept: "KeptRows", model: "RelevanceModel | None", seed: "Sequence[Utterance]") -> "pa.Table":
    """Return the kept rows with their position, score and reasons as further columns."""
    import pyarrow as pa

    from seedcorn.relevance.explain import explain_nearest, explain_ngrams

    texts = kept.rows.column("text")
    columns = {"pool_row": pa.array(kept.positions), "score": pa.array(kept.scores.values)}
    if model is not None:
        columns["strongest_ngrams"] = pa.array(explain_ngrams(texts, model), pa.string())
    if seed:
        columns["nearest_seed"] = pa.array(explain_nearest(texts, [u.text for u in seed]), pa.string())
    table = kept.rows
    for name, column in columns.items():
        known = table.column_names
        table = table.drop_columns([name]) if name in known else table
        table = table.append_column(name, column)
    return table


def _write(table: "pa.Table", output: Path) -> None:
    from seedcorn.corpus.formats import write_corpus
    from seedcorn.corpus.utterances import Corpus

    write_corpus(Corpus.from_table(table), output)


def _save(model: "RelevanceModel | None", path: Path) -> None:
    from seedcorn.relevance.linear import save_relevance_model

    if model is None:
        raise ConfigError(wanted="an n-gram method to save the model of", found="another one", where="--save-model")
    save_relevance_model(model, path)
