"""``seedcorn lm``: estimate, score, measure, interpolate, prune and describe n-gram language models."""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.options import AsJson, Quiet, progress, refuse_overwriting, show
from seedcorn.errors import ConfigError

if TYPE_CHECKING:
    from seedcorn.lm.ngram_model import NgramModel
    from seedcorn.lm.text_buffers import Texts

lm = typer.Typer(help="Estimate, score, mix and prune n-gram language models.", no_args_is_help=True)
app.add_typer(lm, name="lm")

STANDARD = Path("-")
BYTES_PER_MEGABYTE = 1 << 20


class Tokens(StrEnum):
    """What the words of a text are."""

    WHITESPACE = "whitespace"
    WORDS = "words"


class FileFormat(StrEnum):
    """How a model is written."""

    ARPA = "arpa"
    BINARY = "binary"


TextFiles: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(help="Text, one sentence a line, or corpora of any known format; - or nothing: standard input."),
]
TokensOption: TypeAlias = Annotated[
    Tokens, typer.Option(help="whitespace: words are as written; words: split and normalised by Seedcorn.")
]
ModelFile: TypeAlias = Annotated[Path, typer.Argument(exists=True, help="A model: ARPA, plain or gzip, or binary.")]
ModelOutput: TypeAlias = Annotated[
    Path, typer.Option("--output", "-o", help="The model to write (.arpa, .arpa.gz, else binary); -: ARPA to a pipe.")
]


@lm.command()
def estimate(
    texts: TextFiles = None,
    output: ModelOutput = STANDARD,
    order: Annotated[int, typer.Option(min=1, max=6, help="Length of the longest n-grams.")] = 3,
    prune: Annotated[str, typer.Option(help='Drop n-grams seen so often or less, an order each: "0 0 1".')] = "0",
    vocabulary: Annotated[Path | None, typer.Option(exists=True, help="A file of the words to know.")] = None,
    max_words: Annotated[int | None, typer.Option(min=1, help="Know only so many words, the most frequent.")] = None,
    memory: Annotated[int, typer.Option(min=1, help="Megabytes to use before spilling to disk.")] = 2048,
    temporary: Annotated[Path | None, typer.Option(exists=True, file_okay=False, help="Where to spill.")] = None,
    tokens: TokensOption = Tokens.WHITESPACE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Estimate a modified Kneser-Ney model."""
    from seedcorn.lm.kneser_ney import estimate as estimate_model

    refuse_overwriting(output, *(texts or ()), vocabulary)
    with progress(quiet):
        model = estimate_model(
            _texts(texts, tokens),
            order=order,
            prune=_numbers(prune, "--prune"),
            vocabulary=None if vocabulary is None else vocabulary.read_text("utf-8").split(),
            max_words=max_words,
            n_memory_bytes=memory * BYTES_PER_MEGABYTE,
            folder=temporary,
        )
        _write(model, output)
    _describe(model, output, as_json)


@lm.command()
def score(
    model: ModelFile,
    texts: TextFiles = None,
    by_word: Annotated[bool, typer.Option("--words", help="Show the score of every word.")] = False,
    tokens: TokensOption = Tokens.WHITESPACE,
    quiet: Quiet = False,
) -> None:
    """Print a line a sentence: log10 probability, unknown words, text. With --words a line a word."""
    from seedcorn.lm.model_file import read_model
    from seedcorn.lm.score_lines import sentence_lines, word_lines

    lines = word_lines if by_word else sentence_lines
    with progress(quiet):
        loaded = read_model(model)
        for batch in _texts(texts, tokens):
            sys.stdout.write(lines(loaded, batch))


@lm.command()
def perplexity(
    model: ModelFile,
    texts: TextFiles = None,
    tokens: TokensOption = Tokens.WHITESPACE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure the perplexity of text, with and without unknown words."""
    from seedcorn.lm.model_file import read_model
    from seedcorn.lm.perplexity import measure_perplexity

    with progress(quiet):
        counts = measure_perplexity(read_model(model), _texts(texts, tokens))
    show(
        {
            "n_sentences": counts.n_sentences,
            "n_words": counts.n_words,
            "n_oov": counts.n_oov,
            "perplexity": counts.perplexity,
            "perplexity_without_oov": counts.perplexity_without_oov,
        },
        as_json=as_json,
    )


@lm.command()
def interpolate(
    models: Annotated[list[Path], typer.Argument(exists=True, help="The models to mix.")],
    dev: Annotated[Path | None, typer.Option(exists=True, help="Text that the weights are fitted on.")] = None,
    weight: Annotated[list[float] | None, typer.Option(help="A weight a model, instead of --dev.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write one static model here.")] = None,
    own_vocabularies: Annotated[
        bool, typer.Option("--own-vocabularies", help="Fit with each model's own <unk>; sums may exceed one.")
    ] = False,
    tokens: TokensOption = Tokens.WHITESPACE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Mix models linearly: fit the weights by EM on dev text, and write one static back-off model."""
    from seedcorn.lm.interpolation import Mixture, fit_mixture, share_vocabulary, static_model
    from seedcorn.lm.model_file import read_model
    from seedcorn.lm.perplexity import measure_perplexity

    refuse_overwriting(output, *models, dev)
    if (dev is None) == (not weight):
        raise ConfigError(wanted="either --dev or a --weight a model", found="both or neither")
    with progress(quiet):
        loaded = tuple(read_model(path) for path in models)
        loaded = loaded if own_vocabularies else share_vocabulary(loaded)
        if dev is None:
            mixture = Mixture(models=loaded, weights=tuple(weight or ()))
        else:
            mixture = fit_mixture(loaded, _texts([dev], tokens))
        result: dict[str, float | str] = {f"weight of {p}": w for p, w in zip(models, mixture.weights, strict=True)}
        if dev is not None:
            result["dev_perplexity"] = measure_perplexity(mixture, _texts([dev], tokens)).perplexity
        if output is not None:
            static = static_model(mixture)
            _write(static, output)
            if dev is not None:
                result["dev_perplexity_of_static_model"] = measure_perplexity(static, _texts([dev], tokens)).perplexity
            result["output"] = str(output)
    show(result, as_json=as_json)


@lm.command()
def prune(
    model: ModelFile,
    output: ModelOutput = STANDARD,
    threshold: Annotated[float | None, typer.Option(min=0, help="Drop what perplexity grows less by.")] = None,
    n_ngrams: Annotated[int | None, typer.Option("--size", min=1, help="Keep so many n-grams.")] = None,
    test: Annotated[Path | None, typer.Option(exists=True, help="Text to report perplexity on.")] = None,
    report_sizes: Annotated[str, typer.Option(help='Sizes to report perplexity at, too: "100000 50000".')] = "",
    tokens: TokensOption = Tokens.WHITESPACE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Drop the n-grams that matter least, by relative entropy, to a threshold or a size."""
    from seedcorn.lm.model_file import read_model
    from seedcorn.lm.perplexity import measure_perplexity
    from seedcorn.lm.pruning import perplexity_by_size, prune_by_entropy

    refuse_overwriting(output, model, test)
    with progress(quiet):
        full = read_model(model)
        pruned = prune_by_entropy(full, threshold=threshold, n_ngrams=n_ngrams)
        _write(pruned, output)
        result: dict[str, float | str] = {"n_ngrams_before": sum(full.n_ngrams), "n_ngrams": sum(pruned.n_ngrams)}
        if test is not None:
            test_texts = list(_texts([test], tokens))
            result["perplexity_before"] = measure_perplexity(full, test_texts).perplexity
            result["perplexity"] = measure_perplexity(pruned, test_texts).perplexity
            for point in perplexity_by_size(full, test_texts, sizes=_numbers(report_sizes, "--report-sizes")):
                result[f"perplexity of {point.n_ngrams} n-grams"] = point.perplexity
    if output != STANDARD:
        show({**result, "output": str(output)}, as_json=as_json)


@lm.command()
def info(model: ModelFile, as_json: AsJson = False) -> None:
    """Describe a model: order, words, n-grams."""
    from seedcorn.lm.model_file import is_model_file, read_model

    loaded = read_model(model)
    kind = FileFormat.BINARY if is_model_file(model) else FileFormat.ARPA
    show({"format": str(kind), **_facts(loaded)}, as_json=as_json)


def _texts(files: list[Path] | None, tokens: Tokens) -> "Iterator[Texts]":
    from seedcorn.lm.text_files import read_texts

    for file in files or [STANDARD]:
        yield from read_texts(file, normalised=tokens is Tokens.WORDS)


def _numbers(written: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in written.replace(",", " ").split())
    except ValueError as error:
        raise ConfigError(wanted=f"whole numbers as {option}", found=f"'{written}'") from error


def _write(model: "NgramModel", output: Path) -> None:
    from seedcorn.lm.arpa_writing import arpa_blocks, write_arpa
    from seedcorn.lm.model_file import write_model

    if output == STANDARD:
        for block in arpa_blocks(model):
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    elif ".arpa" in output.suffixes[-2:]:
        write_arpa(model, output)
    else:
        write_model(model, output)


def _facts(model: "NgramModel") -> dict[str, int]:
    counts = {f"n_{order}_grams": count for order, count in enumerate(model.n_ngrams, 1)}
    return {"order": model.order, "n_words": len(model.vocabulary), **counts}


def _describe(model: "NgramModel", output: Path, as_json: bool) -> None:
    if output != STANDARD:  # standard output is the model then
        show({**_facts(model), "output": str(output)}, as_json=as_json)
