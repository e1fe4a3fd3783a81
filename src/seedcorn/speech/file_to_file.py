"""Decoding from files to files: what the commands of ``seedcorn speech`` call."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seedcorn.errors import ConfigError, DataError, SeedcornWarning
from seedcorn.evaluation.wer import paired_by_id
from seedcorn.lm.model_file import is_model_file, read_model
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.speech.acoustic import greedy_text, load_acoustic_model
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.decoding import decode
from seedcorn.speech.fusion import WeightedModel, character_oov_logps, check_mixture, unigram_floor
from seedcorn.speech.hypothesis_files import write_hypotheses, write_texts
from seedcorn.speech.lexicon import Lexicon, build_lexicon, read_spoken_as
from seedcorn.speech.posteriors import SECONDS_PER_FOREIGN_STEP, Posteriors, read_symbols
from seedcorn.speech.settings import DecoderSettings, OovModel, Unspellable
from seedcorn.speech.sources import read_source
from seedcorn.speech.transcripts import read_transcripts
from seedcorn.speech.tuning import tune_weights

N_SPECIAL_WORDS = 3  # <unk>, <s> and </s> come first in every model
N_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class SpeechFiles:
    """Posteriors, or recordings with what recognises them; see speech.sources.read_source."""

    source: Path
    acoustic_model: Path | None = None
    checkpoint: str = ""
    symbols: Path | None = None
    seconds_per_step: float | None = None

    def read(self) -> Posteriors:
        """Return the posteriors."""
        return read_source(
            self.source,
            acoustic_model=self.acoustic_model,
            checkpoint=self.checkpoint,
            symbols=self.symbols,
            seconds_per_step=self.seconds_per_step or SECONDS_PER_FOREIGN_STEP,
        )


@dataclass(frozen=True, kw_only=True)
class LanguageFiles:
    """The language models, mixed by ``weights`` (evenly if absent), and the words of the lexicon (theirs if absent)."""

    models: Sequence[Path]
    weights: Sequence[float] | None = None
    words: Path | None = None
    spoken_as: Path | None = None
    unspellable: Unspellable = Unspellable.LEAVE_OUT
    oov: OovModel = OovModel.UNKNOWN

    def read(self) -> list[tuple[NgramModel, float]]:
        """Return the models with their weights. Raises ConfigError for weights that do not fit."""
        weights = self.weights or [1 / len(self.models)] * len(self.models)
        if len(weights) != len(self.models):
            raise ConfigError(wanted="a --mixture-weight for each --lm", found=f"{len(weights)} for {len(self.models)}")
        check_mixture(weights)
        return [(read_model(path), weight) for path, weight in zip(self.models, weights, strict=True)]

    def spelt(
        self, mixture: Sequence[tuple[NgramModel, float]], alphabet: Alphabet
    ) -> tuple[Lexicon, list[WeightedModel]]:
        """Return the lexicon in symbols of ``alphabet``, and the models of ``mixture`` over it."""
        own = [word for model, _ in mixture for word in model.words[N_SPECIAL_WORDS:]]
        words = own if self.words is None else read_words(self.words)
        lexicon = spelt_lexicon(alphabet, words, self.spoken_as, self.unspellable)
        spread = {OovModel.FLOOR: unigram_floor, OovModel.CHARACTERS: character_oov_logps}.get(self.oov)
        return lexicon, [
            WeightedModel(model=model, weight=weight, oov_logps=spread(lexicon, model) if spread else None)
            for model, weight in mixture
        ]


@dataclass(frozen=True, kw_only=True)
class DecodedFile:
    """How many utterances were decoded, with how many words, and the settings (tuned or given)."""

    n_utterances: int
    n_lexicon_words: int
    settings: DecoderSettings


def decode_file(
    speech: SpeechFiles,
    output: Path,
    *,
    language: LanguageFiles,
    settings: DecoderSettings,
    tune: Path | None = None,
    n_threads: int = 1,
) -> DecodedFile:
    """Write what is recognised, the weights tuned on the transcripts in ``tune`` where there are some.

    Raises ConfigError and DataError for what does not fit, before hours of recognising.
    """
    mixture = language.read()
    posteriors = speech.read()
    lexicon, models = language.spelt(mixture, posteriors.alphabet)
    if tune is not None:
        references = read_transcripts(tune)
        paired_by_id(references, dict.fromkeys(posteriors.ids, ""))
        settings = tune_weights(
            posteriors.logps,
            [references[i] for i in posteriors.ids],
            lexicon=lexicon,
            models=models,
            settings=settings,
            n_threads=n_threads,
        ).settings
    found = decode(posteriors.logps, lexicon=lexicon, models=models, settings=settings, n_threads=n_threads)
    write_hypotheses(
        output, posteriors.ids, found, alphabet=posteriors.alphabet, seconds_per_step=posteriors.seconds_per_step
    )
    return DecodedFile(n_utterances=len(found), n_lexicon_words=len(lexicon.words), settings=settings)


def decode_file_greedily(speech: SpeechFiles, output: Path) -> int:
    """Write the likeliest symbol of each step as text, and return how many utterances there are."""
    posteriors = speech.read()
    write_texts(output, posteriors.ids, [greedy_text(logps, posteriors.alphabet) for logps in posteriors.logps])
    return len(posteriors.ids)


def spelt_lexicon(
    alphabet: Alphabet, words: Sequence[str], spoken_as: Path | None, unspellable: Unspellable
) -> Lexicon:
    """Return the lexicon of ``words``; those left out are told in a SeedcornWarning."""
    spoken = read_spoken_as(spoken_as) if spoken_as is not None else None
    lexicon = build_lexicon(words, alphabet=alphabet, spoken_as=spoken, on_unspellable=unspellable)
    if lexicon.left_out:
        shown = ", ".join(lexicon.left_out[:N_SHOWN])
        text = f"{len(lexicon.left_out)} words that the alphabet cannot spell are left out of the lexicon ({shown})"
        warnings.warn(text, SeedcornWarning, stacklevel=2)
    return lexicon


def read_words(path: Path) -> list[str]:
    """Return the words of a language model, or of a text with a word in each line."""
    if is_model_file(path) or ".arpa" in path.suffixes:
        return read_model(path).words[N_SPECIAL_WORDS:]
    try:
        return path.read_text("utf-8-sig").split()
    except UnicodeDecodeError as error:
        raise DataError(wanted="a list of words in UTF-8", found=str(error), where=path) from error


def alphabet_of(acoustic_model: Path | None, symbols: Path | None) -> Alphabet:
    """Return the symbols of an acoustic model, or those in a file. Raises ConfigError for both or neither."""
    if (acoustic_model is None) == (symbols is None):
        raise ConfigError(wanted="either --acoustic-model or --symbols", found="both or neither")
    return read_symbols(symbols) if symbols is not None else load_acoustic_model(Path(str(acoustic_model))).alphabet
