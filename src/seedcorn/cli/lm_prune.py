"""``seedcorn lm prune``: a smaller language model that says nearly the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.commands import command_of
from seedcorn.cli.lm import STANDARD, ModelFile, ModelOutput, Tokens, TokensOption, lm, numbers, texts_of, write_to
from seedcorn.cli.options import Shown, progress, show

if TYPE_CHECKING:
    from seedcorn.lm.ngram_model import NgramModel
    from seedcorn.lm.text_buffers import Texts


@dataclass(frozen=True, kw_only=True)
class PruneOptions(Shown):
    """The model, how small it is to be, and what its perplexity is told on."""

    model: ModelFile
    output: ModelOutput = STANDARD
    threshold: Annotated[float | None, typer.Option(min=0, help="Drop what perplexity grows less by.")] = None
    n_ngrams: Annotated[int | None, typer.Option("--size", min=1, help="Keep so many n-grams.")] = None
    test: Annotated[Path | None, typer.Option(exists=True, help="Text to report perplexity on.")] = None
    report_sizes: Annotated[str, typer.Option(help='Sizes to report perplexity at, too: "100000 50000".')] = ""
    tokens: TokensOption = Tokens.WHITESPACE


@lm.command()
@command_of
def prune(options: PruneOptions) -> None:
    """Drop the n-grams that matter least, by relative entropy, to a threshold or a size."""
    from seedcorn.lm.model_file import read_model
    from seedcorn.lm.pruning import prune_by_entropy

    with progress(options.quiet):
        full = read_model(options.model)
        pruned = prune_by_entropy(full, threshold=options.threshold, n_ngrams=options.n_ngrams)
        write_to(pruned, options.output)
        result: dict[str, float | str] = {"n_ngrams_before": sum(full.n_ngrams), "n_ngrams": sum(pruned.n_ngrams)}
        if options.test is not None:
            sizes = numbers(options.report_sizes, "--report-sizes")
            result |= _perplexities(full, pruned, list(texts_of([options.test], options.tokens)), sizes)
    if options.output != STANDARD:
        show({**result, "output": str(options.output)}, as_json=options.as_json)


def _perplexities(
    full: "NgramModel", pruned: "NgramModel", texts: "Sequence[Texts]", sizes: tuple[int, ...]
) -> dict[str, float | str]:
    from seedcorn.lm.perplexity import measure_perplexity
    from seedcorn.lm.pruning import perplexity_by_size

    result: dict[str, float | str] = {
        "perplexity_before": measure_perplexity(full, texts).perplexity,
        "perplexity": measure_perplexity(pruned, texts).perplexity,
    }
    for point in perplexity_by_size(full, texts, sizes=sizes):
        result[f"perplexity of {point.n_ngrams} n-grams"] = point.perplexity
    return result
