"""``seedcorn select diversity``: keep of a pool what adds something."""

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
from seedcorn.diversity.methods import Concave, Method, Optimiser
from seedcorn.errors import ConfigError

if TYPE_CHECKING:
    from seedcorn.corpus.utterances import Corpus, Utterance

Files: TypeAlias = list[Path] | None


@select.command()
def diversity(
    pool: InputFile,
    output: OutputFile,
    method: Annotated[Method, typer.Option(help="How to choose.")] = Method.FEATURE,
    count: Annotated[int | None, typer.Option(min=1, help="Keep this many rows.")] = None,
    fraction: Annotated[float | None, typer.Option(min=0, max=1, help="Keep this share of the distinct rows.")] = None,
    words: Annotated[int | None, typer.Option(min=1, help="Keep rows of together so many words.")] = None,
    seed: Annotated[Files, typer.Option(exists=True, help="What counts as chosen already; repeatable.")] = None,
    background: Annotated[
        Files, typer.Option(exists=True, help="Other annotated text to train the paraphrase network on; repeatable.")
    ] = None,
    network: Annotated[Path | None, typer.Option(exists=True, help="Folder of a trained paraphrase network.")] = None,
    save_network: Annotated[Path | None, typer.Option(help="Train a paraphrase network and save it here.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of worst paraphrases.")] = 20,
    concave: Annotated[Concave, typer.Option(help="How a feature loses worth.")] = Concave.SQRT,
    limit: Annotated[float, typer.Option(help="Where 'saturated' stops growing.")] = 3.0,
    relevance_share: Annotated[float, typer.Option(min=0, help="Weight of relevance; feature, paraphrase.")] = 0.0,
    optimiser: Annotated[
        Optimiser, typer.Option(help="'stream' reads a pool beyond memory twice, for 'feature' only.")
    ] = Optimiser.LAZY,
    represented: Annotated[int | None, typer.Option(min=1, help="Points that 'facility' represents.")] = None,
    memory_mb: Annotated[int, typer.Option(min=1, help="Memory for blocks of similarities.")] = 64,
    format: InputFormat = None,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Keep of POOL what adds something to the seed and to what is kept: one budget, one row of output a row kept.

    Rows are written in the order chosen, each with its round, its gain and its nearest neighbour among the seed and the
    rows kept before. Repeated rows are dropped first, the seed's own included only if the method finds them new.
    """
    from seedcorn.corpus.formats import read_corpus, write_corpus
    from seedcorn.corpus.utterances import Corpus as InMemory
    from seedcorn.diversity.file_to_file import Amount, keep_diverse, keep_diverse_stream
    from seedcorn.diversity.submodular import DiversitySettings

    refuse_overwriting(output, pool, *(seed or ()), *(background or ()))
    amount = Amount(count=count, fraction=fraction, words=words)
    streams = optimiser is Optimiser.STREAM
    if streams and method is not Method.FEATURE:
        raise ConfigError(wanted="--method feature with --optimiser stream", found=f"--method {method}")
    settings = DiversitySettings(
        concave=concave,
        limit=limit,
        relevance_share=relevance_share,
        optimiser=optimiser,
        n_represented=represented,
        n_rounds=rounds,
        block_mb=memory_mb,
    )
    with progress(quiet):
        corpus, seed_utterances = read_corpus(pool, format=format), _utterances(seed)
        if save_network is not None:
            _train([*seed_utterances, *_utterances(background)], corpus, save_network, random_seed)
            network = save_network
        if streams:
            kept = keep_diverse_stream(corpus, amount=amount, seed=seed_utterances, settings=settings)
        else:
            kept = keep_diverse(
                corpus,
                method=method,
                amount=amount,
                seed=seed_utterances,
                background=_utterances(background),
                network=network,
                settings=settings,
                random_seed=random_seed,
            )
        write_corpus(InMemory.from_table(kept.rows), output)
    show(
        {
            "n_rows": kept.n_rows,
            "n_kept": kept.rows.num_rows,
            "n_repeated": kept.n_repeated,
            "n_rejected": kept.n_rows - kept.rows.num_rows - kept.n_repeated,
            "method": str(method),
            "output": str(output),
        },
        as_json=as_json,
    )


def _train(annotated: "list[Utterance]", pool: "Corpus", folder: Path, random_seed: int) -> None:
    from seedcorn.diversity.paraphrase import save_paraphrase_network
    from seedcorn.diversity.paraphrase_fitting import fit_paraphrase_network

    unlabelled = pool.table().column("text").to_pylist()
    save_paraphrase_network(fit_paraphrase_network(annotated, unlabelled=unlabelled, random_seed=random_seed), folder)


def _utterances(files: Files) -> "list[Utterance]":
    from seedcorn.corpus.formats import read_corpus

    return [utterance for file in files or () for utterance in read_corpus(file).utterances()]
