"""The recogniser that tests every language model: posteriors of dev and test, decoder weights, decoding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, ValidationInfo, field_validator, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.text import words
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.files import InputFile, write_json
from seedcorn.language.data import CleanPairs, LanguageData
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.pretrained import Checkpoint
from seedcorn.runs import Context, Stage
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.decoding import decode
from seedcorn.speech.fusion import WeightedModel
from seedcorn.speech.lexicon import Lexicon, build_lexicon
from seedcorn.speech.posteriors import Posteriors, read_posteriors, subset
from seedcorn.speech.recordings import read_manifest
from seedcorn.speech.settings import DecoderSettings, TestBedSize, Unspellable
from seedcorn.speech.sources import is_manifest, read_source
from seedcorn.speech.tuning import tune_weights

if TYPE_CHECKING:
    from seedcorn.language.models import SystemModel
    from seedcorn.speech.acoustic import AcousticModel


@dataclass(frozen=True, kw_only=True)
class SpeechPosteriors:
    """What the acoustic model makes of dev and test, in the order of the utterances; the model where we trained it."""

    dev: Posteriors
    test: Posteriors
    model: "AcousticModel | None" = None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances there are."""
        return {"n_dev": len(self.dev.ids), "n_test": len(self.test.ids)}

    def save(self, folder: Path) -> None:
        """Write both sets, and the acoustic model."""
        self.dev.save(folder / "dev.npz")
        self.test.save(folder / "test.npz")
        if self.model is not None:
            self.model.save(folder / "acoustic.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the posteriors; the acoustic model is for others to read."""
        return cls(dev=read_posteriors(folder / "dev.npz"), test=read_posteriors(folder / "test.npz"))


class SynthesiseSpeech(Stage[SpeechPosteriors]):
    """Train a recogniser on synthetic speech, and let it hear dev and test.

    The target side of the general pairs, words shuffled, is the text it is trained on. ``voice`` is what espeak-ng
    calls the language, by default the code of the target language. Dev and test are spoken by voices unseen in
    training, in noise at ``snr_db`` (lowest and highest).
    """

    stage_name: ClassVar[str] = "posteriors"

    size: TestBedSize = TestBedSize.TINY
    voice: str = ""
    word_boundary: bool = True
    snr_db: tuple[float, float] = (15.0, 30.0)
    n_sentences: int | None = Field(None, ge=1)
    n_epochs: int | None = Field(None, ge=1)

    def __call__(self, data: LanguageData, clean: CleanPairs, *, context: Context) -> SpeechPosteriors:
        """Return the posteriors of dev and test."""
        from seedcorn.speech.synthesis import voice_of
        from seedcorn.speech.test_bed import sized_test_bed, speak_and_emit, train_test_bed

        voice = self.voice or voice_of(data.target_lang)
        with context.working_folder() as checkpoints:
            model = train_test_bed(
                [text for batch in clean.pairs.batches() for text in batch.column("target").to_pylist()],
                lang=voice,
                settings=sized_test_bed(self.size, n_sentences=self.n_sentences, n_epochs=self.n_epochs),
                word_boundary=self.word_boundary,
                random_seed=context.random_seed,
                checkpoints=checkpoints,
            )
        dev, test = (
            speak_and_emit(
                model,
                [u.text for u in utterances],
                ids=[u.id for u in utterances],
                lang=voice,
                snr_range_db=self.snr_db,
                random_seed=context.random_seed + number,
            )
            for number, utterances in enumerate((data.dev, data.test), start=1)
        )
        return SpeechPosteriors(dev=dev, test=test, model=model)


class ReadSpeech(Stage[SpeechPosteriors]):
    """Read dev and test as a recogniser heard them: posteriors, or manifests of recordings and a recogniser.

    See ``seedcorn speech decode`` for the formats; utterances are matched by id. ``recordings`` are the audio files of
    the manifests, found in them.
    """

    stage_name: ClassVar[str] = "posteriors"
    is_random: ClassVar[bool] = False

    dev: InputFile
    test: InputFile
    symbols: InputFile | None = None
    acoustic_model: InputFile | None = None
    checkpoint: Checkpoint | None = None
    recordings: tuple[InputFile, ...] = Field((), validate_default=True)

    @field_validator("recordings", mode="after")
    @classmethod
    def _of_the_manifests(cls, given: tuple[InputFile, ...], info: ValidationInfo) -> tuple[InputFile, ...]:
        """Name every audio file, so that its content counts. Raises DataError for one that is missing."""
        manifests = [
            f.path for name in ("dev", "test") if (f := info.data.get(name)) is not None and is_manifest(f.path)
        ]
        return tuple(InputFile.at(recording.audio) for path in manifests for recording in read_manifest(path))

    def __call__(self, data: LanguageData, *, context: Context) -> SpeechPosteriors:
        """Return the posteriors of dev and test. Raises DataError naming an utterance without any."""
        dev, test = (
            posteriors_of(
                read_source(
                    file.path,
                    acoustic_model=None if self.acoustic_model is None else self.acoustic_model.path,
                    checkpoint=str(self.checkpoint or ""),
                    symbols=None if self.symbols is None else self.symbols.path,
                ),
                utterances,
            )
            for file, utterances in ((self.dev, data.dev), (self.test, data.test))
        )
        return SpeechPosteriors(dev=dev, test=test)


def posteriors_of(posteriors: Posteriors, utterances: Sequence[Utterance]) -> Posteriors:
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


class Tuning(StrEnum):
    """For which systems the decoder's weights are tuned on dev; what is not tuned takes the weights given."""

    NONE = "none"
    ONCE = "once"  # for the baseline, and held fixed for all systems
    EACH = "each"


class Decoder(DecoderSettings):
    """Beam and weights of the decoder; weights are tuned on the first ``n_tuning`` utterances of dev (0: all).

    With ``fixed_lexicon`` every system is also decoded with the words that all systems know together.
    """

    tuning: Tuning = Tuning.ONCE
    n_tuning: int = Field(0, ge=0)
    fixed_lexicon: bool = True


class Recogniser(Settings):
    """Either the built-in ``test_bed`` or ``files`` of another recogniser, and how to decode."""

    test_bed: SynthesiseSpeech | None = None
    files: ReadSpeech | None = None
    decoder: Decoder = Decoder()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.test_bed is None) == (self.files is None):
            raise ValueError("give either 'test_bed' or 'files'")
        return self


@dataclass(frozen=True, kw_only=True)
class DecoderWeights:
    """The settings to decode with, their weights tuned or given."""

    settings: DecoderSettings

    @property
    def counts(self) -> Mapping[str, int]:
        """Nothing is counted."""
        return {}

    def save(self, folder: Path) -> None:
        """Write the settings as JSON."""
        write_json(self.settings.model_dump(), folder / "weights.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(settings=DecoderSettings.model_validate_json((folder / "weights.json").read_text("utf-8")))


class TuneDecoder(Stage[DecoderWeights]):
    """Find the decoder's weights with the fewest word errors on dev, or take those given."""

    is_random: ClassVar[bool] = False

    decoder: Decoder = Decoder()

    def __call__(
        self, data: LanguageData, heard: SpeechPosteriors, system: "SystemModel", *, context: Context
    ) -> DecoderWeights:
        """Return the settings that are best for ``system``."""
        settings = DecoderSettings(**self.decoder.model_dump(include=set(DecoderSettings.model_fields)))
        if self.decoder.tuning is Tuning.NONE:
            return DecoderWeights(settings=settings)
        n_used = self.decoder.n_tuning or len(data.dev)
        found = tune_weights(
            heard.dev.logps[:n_used],
            [" ".join(words(u.text)) for u in data.dev[:n_used]],
            lexicon=lexicon_of(system.words, heard.dev.alphabet),
            models=[WeightedModel(model=system.model)],
            settings=settings,
            n_threads=context.n_threads,
        )
        return DecoderWeights(settings=found.settings)


@dataclass(frozen=True, kw_only=True)
class Hypotheses:
    """What was recognised of each test utterance; words that the recogniser cannot spell were left out."""

    ids: list[str]
    texts: list[str]
    n_not_spelt: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances there are, and how many words the recogniser cannot say."""
        return {"n_test": len(self.texts), "n_words_not_spelt": self.n_not_spelt}

    def save(self, folder: Path) -> None:
        """Write one row an utterance."""
        pq.write_table(pa.table({"id": self.ids, "text": self.texts}), folder / "hypotheses.parquet")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        table = pq.read_table(folder / "hypotheses.parquet")
        return cls(ids=table.column("id").to_pylist(), texts=table.column("text").to_pylist())


class Decode(Stage[Hypotheses]):
    """Decode test with the words and the probabilities of one language model."""

    is_random: ClassVar[bool] = False

    def __call__(
        self, heard: SpeechPosteriors, weights: DecoderWeights, system: "SystemModel", *, context: Context
    ) -> Hypotheses:
        """Return what is recognised of each test utterance."""
        lexicon = lexicon_of(system.words, heard.test.alphabet)
        texts = recognise(heard.test, system.model, lexicon, settings=weights.settings, n_threads=context.n_threads)
        return Hypotheses(ids=list(heard.test.ids), texts=texts, n_not_spelt=len(lexicon.left_out))


def recognise(
    speech: Posteriors, model: NgramModel, lexicon: Lexicon, *, settings: DecoderSettings, n_threads: int
) -> list[str]:
    """Return what is understood of ``speech`` with the words of ``lexicon`` and the probabilities of ``model``."""
    found = decode(
        speech.logps, lexicon=lexicon, models=[WeightedModel(model=model)], settings=settings, n_threads=n_threads
    )
    return [" ".join(hypotheses[0].words) for hypotheses in found]


def lexicon_of(vocabulary: Sequence[str], alphabet: Alphabet) -> Lexicon:
    """Return the lexicon of all words that the recogniser can spell; Latin words also as they sound in Devanagari."""
    from seedcorn.translation.transliteration import transliterate

    latin = [word for word in vocabulary if any("a" <= letter <= "z" for letter in word)]
    spoken_as = {word: (word, transliterate(word)) for word in latin}
    return build_lexicon(vocabulary, alphabet=alphabet, spoken_as=spoken_as, on_unspellable=Unspellable.LEAVE_OUT)
