"""What is to be decoded: stored posteriors, or recordings through an acoustic model or a pretrained checkpoint."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import ConfigError
from seedcorn.progress import track
from seedcorn.speech.posteriors import SECONDS_PER_FOREIGN_STEP, Posteriors, read_posteriors
from seedcorn.speech.recordings import Recording, read_manifest, read_waves

RECORDINGS_AT_A_TIME = 200


def read_source(
    path: Path,
    *,
    acoustic_model: Path | None = None,
    checkpoint: str = "",
    symbols: Path | None = None,
    seconds_per_step: float = SECONDS_PER_FOREIGN_STEP,
) -> Posteriors:
    """Return the posteriors of ``path``: itself posteriors, or a manifest of recordings when a recogniser is given.

    ``symbols`` and ``seconds_per_step`` are of arrays from elsewhere; our own files and recognisers tell their own.
    Raises ConfigError when both recognisers are given, or none for a manifest.
    """
    if not is_manifest(path):
        return read_posteriors(path, symbols=symbols, seconds_per_step=seconds_per_step)
    if (acoustic_model is None) == (not checkpoint):
        raise ConfigError(
            wanted="one recogniser for recordings: an acoustic model or a checkpoint",
            found="none" if acoustic_model is None else "both",
            where=path,
            fix="Give --acoustic-model FILE or --checkpoint NAME.",
        )
    recordings = read_manifest(path)
    if acoustic_model is None:
        return recognise_with_checkpoint(recordings, checkpoint)
    return recognise(recordings, acoustic_model)


def is_manifest(path: Path) -> bool:
    """Return whether ``path`` lists recordings (a Kaldi folder, JSON lines) rather than being posteriors."""
    return (path / "wav.scp").exists() or path.suffix in (".jsonl", ".json")


def recognise(recordings: list[Recording], model_file: Path) -> Posteriors:
    """Return what the acoustic model in ``model_file`` hears in ``recordings``."""
    from seedcorn.speech.acoustic import SECONDS_PER_STEP, emit, load_acoustic_model
    from seedcorn.speech.synthesis import SAMPLES_PER_SECOND

    model = load_acoustic_model(model_file)
    waves = _waves(recordings, SAMPLES_PER_SECOND)
    logps = []
    while some := list(islice(waves, RECORDINGS_AT_A_TIME)):
        logps += emit(model, some)
    ids = tuple(recording.id for recording in recordings)
    return Posteriors(ids=ids, logps=tuple(logps), alphabet=model.alphabet, seconds_per_step=SECONDS_PER_STEP)


def recognise_with_checkpoint(recordings: list[Recording], name: str) -> Posteriors:
    """Return what the pretrained CTC checkpoint ``name`` hears in ``recordings``."""
    from seedcorn.speech.checkpoint import emit_with_checkpoint, load_ctc_checkpoint, seconds_per_step

    checkpoint = load_ctc_checkpoint(name)
    waves = _waves(recordings, checkpoint.samples_per_second)
    return Posteriors(
        ids=tuple(recording.id for recording in recordings),
        logps=tuple(emit_with_checkpoint(checkpoint, waves)),
        alphabet=checkpoint.alphabet,
        seconds_per_step=seconds_per_step(checkpoint),
    )


def _waves(recordings: Sequence[Recording], samples_per_second: int) -> Iterator[NDArray[np.float32]]:
    waves = read_waves(recordings, samples_per_second=samples_per_second)
    return track(waves, "recognising recordings", total=len(recordings))
