"""The built-in test bed: a small recogniser of any language that espeak-ng speaks, and posteriors of test speech."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seedcorn.corpus.text import words
from seedcorn.errors import DataError
from seedcorn.progress import track
from seedcorn.speech.acoustic import SECONDS_PER_STEP, SMALL, TINY, AcousticModel, NetworkShape, emit
from seedcorn.speech.acoustic_training import (
    SnrRange,
    TrainingSettings,
    train_acoustic_model,
    training_sentences,
    with_noise,
)
from seedcorn.speech.alphabet import alphabet_of
from seedcorn.speech.posteriors import LogPosteriors, Posteriors
from seedcorn.speech.settings import TestBedSize
from seedcorn.speech.synthesis import UTTERANCES_PER_ENGINE, SpeakerSet, random_voices, synthesise
from seedcorn.torch_threads import one_torch_thread


@dataclass(frozen=True, kw_only=True)
class TestBedSettings:
    """The size of a test bed: sentences spoken for training, and the network trained on them."""

    __test__ = False  # pytest would take it for tests

    n_sentences: int
    shape: NetworkShape
    training: TrainingSettings


SMALL_TEST_BED = TestBedSettings(
    n_sentences=20_000,
    shape=SMALL,
    training=TrainingSettings(
        n_epochs=14,
        warps=(0.82, 0.86, 0.9, 0.94, 0.98, 1.0, 1.02, 1.06, 1.1, 1.15, 1.2),
        bf16=True,
    ),
)
TINY_TEST_BED = TestBedSettings(
    n_sentences=400,
    shape=TINY,
    training=TrainingSettings(
        n_epochs=10, peak_learning_rate=5e-3, seconds_per_batch=10.0, snr_range_db=(15.0, 30.0), masked=False
    ),
)


def sized_test_bed(
    size: TestBedSize, *, n_sentences: int | None = None, n_epochs: int | None = None
) -> TestBedSettings:
    """Return the settings of a test bed of ``size``, with another number of sentences or epochs where given."""
    bed = SMALL_TEST_BED if size is TestBedSize.SMALL else TINY_TEST_BED
    training = replace(bed.training, n_epochs=n_epochs or bed.training.n_epochs)
    return replace(bed, n_sentences=n_sentences or bed.n_sentences, training=training)


@one_torch_thread()
def train_test_bed(
    general_texts: Sequence[str],
    *,
    lang: str,
    settings: TestBedSettings,
    word_boundary: bool = True,
    min_count: int = 5,
    random_seed: int,
    checkpoints: Path | None = None,
) -> AcousticModel:
    """Return an acoustic model trained on sentences of ``general_texts``, words shuffled, spoken by training voices.

    Characters that occur less than ``min_count`` times are left out of the alphabet, and sentences with them are not
    trained on. Resumes from ``checkpoints``. Raises DataError when no sentence is left.
    """
    rng = np.random.default_rng(random_seed)
    sentences = training_sentences(general_texts, n_sentences=settings.n_sentences, rng=rng)
    alphabet = alphabet_of(map(words, sentences), word_boundary=word_boundary, min_count=min_count)
    sentences = [s for s in sentences if all(c in alphabet.index_of for c in s.replace(" ", ""))]
    if not sentences:
        raise DataError(wanted="general sentences of 2 to 14 words", found=f"none in {len(general_texts)} texts")
    voices = random_voices(len(sentences), lang=lang, speakers=SpeakerSet.TRAIN, rng=rng)
    return train_acoustic_model(
        synthesise(sentences, voices),
        sentences,
        alphabet=alphabet,
        shape=settings.shape,
        settings=settings.training,
        random_seed=random_seed,
        checkpoints=checkpoints,
    )


@one_torch_thread()
def synthesise_and_emit(
    model: AcousticModel,
    texts: Sequence[str],
    *,
    ids: Sequence[str],
    lang: str,
    snr_range_db: SnrRange,
    random_seed: int,
    speakers: SpeakerSet = SpeakerSet.UNSEEN,
) -> Posteriors:
    """Return the posteriors of ``texts`` spoken by voices unseen in training, in white noise or babble.

    The ratio of each utterance is drawn uniformly from ``snr_range_db``; equal ends give one level.
    """
    rng = np.random.default_rng(random_seed)
    voices = random_voices(len(texts), lang=lang, speakers=speakers, rng=rng)
    logps: list[LogPosteriors] = []
    starts = range(0, len(texts), UTTERANCES_PER_ENGINE)
    for start in track(starts, f"batches of {UTTERANCES_PER_ENGINE} test utterances", total=len(starts)):
        part = slice(start, start + UTTERANCES_PER_ENGINE)
        spoken = synthesise(texts[part], voices[part])
        logps += emit(
            model, [with_noise(spoken, row, snr_range_db=snr_range_db, rng=rng) for row in range(len(spoken))]
        )
    return Posteriors(ids=tuple(ids), logps=tuple(logps), alphabet=model.alphabet, seconds_per_step=SECONDS_PER_STEP)
