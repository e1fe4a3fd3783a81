"""Synthetic speech: espeak-ng called in process, with voices, speeds and pitches that differ between train and test.

The engine keeps state between sentences (flutter, breath), so a batch is spoken by a freshly loaded copy of the
library: the same texts and voices always give the same samples, whatever was spoken before in the process.
"""

import ctypes
import functools
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from math import gcd
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import DataError, require
from seedcorn.progress import track

Samples: TypeAlias = NDArray[np.int16]

SAMPLES_PER_SECOND = 16_000
UTTERANCES_PER_ENGINE = 500

# What espeak-ng's speak_lib.h calls these numbers.
_SYNCHRONOUS_RETRIEVAL = 2
_RATE, _PITCH, _PITCH_RANGE = 1, 3, 4
_UTF8_TEXT = 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_one_engine_at_a_time = threading.Lock()


_VOICES = {"en": "en-us", "zh": "cmn", "no": "nb"}  # languages that espeak-ng calls by another code


class SpeakerSet(Enum):
    """Disjoint sets of espeak-ng voice variants; voices with random breath noise are in neither."""

    TRAIN = (
        "f1 f4 m1 m2 m3 m5 m6 m8 Alex Andy Annie Denis Hugo Jacky Marco Mario Michael Mike Nguyen Tweaky adam aunty "
        "belinda benjamin boris croak david ed edward edward2 grandma grandpa gustave ian iven john kaukovalta klatt "
        "klatt2 klatt3 klatt5 linda marcelo max miguel mike2 norbert pablo paul pedro quincy rob robert steph steph2 "
        "travis zac"
    )
    UNSEEN = "Andrea Diogo Gene Lee antonio m4 m7 shelby"

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of the variants in this set."""
        return tuple(self.value.split())


@dataclass(frozen=True, kw_only=True)
class Voice:
    """How a sentence is spoken: espeak-ng language and variant, words per minute, pitch and its range (0-99)."""

    lang: str
    variant: str
    words_per_minute: int = 175
    pitch: int = 50
    pitch_range: int = 50


def voice_of(lang: str) -> str:
    """Return what espeak-ng calls the language of the code ``lang``, such as "hi-IN"."""
    language = lang.replace("_", "-").lower().partition("-")[0]
    return _VOICES.get(language, language)


def random_voices(n_voices: int, *, lang: str, speakers: SpeakerSet, rng: np.random.Generator) -> list[Voice]:
    """Return voices drawn from ``speakers`` with random speed (140-220), pitch (25-75) and pitch range (30-70)."""
    variants = speakers.variants
    return [
        Voice(
            lang=lang,
            variant=variants[rng.integers(len(variants))],
            words_per_minute=int(rng.integers(140, 221)),
            pitch=int(rng.integers(25, 76)),
            pitch_range=int(rng.integers(30, 71)),
        )
        for _ in range(n_voices)
    ]


def synthesise(texts: Sequence[str], voices: Sequence[Voice]) -> list[Samples]:
    """Return each text spoken by its voice, as mono 16-bit samples at 16 kHz.

    Raises MissingExtraError without espeakng-loader and DataError when a language or variant is unknown to the engine.
    """
    if len(texts) != len(voices):
        raise DataError(wanted="one voice a text", found=f"{len(voices)} voices for {len(texts)} texts")
    spoken: list[Samples] = []
    starts = range(0, len(texts), UTTERANCES_PER_ENGINE)
    for start in track(starts, f"synthesising batches of {UTTERANCES_PER_ENGINE} utterances", total=len(starts)):
        part = slice(start, start + UTTERANCES_PER_ENGINE)
        with _fresh_engine() as engine:
            spoken += [engine.synthesise(text, voice) for text, voice in zip(texts[part], voices[part], strict=True)]
    return spoken


class _Engine:
    """One loaded copy of the espeak-ng library; its C callback collects the samples of one sentence."""

    def __init__(self, library: ctypes.CDLL, data_folder: str) -> None:
        self._library = library
        self._chunks: list[Samples] = []
        self._samples_per_second = int(library.espeak_Initialize(_SYNCHRONOUS_RETRIEVAL, 0, data_folder.encode(), 0))
        if self._samples_per_second <= 0:
            raise DataError(wanted="the espeak-ng voices", found="an engine that does not start", where=data_folder)
        self._callback = _CALLBACK(self._collect)  # kept: the engine holds only its address
        library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: "ctypes._Pointer[ctypes.c_short]", n_samples: int, _events: object) -> int:
        if samples and n_samples > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        return 0

    def synthesise(self, text: str, voice: Voice) -> Samples:
        name = f"{voice.lang}+{voice.variant}" if voice.variant else voice.lang
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise DataError(
                wanted="a language and variant that espeak-ng speaks",
                found=f"'{name}'",
                fix="Languages are named as in 'hi', 'en-us', 'pt-br'.",
            )
        for parameter, value in (
            (_RATE, voice.words_per_minute),
            (_PITCH, voice.pitch),
            (_PITCH_RANGE, voice.pitch_range),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks.clear()
        encoded = text.encode() + b"\0"
        with _interrupts_held():
            self._library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8_TEXT, None, None)
        if not self._chunks:
            return np.zeros(0, dtype=np.int16)
        return resampled(np.concatenate(self._chunks), self._samples_per_second)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait for the end of the block: what they raise in a callback of C would be lost."""
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread only
        yield
        return
    held: list[int] = []
    before = {number: signal.signal(number, lambda n, _: held.append(n)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    for caught in held:
        signal.raise_signal(caught)


@contextmanager
def _fresh_engine() -> Iterator[_Engine]:
    """Load, yield and unload the library, so that none of its static state lives on."""
    loader = require("espeakng_loader", extra="speech")
    with _one_engine_at_a_time:
        library = ctypes.CDLL(loader.get_library_path())
        try:
            yield _Engine(library, loader.get_data_path())
        finally:
            library.espeak_Terminate()
            _unload(library)


def _unload(library: ctypes.CDLL) -> None:
    close = ctypes.CDLL(None).dlclose
    close.argtypes = [ctypes.c_void_p]
    close(library._handle)


def resampled(samples: Samples, samples_per_second: int) -> Samples:
    """Return ``samples`` at 16 kHz (polyphase, low-pass filtered)."""
    if samples_per_second == SAMPLES_PER_SECOND:
        return samples
    from scipy.signal import resample_poly

    common = gcd(samples_per_second, SAMPLES_PER_SECOND)
    up, down = SAMPLES_PER_SECOND // common, samples_per_second // common
    converted = resample_poly(samples.astype(np.float32), up, down, window=_low_pass(max(up, down)))
    return np.clip(np.rint(converted), -32768, 32767).astype(np.int16)


@functools.cache
def _low_pass(factor: int) -> NDArray[np.float32]:
    """Return the filter that ``resample_poly`` makes for every call where it is given none."""
    from scipy.signal import firwin

    return np.asarray(firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0)), dtype=np.float32)
