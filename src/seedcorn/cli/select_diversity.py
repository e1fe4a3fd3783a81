"""``seedcorn select diversity``: keep of a pool what adds something."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.commands import command_of
from seedcorn.cli.options import Engine, Files, InputFormat, OutputFile, Pool, RandomSeed, Shown, progress, show
from seedcorn.cli.pipes import each_from_pipe
from seedcorn.cli.select import select
from seedcorn.diversity.methods import Concave, Method, Optimiser
from seedcorn.errors import ConfigError

if TYPE_CHECKING:
    from seedcorn.diversity.file_to_file import KeptTable
    from seedcorn.diversity.view import DiversitySettings


@dataclass(frozen=True, kw_only=True)
class DiversityOptions(Shown):
    """The pool, how much of it is kept, and what makes a part of it diverse."""

    pool: Pool
    output: OutputFile
    method: Annotated[Method, typer.Option(help="How to choose.")] = Method.FEATURE
    count: Annotated[int | None, typer.Option(min=1, help="Keep this many rows.")] = None
    fraction: Annotated[float | None, typer.Option(min=0, max=1, help="Keep this share of the distinct rows.")] = None
    words: Annotated[int | None, typer.Option(min=1, help="Keep rows of together so many words.")] = None
    seed: Annotated[
        Files, typer.Option(exists=True, callback=each_from_pipe, help="What counts as chosen already; repeatable.")
    ] = None
    background: Annotated[
        Files,
        typer.Option(
            exists=True,
            callback=each_from_pipe,
            help="Other annotated text to train the paraphrase network on; repeatable.",
        ),
    ] = None
    network: Annotated[Path | None, typer.Option(exists=True, help="Folder of a trained paraphrase network.")] = None
    save_network: Annotated[Path | None, typer.Option(help="Train a paraphrase network and save it here.")] = None
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of worst paraphrases.")] = 20
    concave: Annotated[Concave, typer.Option(help="How a feature loses worth.")] = Concave.SQRT
    limit: Annotated[float, typer.Option(help="Where 'saturated' stops growing.")] = 3.0
    relevance_share: Annotated[float, typer.Option(min=0, help="Weight of relevance; feature, paraphrase.")] = 0.0
    optimiser: Annotated[
        Optimiser, typer.Option(help="'stream' reads a pool beyond memory twice, for 'feature' only.")
    ] = Optimiser.LAZY
    represented: Annotated[int | None, typer.Option(min=1, help="Points that 'facility' represents.")] = None
    threads: Annotated[int, typer.Option(min=1, help="Of 'stream': threads, or processors of a Ray cluster.")] = 1
    engine: Engine = "local"
    memory_mb: Annotated[int, typer.Option(min=1, help="Memory for blocks of similarities.")] = 64
    format: InputFormat = None
    random_seed: RandomSeed = 0

    @property
    def settings(self) -> "DiversitySettings":
        """What makes a part diverse. Raises ConfigError for a method that cannot be streamed."""
        from seedcorn.diversity.view import DiversitySettings

        if self.optimiser is Optimiser.STREAM and self.method is not Method.FEATURE:
            raise ConfigError(wanted="--method feature with --optimiser stream", found=f"--method {self.method}")
        return DiversitySettings(
            concave=self.concave,
            limit=self.limit,
            relevance_share=self.relevance_share,
            optimiser=self.optimiser,
            n_represented=self.represented,
            n_rounds=self.rounds,
            block_mb=self.memory_mb,
        )


@select.command()
@command_of
def diversity(options: DiversityOptions) -> None:
    """Keep of POOL what adds something to the seed and to what is kept: one budget, one row of output a row kept.

    Rows are written in the order chosen, each with its round, its gain and its nearest neighbour among the seed and the
    rows kept before. Repeated rows are dropped first, the seed's own included only if the method finds them new.
    """
    from seedcorn.corpus.formats import write_corpus
    from seedcorn.corpus.utterances import Corpus

    with progress(options.quiet):
        kept = _kept(options)
        write_corpus(Corpus.from_table(kept.rows), options.output)
    show(
        {
            "n_rows": kept.n_rows,
            "n_kept": kept.rows.num_rows,
            "n_repeated": kept.n_repeated,
            "n_rejected": kept.n_rows - kept.rows.num_rows - kept.n_repeated,
            "method": str(options.method),
            "output": str(options.output),
        },
        as_json=options.as_json,
    )


def _kept(options: DiversityOptions) -> "KeptTable":
    from seedcorn.corpus.formats import read_pool, read_utterances
    from seedcorn.diversity.file_to_file import Amount, keep_diverse, keep_diverse_stream, train_network
    from seedcorn.engines import LOCAL, mapper_of

    amount = Amount(count=options.count, fraction=options.fraction, words=options.words)
    settings = options.settings
    pool = read_pool(options.pool, format=options.format)
    seed, background = read_utterances(options.seed), read_utterances(options.background)
    if options.save_network is not None:
        train_network([*seed, *background], pool, options.save_network, random_seed=options.random_seed)
    if options.optimiser is Optimiser.STREAM:
        mapper = mapper_of(options.engine, n_workers=options.threads)
        return keep_diverse_stream(pool, amount=amount, seed=seed, settings=settings, mapper=mapper)
    if options.engine != LOCAL:
        raise ConfigError(wanted="--optimiser stream on an engine", found=f"--optimiser {options.optimiser}")
    return keep_diverse(
        pool,
        method=options.method,
        amount=amount,
        seed=seed,
        background=background,
        network=options.save_network or options.network,
        settings=settings,
        random_seed=options.random_seed,
    )
