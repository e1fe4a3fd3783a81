"""Recorded speech: which files there are (Kaldi folder, JSON lines), and their samples at the rate a model wants."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.formats.lines import numbered_lines
from seedcorn.corpus.values import json_object
from seedcorn.errors import DataError, SeedcornWarning, at, require
from seedcorn.speech.transcripts import audio_of, id_of, read_transcripts

_N_SHOWN = 3
LEAST_RATE, MOST_RATE = 4_000, 384_000  # of recorders; beyond them a header is damaged


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One utterance in an audio file; ``text`` is None where nobody wrote down what was said."""

    id: str
    audio: Path
    text: str | None = None


def read_manifest(path: Path) -> list[Recording]:
    """Return the recordings of a Kaldi folder (wav.scp, and text if there) or of a file of JSON lines.

    A JSON line has "audio" (or "audio_filepath"), and may have "id" (else the file's name) and "text". Relative paths
    start at the manifest's folder.
    Raises DataError with file and line when a line cannot be read or names a part of a file, an id repeats, a
    transcript has no recording, or audio files are missing.
    """
    recordings = _from_kaldi(path) if path.is_dir() else _from_json_lines(path)
    if not recordings:
        raise DataError(wanted="at least one recording", found="none", where=path)
    missing = [r for r in recordings if not _is_file(r.audio)]
    if missing:
        raise DataError(
            wanted=f"the audio files of {len(recordings)} recordings",
            found=f"{len(missing)} missing, as {', '.join(str(r.audio) for r in missing[:_N_SHOWN])}",
            where=path,
            fix="Relative paths start at the folder of the manifest.",
        )
    return recordings


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long for any file
        return False


def _from_kaldi(folder: Path) -> list[Recording]:
    table = folder / "wav.scp"
    if not table.is_file():
        raise DataError(wanted="a Kaldi folder with wav.scp", found="no wav.scp", where=folder)
    if (folder / "segments").exists():
        raise DataError(
            wanted="one file an utterance", found="a segments file", where=folder, fix="Cut the files into utterances."
        )
    texts = read_transcripts(folder / "text") if (folder / "text").exists() else {}
    files = read_transcripts(table)
    for utterance_id, file in files.items():
        if file.endswith("|"):
            raise DataError(
                wanted="the path of an audio file",
                found=f"a command for '{utterance_id}'",
                where=table,
                fix="Commands are not run; write the files first.",
            )
    without = [i for i in texts if i not in files]
    if without:
        raise DataError(
            wanted="a recording for each transcript", found=f"none for '{without[0]}'", where=folder / "text"
        )
    return [Recording(id=i, audio=folder / file, text=texts.get(i)) for i, file in files.items()]


def _from_json_lines(path: Path) -> list[Recording]:
    recordings: dict[str, Recording] = {}
    for number, line in numbered_lines(path):
        recording = _from_json_line(line, path, number)
        if recording.id in recordings:
            raise DataError(wanted="each id once", found=f"'{recording.id}' again", where=at(path, number))
        recordings[recording.id] = recording
    return list(recordings.values())


def _from_json_line(line: str, path: Path, number: int) -> Recording:
    row = json_object(line, where=at(path, number))
    audio = audio_of(row)
    if audio is None:
        raise DataError(wanted='an object with "audio"', found=line.strip(), where=at(path, number))
    if row.get("offset"):
        raise DataError(
            wanted="one file an utterance",
            found=f'"offset" {row["offset"]}',
            where=at(path, number),
            fix="Cut the files into utterances.",
        )
    text = row.get("text")
    if text is not None and not isinstance(text, str):
        raise DataError(wanted='text in "text"', found=repr(text), where=at(path, number))
    return Recording(id=str(id_of(row)), audio=path.parent / audio, text=text)


def read_waves(recordings: Sequence[Recording], *, samples_per_second: int) -> Iterator[NDArray[np.float32]]:
    """Yield the mono samples (-1..1) of each recording at the wanted rate.

    Other rates are resampled and channels averaged; after the last one a SeedcornWarning says how many were.
    Raises DataError when a file is no audio.
    """
    converted = []
    for recording in recordings:
        wave, rate, n_channels = _read_audio(recording.audio)
        if rate != samples_per_second or n_channels != 1:
            converted.append(f"{rate} Hz, {n_channels} channel{'s' if n_channels > 1 else ''}")
        yield at_rate(wave, rate, samples_per_second)
    if converted:
        kinds = "; ".join(sorted(set(converted)))
        text = (
            f"{len(converted)} of {len(recordings)} recordings ({kinds}) were converted to {samples_per_second} Hz mono"
        )
        warnings.warn(text, SeedcornWarning, stacklevel=2)


def _read_audio(path: Path) -> tuple[NDArray[np.float32], int, int]:
    soundfile = require("soundfile", extra="speech")
    try:
        n_announced = _announced_wav_bytes(path)
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise DataError(wanted="a wav or flac file", found=str(error), where=path) from error
    if n_announced is not None and n_announced[0] > n_announced[1]:
        found = f"{n_announced[1]:,} bytes of samples of {n_announced[0]:,}"
        raise DataError(wanted="a whole wav file", found=found, where=path, fix="Copy or record it again.")
    if not len(samples):
        n_there = n_announced[1] if n_announced is not None else 0
        found = f"{n_there:,} bytes of them, of which its header says that there are none" if n_there else "none"
        raise DataError(wanted="samples of sound", found=found, where=path, fix="Record it again, or leave it out.")
    if not LEAST_RATE <= rate <= MOST_RATE:
        found = f"{rate:,} samples a second"
        raise DataError(wanted=f"speech of {LEAST_RATE:,} to {MOST_RATE:,} samples a second", found=found, where=path)
    if not np.isfinite(samples).all():
        raise DataError(wanted="samples of sound", found="samples that are no numbers", where=path)
    return samples.mean(axis=1), int(rate), samples.shape[1]


def _announced_wav_bytes(path: Path) -> tuple[int, int] | None:
    """Return how many bytes of samples a wav file says it has and how many it has, None for another file.

    Recorders that stream write 0, of which nothing is read, or 0xFFFFFFFF for what they cannot know yet: all there is.
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"RIFF" or stream.read(8)[4:] != b"WAVE":
            return None
        n_file_bytes = path.stat().st_size
        while len(header := stream.read(8)) == 8:
            n_bytes = int.from_bytes(header[4:], "little")
            if header[:4] == b"data":
                there = n_file_bytes - stream.tell()
                return (there, there) if n_bytes in (0, 0xFFFFFFFF) else (n_bytes, there)
            stream.seek(n_bytes + n_bytes % 2, 1)
    return None


def at_rate(wave: NDArray[np.float32], rate: int, wanted_rate: int) -> NDArray[np.float32]:
    """Return ``wave`` resampled from ``rate`` to ``wanted_rate`` samples a second (polyphase, low-pass filtered)."""
    if rate == wanted_rate or len(wave) == 0:
        return wave
    from scipy.signal import resample_poly

    common = gcd(rate, wanted_rate)
    converted: NDArray[np.float32] = resample_poly(wave, wanted_rate // common, rate // common).astype(np.float32)
    return converted
