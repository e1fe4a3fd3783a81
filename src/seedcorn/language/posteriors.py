"""What a recogniser makes of dev and test: posteriors of synthetic speech, or of files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, ValidationInfo, field_validator

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.input_files import InputFile
from seedcorn.language.data import LanguageData
from seedcorn.language.pairs import CleanPairs
from seedcorn.pretrained import Checkpoint
from seedcorn.runs import Context, Stage
from seedcorn.speech.posteriors import Posteriors, read_posteriors, subset
from seedcorn.speech.recordings import read_manifest
from seedcorn.speech.settings import TestBedSize
from seedcorn.speech.sources import is_manifest, read_source

if TYPE_CHECKING:
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
    """Train a recogniser on synthetic speech, and emit its posteriors of dev and test.

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
        from seedcorn.speech.test_bed import sized_test_bed, synthesise_and_emit, train_test_bed

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
            synthesise_and_emit(
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
    """Read dev and test by a recogniser: posteriors, or manifests of recordings and a recogniser.

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
        given_files = [file for name in ("dev", "test") if (file := info.data.get(name)) is not None]
        return tuple(recording for file in given_files for recording in recordings_of(file))

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


def recordings_of(file: InputFile) -> tuple[InputFile, ...]:
    """Return the audio files of a manifest, none of posteriors. Raises DataError for one that is missing."""
    if not is_manifest(file.path):
        return ()
    return tuple(InputFile.at(recording.audio) for recording in read_manifest(file.path))


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
