"""``seedcorn speech``: train a test recogniser, decode speech or posteriors, export for other recognisers."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.options import (
    AsJson,
    InputFile,
    OutputFile,
    Quiet,
    RandomSeed,
    Shown,
    progress,
    refuse_overwriting,
    show,
)
from seedcorn.errors import ConfigError
from seedcorn.speech.settings import DecoderSettings, OovModel, TestBedSize, Unspellable

if TYPE_CHECKING:
    from seedcorn.files import Json
    from seedcorn.speech.file_to_file import SpeechFiles

speech = typer.Typer(help="Train a test recogniser, decode, measure word error rates.", no_args_is_help=True)
app.add_typer(speech, name="speech")

SpokenAs: TypeAlias = Annotated[
    Path | None, typer.Option(exists=True, help="How words are spoken: lines of word, tab, spelling.")
]
UnspellableWords: TypeAlias = Annotated[Unspellable, typer.Option(help="What to do with words that cannot be spelt.")]


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Shown):
    """What the test recogniser is trained on, and its size."""

    texts: InputFile
    output: OutputFile
    lang: Annotated[str, typer.Option(help="The language as espeak-ng names it, as hi or en-us.")]
    size: Annotated[
        TestBedSize, typer.Option(help="tiny: a minute; small: 40 minutes of a core with bfloat16, 2.5 hours without.")
    ] = TestBedSize.SMALL
    spaces: Annotated[bool, typer.Option(help="Whether the language writes spaces between words.")] = True
    checkpoints: Annotated[Path | None, typer.Option(help="A folder to resume an interrupted training from.")] = None
    random_seed: RandomSeed = 0


@speech.command()
@command_of
def train(options: TrainOptions) -> None:
    """Train a small CTC network on sentences of TEXTS, words shuffled, spoken by a synthesiser."""
    from seedcorn.corpus.formats import read_texts
    from seedcorn.speech.test_bed import sized_test_bed, train_test_bed

    with progress(options.quiet):
        if options.checkpoints is not None:
            options.checkpoints.mkdir(parents=True, exist_ok=True)
        model = train_test_bed(
            read_texts(options.texts),
            lang=options.lang,
            settings=sized_test_bed(options.size),
            word_boundary=options.spaces,
            random_seed=options.random_seed,
            checkpoints=options.checkpoints,
        )
        model.save(options.output)
    show({"symbols": len(model.alphabet), "output": str(options.output)}, as_json=options.as_json)


@dataclass(frozen=True, kw_only=True)
class DecodeOptions(Shown):
    """What is decoded, with which language models and words, and the weights of the search."""

    source: InputFile
    output: OutputFile
    lm: Annotated[
        list[Path] | None, typer.Option(exists=True, help="A language model; several are mixed. None: greedy decoding.")
    ] = None
    mixture_weight: Annotated[list[float] | None, typer.Option(help="A weight for each --lm, summing to 1.")] = None
    acoustic_model: Annotated[Path | None, typer.Option(exists=True, help="A model of 'speech train'.")] = None
    checkpoint: Annotated[str, typer.Option(help="A CTC checkpoint of transformers, by name or folder.")] = ""
    symbols: Annotated[Path | None, typer.Option(exists=True, help="The symbols of foreign posteriors.")] = None
    seconds_per_step: Annotated[
        float | None, typer.Option(min=0, help="Time between the steps of foreign posteriors; default: 0.02.")
    ] = None
    words: Annotated[Path | None, typer.Option(exists=True, help="The words of the lexicon; default: the models'.")] = (
        None
    )
    spoken_as: SpokenAs = None
    unspellable: UnspellableWords = Unspellable.LEAVE_OUT
    oov: Annotated[OovModel, typer.Option(help="What words outside a language model get.")] = OovModel.UNKNOWN
    lm_weight: Annotated[float, typer.Option(min=0, help="Weight of the language model.")] = 0.8
    word_bonus: Annotated[float, typer.Option(help="Bonus of each word.")] = 0.5
    beam_size: Annotated[int, typer.Option(min=1, help="Hypotheses kept at each step.")] = 100
    n_best: Annotated[int, typer.Option(min=1, help="Hypotheses written for each utterance.")] = 1
    tune: Annotated[Path | None, typer.Option(exists=True, help="Transcripts of SOURCE to tune the weights on.")] = None
    threads: Annotated[int, typer.Option(min=0, help="Threads; 0: all cores.")] = 0

    @property
    def speech(self) -> "SpeechFiles":
        """What is decoded."""
        from seedcorn.speech.file_to_file import SpeechFiles

        return SpeechFiles(
            source=self.source,
            acoustic_model=self.acoustic_model,
            checkpoint=self.checkpoint,
            symbols=self.symbols,
            seconds_per_step=self.seconds_per_step,
        )

    @property
    def settings(self) -> DecoderSettings:
        """The weights and limits of the search."""
        return DecoderSettings(
            lm_weight=self.lm_weight, word_bonus=self.word_bonus, beam_size=self.beam_size, n_best=self.n_best
        )


@speech.command()
@command_of
def decode(options: DecodeOptions) -> None:
    """Decode SOURCE: posteriors (npz, folder of npy), or audio in a Kaldi folder or JSON-lines manifest.

    Audio needs --acoustic-model or --checkpoint. Writes JSON lines with times and scores, .trn or Kaldi text. Without
    --lm the likeliest symbol of each step is taken, and the text alone is written.
    """
    if not options.lm:
        return _decode_greedily(options)
    from seedcorn.speech.file_to_file import LanguageFiles, decode_file

    language = LanguageFiles(
        models=options.lm,
        weights=options.mixture_weight,
        words=options.words,
        spoken_as=options.spoken_as,
        unspellable=options.unspellable,
        oov=options.oov,
    )
    with progress(options.quiet):
        found = decode_file(
            options.speech,
            options.output,
            language=language,
            settings=options.settings,
            tune=options.tune,
            n_threads=options.threads or os.cpu_count() or 1,
        )
    weights = {"lm_weight": found.settings.lm_weight, "word_bonus": found.settings.word_bonus}
    sizes = {"n_utterances": found.n_utterances, "n_lexicon_words": found.n_lexicon_words}
    show({**sizes, **weights, "output": str(options.output)}, as_json=options.as_json)
    return None


def _decode_greedily(options: DecodeOptions) -> None:
    from seedcorn.speech.file_to_file import decode_file_greedily

    if options.tune is not None or options.words is not None or options.n_best > 1:
        raise ConfigError(wanted="--lm beside --tune, --words or --n-best", found="none")
    with progress(options.quiet):
        n_utterances = decode_file_greedily(options.speech, options.output)
    result: dict[str, Json] = {"n_utterances": n_utterances, "decoding": "greedy", "output": str(options.output)}
    show(result, as_json=options.as_json)


@speech.command()
def export(
    words: InputFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    acoustic_model: Annotated[Path | None, typer.Option(exists=True, help="A model whose symbols spell.")] = None,
    symbols: Annotated[Path | None, typer.Option(exists=True, help="The symbols to spell with, one a line.")] = None,
    spoken_as: SpokenAs = None,
    unspellable: UnspellableWords = Unspellable.LEAVE_OUT,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write lexicon, word list, symbols and FST text for other recognisers; WORDS is a language model or a list."""
    from seedcorn.speech.export import WRITTEN, write_lexicon_files
    from seedcorn.speech.file_to_file import alphabet_of, read_words, spelt_lexicon

    for name in WRITTEN:
        refuse_overwriting(output / name, words, acoustic_model, symbols, spoken_as)
    with progress(quiet):
        lexicon = spelt_lexicon(alphabet_of(acoustic_model, symbols), read_words(words), spoken_as, unspellable)
        n_states = write_lexicon_files(lexicon, output)
    show({"n_words": len(lexicon.words), "n_states": n_states, "output": str(output)}, as_json=as_json)
