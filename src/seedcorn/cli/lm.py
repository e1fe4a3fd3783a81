"""``seedcorn lm``: estimate, score, measure, interpolate, prune and describe n-gram language models."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.options import AsJson, Engine, Quiet, Shown, progress, show
from seedcorn.errors import ConfigError
from seedcorn.streams import is_stream

if TYPE_CHECKING:
    from seedcorn.lm.ngram_model import NgramModel
    from seedcorn.lm.text_buffers import Texts

lm = typer.Typer(help="Estimate, score, mix and prune n-gram language models.", no_args_is_help=True)
app.add_typer(lm, name="lm")

STANDARD = Path("-")
_BYTES_OF_UNIT = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)B?", re.ASCII | re.IGNORECASE)


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


@dataclass(frozen=True, kw_only=True)
class EstimateOptions(Shown):
    """The text of a model, its order and words, and the memory to use."""

    texts: TextFiles = None
    output: ModelOutput = STANDARD
    order: Annotated[int, typer.Option(min=1, max=6, help="Length of the longest n-grams.")] = 3
    prune: Annotated[str, typer.Option(help='Drop n-grams seen so often or less, an order each: "0 0 1".')] = "0"
    vocabulary: Annotated[Path | None, typer.Option(exists=True, help="A file of the words to know.")] = None
    max_words: Annotated[int | None, typer.Option(min=1, help="Know only so many words, the most frequent.")] = None
    memory: Annotated[str, typer.Option(help="What counting may take before it spills to disk: 2G, 500M.")] = "2G"
    temporary: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, writable=True, help="Where to spill: beside the output."),
    ] = None
    tokens: TokensOption = Tokens.WHITESPACE
    threads: Annotated[int, typer.Option(min=1, help="Threads that count, or processors of a Ray cluster here.")] = 1
    engine: Engine = "local"


@lm.command()
@command_of
def estimate(options: EstimateOptions) -> None:
    """Estimate a modified Kneser-Ney model."""
    from seedcorn.engines import LOCAL, mapper_of
    from seedcorn.lm.counts import Counting
    from seedcorn.lm.kneser_ney import estimate as estimate_model

    at_once = options.engine != LOCAL or options.threads > 1
    with progress(options.quiet):
        model = estimate_model(
            texts_of(options.texts, options.tokens),
            order=options.order,
            prune=numbers(options.prune, "--prune"),
            vocabulary=None if options.vocabulary is None else options.vocabulary.read_text("utf-8").split(),
            max_words=options.max_words,
            counting=Counting(
                n_memory_bytes=n_bytes(options.memory, "--memory"),
                folder=options.temporary or _folder_beside(options.output),
                mapper=mapper_of(options.engine, n_workers=options.threads) if at_once else None,
            ),
        )
        write_to(model, options.output)
    _describe(model, options.output, options.as_json)


@lm.command()
def score(
    model: ModelFile,
    texts: TextFiles = None,
    by_word: Annotated[bool, typer.Option("--words", help="Show the score of every word.")] = False,
    tokens: TokensOption = Tokens.WHITESPACE,
    engine: Engine = "local",
    threads: Annotated[int, typer.Option(min=1, help="Batches at a time, or processors of a Ray cluster here.")] = 1,
    quiet: Quiet = False,
) -> None:
    """Print a line a sentence: log10 probability, unknown words, text. With --words a line a word."""
    from seedcorn.engines import mapper_of
    from seedcorn.lm.model_file import read_model
    from seedcorn.lm.score_lines import sentence_lines, word_lines

    lines = word_lines if by_word else sentence_lines
    with progress(quiet):
        mapper = mapper_of(engine, n_workers=threads)
        for block in mapper(partial(lines, read_model(model)), texts_of(texts, tokens)):
            sys.stdout.write(block)


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
        counts = measure_perplexity(read_model(model), texts_of(texts, tokens))
    names = ("n_sentences", "n_words", "n_oov", "perplexity", "perplexity_without_oov")
    show({name: getattr(counts, name) for name in names}, as_json=as_json)


@lm.command()
def info(model: ModelFile, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Describe a model: order, words, n-grams."""
    from seedcorn.lm.model_file import is_model_file, read_model

    with progress(quiet):
        loaded = read_model(model)
    kind = FileFormat.BINARY if is_model_file(model) else FileFormat.ARPA
    show({"format": str(kind), **_facts(loaded)}, as_json=as_json)


def texts_of(files: list[Path] | None, tokens: Tokens) -> "Iterator[Texts]":
    """Yield the sentences of the files, or of standard input."""
    from seedcorn.lm.text_files import read_texts

    for file in files or [STANDARD]:
        yield from read_texts(file, normalised=tokens is Tokens.WORDS)


def numbers(written: str, option: str) -> tuple[int, ...]:
    """Return the whole numbers that an option lists. Raises ConfigError for others."""
    try:
        return tuple(int(part) for part in written.replace(",", " ").split())
    except ValueError as error:
        raise ConfigError(wanted=f"whole numbers as {option}", found=f"'{written}'") from error


def n_bytes(written: str, option: str) -> int:
    """Return the bytes of a size such as 2G or 500M, megabytes without a unit. Raises ConfigError for others."""
    found = _SIZE.fullmatch(written)
    size = 0 if found is None else int(float(found[1]) * _BYTES_OF_UNIT[found[2].upper() or "M"])
    if size < 1:
        raise ConfigError(wanted=f"a size such as 2G or 500M as {option}", found=f"'{written}'")
    return size


def _folder_beside(output: Path) -> Path | None:
    """Return the folder of the output; None for a pipe, and where there is none yet."""
    return None if is_stream(output) or not output.parent.is_dir() else output.parent


def write_to(model: "NgramModel", output: Path) -> None:
    """Write ``model`` as its name says, or as ARPA to standard output."""
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
