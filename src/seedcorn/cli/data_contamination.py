"""``seedcorn data contamination``: what of a pool is nearly evaluation text."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.commands import command_of
from seedcorn.cli.data import Only, chosen_rows, data
from seedcorn.cli.options import Engine, InputFormat, Pool, Shown, progress, show
from seedcorn.cli.pipes import each_from_pipe
from seedcorn.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from seedcorn.corpus.utterances import Corpus


@dataclass(frozen=True, kw_only=True)
class ContaminationOptions(Shown):
    """The pool, the evaluation text, and how near is too near."""

    pool: Pool
    evaluation: Annotated[
        list[Path],
        typer.Option("--evaluation", exists=True, callback=each_from_pipe, help="Dev or test text; repeatable."),
    ]
    only: Only = None
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the usable rows here.")] = None
    threshold: Annotated[float, typer.Option(min=0.01, max=1, help="Similarity from which texts are too near.")] = 0.8
    threads: Annotated[int, typer.Option(min=1, help="Threads that compare, or processors of a Ray cluster here.")] = 1
    engine: Engine = "local"
    format: InputFormat = None


@data.command()
@command_of
def contamination(options: ContaminationOptions) -> None:
    """Find rows of POOL that repeat each other or are nearly equal to evaluation text, and write the others.

    --only chooses rows of the evaluation files (partition=test).
    """
    import numpy as np

    from seedcorn.corpus.contamination import screen_pool
    from seedcorn.corpus.formats import read_corpus, read_pool, write_corpus
    from seedcorn.engines import mapper_of

    with progress(options.quiet):
        mapper = mapper_of(options.engine, n_workers=options.threads)
        corpus = read_pool(options.pool, format=options.format)
        parts = [chosen_rows(read_corpus(path), options.only) for path in options.evaluation]
        held_out = [utterance.text for part in parts for utterance in part.utterances()]
        if not held_out:
            raise DataError(wanted="evaluation text", found="no rows", where=options.evaluation[0])
        screening = screen_pool(corpus.text_pieces(), held_out, threshold=options.threshold, mapper=mapper)
        selection = screening.selection
        if options.output is not None:
            write_corpus(_rows_of(corpus, selection.reject_codes < 0), options.output)
    counts = np.bincount(selection.reject_codes + 1, minlength=len(selection.reject_reasons) + 1).tolist()
    rejected = dict(zip(selection.reject_reasons, counts[1:], strict=True))
    show({"n_rows": selection.n_rows, "n_kept": counts[0], **rejected}, as_json=options.as_json)


def _rows_of(corpus: "Corpus", is_kept: "NDArray[np.bool_]") -> "Corpus":
    import pyarrow as pa

    def open_batches() -> "Iterator[pa.RecordBatch]":
        n_rows = 0
        for batch in corpus.batches():
            yield batch.filter(pa.array(is_kept[n_rows : n_rows + batch.num_rows]))
            n_rows += batch.num_rows

    return replace(corpus, open_batches=open_batches)
