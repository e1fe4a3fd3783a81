"""Noise and log-mel features: what the acoustic model hears, computed in batches of equally long utterances."""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from seedcorn.speech.synthesis import SAMPLES_PER_SECOND

N_MELS = 64
SAMPLES_PER_FRAME = 160  # 10 ms
N_FFT = 512
SAMPLES_PER_WINDOW = 400  # 25 ms
LOWEST_HZ, HIGHEST_HZ = 40.0, 7600.0
_SMALLEST_POWER = 1e-6


def mel_of_hz(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mel scale of O'Shaughnessy (1987): 2595 log10(1 + f / 700)."""
    return 2595.0 * np.log10(1.0 + frequency_hz / 700.0)


@cache
def mel_filters(warp: float = 1.0) -> torch.Tensor:
    """Return triangular filters equally wide in mel, float32 of shape (N_FFT // 2 + 1, N_MELS).

    What is heard through filters with a ``warp`` of 1.1 has its frequencies ten per cent higher: a shorter vocal tract.
    """
    bin_mels = mel_of_hz(warp * np.arange(N_FFT // 2 + 1, dtype=np.float64) * (SAMPLES_PER_SECOND / N_FFT))
    lowest_mel, highest_mel = mel_of_hz(np.array([LOWEST_HZ, HIGHEST_HZ])).tolist()
    edges = np.linspace(lowest_mel, highest_mel, N_MELS + 2)
    rising = (bin_mels[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bin_mels[:, None]) / (edges[2:] - edges[1:-1])
    return torch.from_numpy(np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32))


def log_mel(waves: torch.Tensor, *, warp: float = 1.0) -> torch.Tensor:
    """Return log-mel features (n, frames, N_MELS) of float waves (n, samples), each band of each wave standardised.

    One frame every 10 ms; the number of frames is samples // 160. Standardising a wave by its own mean and deviation
    removes level and channel.
    """
    context = SAMPLES_PER_WINDOW - SAMPLES_PER_FRAME
    padded = torch.nn.functional.pad(waves, (context // 2, context - context // 2))
    frames = padded.unfold(1, SAMPLES_PER_WINDOW, SAMPLES_PER_FRAME)
    frames = frames * torch.hann_window(SAMPLES_PER_WINDOW, periodic=False, device=waves.device)
    power = torch.fft.rfft(frames, n=N_FFT).abs().square()
    features = torch.log(power @ mel_filters(warp).to(waves.device) + _SMALLEST_POWER)
    mean = features.mean(dim=1, keepdim=True)
    deviation = features.std(dim=1, keepdim=True)
    return (features - mean) / (deviation + 1e-2)


def mixed_at(speech: NDArray[np.float32], noise: NDArray[np.float32], *, snr_db: float) -> NDArray[np.float32]:
    """Return ``speech`` plus ``noise`` (cut or repeated to its length) scaled to the signal-to-noise ratio in dB."""
    speech_power = float(np.mean(np.square(speech))) if len(speech) else 0.0
    noise = np.resize(noise, len(speech)) if len(noise) else np.zeros_like(speech)
    noise_power = float(np.mean(np.square(noise))) if len(noise) else 0.0
    if speech_power == 0.0 or noise_power == 0.0:
        return speech
    scale = np.sqrt(speech_power / noise_power / 10.0 ** (snr_db / 10.0))
    return speech + np.float32(scale) * noise


def babble(
    waves: list[NDArray[np.float32]], n_samples: int, *, n_speakers: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return ``n_samples`` of ``n_speakers`` other utterances spoken at once, each from a random place."""
    mixture = np.zeros(n_samples, dtype=np.float32)
    for _ in range(n_speakers):
        wave = waves[rng.integers(len(waves))]
        if len(wave):
            mixture += np.resize(np.roll(wave, int(rng.integers(len(wave)))), n_samples)
    return mixture
