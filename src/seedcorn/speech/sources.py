"""What is to be decoded: stored posteriors, or recordings heard by an acoustic model or a pretrained checkpoint."""

from pathlib import Path

from seedcorn.errors import ConfigError
from seedcorn.progress import track
from seedcorn.speech.posteriors import Posteriors, read_posteriors
from seedcorn.speech.recordings import Recording, read_manifest, read_waves

RECORDINGS_AT_A_TIME = 200


def read_source(
    path: Path, *, acoustic_model: Path | None = None, checkpoint: str = "", symbols: Path | None = None
) -> Posteriors:
    """Return the posteriors of ``path``: itself posteriors, or a manifest of recordings when a recogniser is given.

    Raises ConfigError when both recognisers are given, or none for a manifest.
    """
    is_manifest = (path / "wav.scp").exists() or path.suffix in (".jsonl", ".json")
    if not is_manifest:
        return read_posteriors(path, symbols=symbols)
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


def recognise(recordings: list[Recording], model_file: Path) -> Posteriors:
    """Return what the acoustic model in ``model_file`` hears in ``recordings``."""
    from seedcorn.speech.acoustic import SECONDS_PER_STEP, emit, load_acoustic_model
    from seedcorn.speech.synthesis import SAMPLES_PER_SECOND

    model = load_acoustic_model(model_file)
    logps = []
    starts = range(0, len(recordings), RECORDINGS_AT_A_TIME)
    for start in track(starts, f"recognising {RECORDINGS_AT_A_TIME} recordings", total=len(starts)):
        some = recordings[start : start + RECORDINGS_AT_A_TIME]
        logps += emit(model, read_waves(some, samples_per_second=SAMPLES_PER_SECOND))
    ids = tuple(recording.id for recording in recordings)
    return Posteriors(ids=ids, logps=tuple(logps), alphabet=model.alphabet, seconds_per_step=SECONDS_PER_STEP)


def recognise_with_checkpoint(recordings: list[Recording], name: str) -> Posteriors:
    """Return what the pretrained CTC checkpoint ``name`` hears in ``recordings``."""
    from seedcorn.speech.checkpoint import emit_with_checkpoint, load_ctc_checkpoint, seconds_per_step

    checkpoint = load_ctc_checkpoint(name)
    waves = read_waves(recordings, samples_per_second=checkpoint.samples_per_second)
    return Posteriors(
        ids=tuple(recording.id for recording in recordings),
        logps=tuple(emit_with_checkpoint(checkpoint, waves)),
        alphabet=checkpoint.alphabet,
        seconds_per_step=seconds_per_step(checkpoint),
    )
