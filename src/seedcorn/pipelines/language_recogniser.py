"""The recogniser that tests every language model: posteriors from disk, from recordings or from the test bed."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.text import words
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.files import digest_of_file
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.pipelines.corpus_files import resolved_path
from seedcorn.pipelines.language_systems import own_words
from seedcorn.runs import digest_of_json
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.decoding import DecoderSettings, decode
from seedcorn.speech.fusion import WeightedModel
from seedcorn.speech.lexicon import Lexicon, Unspellable, build_lexicon
from seedcorn.speech.posteriors import Posteriors, subset
from seedcorn.speech.tuning import tune_weights


class TestBedSize(StrEnum):
    """The size of the built-in test bed: tiny in a minute, small in an hour."""

    __test__ = False  # pytest would take it for tests

    TINY = "tiny"
    SMALL = "small"


class TestBedChoice(Settings):
    """A recogniser trained on synthetic speech: the target side of the general pairs, words shuffled, is its text.

    ``voice`` is what espeak-ng calls the language. Dev and test are spoken by voices unseen in training, in noise at
    ``snr_db`` (lowest and highest).
    """

    __test__ = False

    size: TestBedSize = TestBedSize.TINY
    voice: str = "hi"
    word_boundary: bool = True
    snr_db: tuple[float, float] = (15.0, 30.0)
    n_sentences: int | None = Field(None, ge=1)
    n_epochs: int | None = Field(None, ge=1)


class SpeechFiles(Settings):
    """Dev and test as a recogniser heard them: posteriors, or manifests of recordings with a recogniser to hear them.

    See ``seedcorn speech decode`` for the formats; utterances are matched by id.
    """

    dev: str
    test: str
    symbols: str | None = None
    acoustic_model: str | None = None
    checkpoint: str = ""


class Tuning(StrEnum):
    """For which systems the decoder's weights are tuned on dev; what is not tuned takes the weights given."""

    NONE = "none"
    ONCE = "once"  # for the baseline, and held fixed for all systems
    EACH = "each"


class DecoderChoice(Settings):
    """Beam and weights of the decoder; weights are tuned on the first ``n_tuning`` utterances of dev (0: all)."""

    beam_size: int = Field(100, ge=1)
    lm_weight: float = Field(0.8, ge=0)
    word_bonus: float = 0.5
    tuning: Tuning = Tuning.ONCE
    n_tuning: int = Field(0, ge=0)
    fixed_lexicon: bool = True
    n_threads: int = Field(1, ge=1)

    def settings(self) -> DecoderSettings:
        """Return the settings that decoding, or tuning, starts from."""
        return DecoderSettings(lm_weight=self.lm_weight, word_bonus=self.word_bonus, beam_size=self.beam_size)


class RecogniserSettings(Settings):
    """Either the built-in ``test_bed`` or ``files`` of another recogniser, and how to decode."""

    test_bed: TestBedChoice | None = None
    files: SpeechFiles | None = None
    decoder: DecoderChoice = DecoderChoice()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.test_bed is None) == (self.files is None):
            raise ValueError("give either 'test_bed' or 'files'")
        return self


def speech_digests(files: SpeechFiles, *, relative_to: Path) -> dict[str, str]:
    """Return the digest of everything that ``read_speech`` reads, the audio files of manifests included.

    Raises ConfigError for a path that does not exist, DataError for a manifest with missing files.
    """
    from seedcorn.speech.recordings import read_manifest
    from seedcorn.speech.sources import is_manifest

    named = {
        "dev speech": files.dev,
        "test speech": files.test,
        "acoustic model": files.acoustic_model,
        "symbols": files.symbols,
    }
    paths = {name: resolved_path(path, relative_to=relative_to) for name, path in named.items() if path}
    digests = {name: digest_of_file(path) for name, path in paths.items()}
    for name in ("dev speech", "test speech"):
        if is_manifest(paths[name]):
            digests[f"{name}, audio"] = digest_of_json([digest_of_file(r.audio) for r in read_manifest(paths[name])])
    return digests


def read_speech(files: SpeechFiles, partition: str, *, relative_to: Path) -> Posteriors:
    """Return the posteriors of dev or test."""
    from seedcorn.speech.sources import read_source

    symbols, acoustic_model = (
        None if path is None else resolved_path(path, relative_to=relative_to)
        for path in (files.symbols, files.acoustic_model)
    )
    path = resolved_path(files.dev if partition == "dev" else files.test, relative_to=relative_to)
    return read_source(path, acoustic_model=acoustic_model, checkpoint=files.checkpoint, symbols=symbols)


def speech_of(posteriors: Posteriors, utterances: Sequence[Utterance]) -> Posteriors:
    """Return the posteriors of ``utterances``, in their order. Raises DataError naming an utterance without any."""
    row_of = {utterance_id: row for row, utterance_id in enumerate(posteriors.ids)}
    missing = [u.id for u in utterances if u.id not in row_of]
    if missing:
        raise DataError(
            wanted="speech of every utterance",
            found=f"none of {len(missing)}, for example '{missing[0]}'",
            fix="Utterances and their speech meet by id.",
        )
    return subset(posteriors, [row_of[u.id] for u in utterances])


def lexicon_of(vocabulary: Sequence[str], alphabet: Alphabet) -> Lexicon:
    """Return the lexicon of all words that the recogniser can spell; Latin words also as they sound in Devanagari."""
    from seedcorn.translation.transliteration import transliterate

    latin = [word for word in vocabulary if any("a" <= letter <= "z" for letter in word)]
    spoken_as = {word: (word, transliterate(word)) for word in latin}
    return build_lexicon(vocabulary, alphabet=alphabet, spoken_as=spoken_as, on_unspellable=Unspellable.LEAVE_OUT)


def recognised(speech: Posteriors, model: NgramModel, *, settings: DecoderSettings, n_threads: int) -> list[str]:
    """Return what is understood of ``speech`` with the words and the probabilities of ``model``."""
    lexicon = lexicon_of(own_words(model), speech.alphabet)
    found = decode(
        speech.logps, lexicon=lexicon, models=[WeightedModel(model=model)], settings=settings, n_threads=n_threads
    )
    return [" ".join(hypotheses[0].words) for hypotheses in found]


def tuned_decoder(
    speech: Posteriors, dev: Sequence[Utterance], model: NgramModel, *, choice: DecoderChoice
) -> DecoderSettings:
    """Return the decoder settings with the fewest word errors on dev, among them those given."""
    n_used = choice.n_tuning or len(dev)
    return tune_weights(
        speech.logps[:n_used],
        [" ".join(words(u.text)) for u in dev[:n_used]],
        lexicon=lexicon_of(own_words(model), speech.alphabet),
        models=[WeightedModel(model=model)],
        settings=choice.settings(),
        n_threads=choice.n_threads,
    ).settings
