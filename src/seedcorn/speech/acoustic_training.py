"""Training of the acoustic model: noisy batches made on the fly, CTC loss, checkpoints after every epoch."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from seedcorn.bfloat16 import bf16_pays
from seedcorn.corpus.text import words
from seedcorn.errors import DataError
from seedcorn.files import writing_whole
from seedcorn.progress import say
from seedcorn.speech.acoustic import (
    FRAMES_PER_STEP,
    AcousticModel,
    CtcNetwork,
    NetworkShape,
    equal_length_batches,
    padded,
    padded_length,
)
from seedcorn.speech.alphabet import WORD_BOUNDARY, Alphabet
from seedcorn.speech.features import babble, log_mel, mixed_at
from seedcorn.speech.synthesis import SAMPLES_PER_SECOND, Samples
from seedcorn.tensor_files import as_json, read_tensors, reading_saved

SnrRange = tuple[float, float]
_FULL_SCALE = 32_768.0


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How long, with what noise and with what voices an acoustic model is trained.

    Frequencies are warped by ``warps``, one drawn for each batch, so that vocal tracts of other lengths than those of
    the training voices are known (Jaitly and Hinton 2013). ``bf16`` is for processors that
    multiply in it; elsewhere it would take ten times as long, and float32 is used. A GPU is used where there is one.
    """

    n_epochs: int = 20
    peak_learning_rate: float = 2e-3
    seconds_per_batch: float = 60.0
    snr_range_db: SnrRange = (0.0, 20.0)
    masked: bool = True
    warps: tuple[float, ...] = (1.0,)
    bf16: bool = False


def training_sentences(texts: Sequence[str], *, n_sentences: int, rng: np.random.Generator) -> list[str]:
    """Return distinct sentences of 2 to 14 words without digits, drawn from ``texts``, the words of each shuffled.

    Shuffled, so that the acoustic model learns sounds and spelling and no word order.
    """
    split = {" ".join(w): w for w in map(words, texts) if 2 <= len(w) <= 14}
    plain = [w for normalised, w in split.items() if not any(c.isdigit() for c in normalised)]
    chosen = rng.permutation(len(plain))[:n_sentences]
    return [" ".join(plain[row][column] for column in rng.permutation(len(plain[row]))) for row in chosen]


def waves_of(spoken: Sequence[Samples]) -> list[NDArray[np.float32]]:
    """Return 16-bit samples as floats in -1..1."""
    return [samples.astype(np.float32) / np.float32(_FULL_SCALE) for samples in spoken]


def with_noise(
    waves: Sequence[Samples], position: int, *, snr_range_db: SnrRange, rng: np.random.Generator, centred: bool = True
) -> NDArray[np.float32]:
    """Return the utterance at ``position`` padded and mixed with white noise or babble of the other ones.

    The kind is drawn evenly, the ratio uniformly in ``snr_range_db``; the place in the silence is the middle or random.
    """
    wave = waves[position].astype(np.float32) / np.float32(_FULL_SCALE)
    room = padded_length(len(wave)) - len(wave)
    long = padded(wave, silence_before=None if centred else int(rng.integers(room + 1)))
    if rng.random() < 0.5:
        noise = rng.standard_normal(len(long), dtype=np.float32)
    else:
        others = [waves[p].astype(np.float32) for p in rng.integers(len(waves), size=6)]
        noise = babble(others, len(long), n_speakers=6, rng=rng)
    return mixed_at(long, noise, snr_db=float(rng.uniform(*snr_range_db)))


def train_acoustic_model(
    spoken: Sequence[Samples],
    texts: Sequence[str],
    *,
    alphabet: Alphabet,
    shape: NetworkShape,
    settings: TrainingSettings,
    random_seed: int,
    checkpoints: Path | None = None,
    last_epoch: int | None = None,
) -> AcousticModel:
    """Return a CTC model of ``spoken`` (16-bit, 16 kHz) and what was said; resumes from ``checkpoints``.

    AdamW with a warm-up and cosine decay, SpecAugment (Park et al. 2019), white noise and babble. The randomness of an
    epoch follows from ``random_seed`` and its number alone, so that a resumed training ends like an unbroken one;
    ``last_epoch`` stops earlier on the same course.
    Raises DataError when a text cannot be spelt with ``alphabet``.
    """
    targets = [_target(text, alphabet, row) for row, text in enumerate(texts)]
    torch.manual_seed(random_seed)
    network = CtcNetwork(shape, len(alphabet)).to("cuda" if torch.cuda.is_available() else "cpu")
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.peak_learning_rate, weight_decay=1e-2)
    first_epoch = _resume(network, optimiser, checkpoints)
    for epoch in range(first_epoch, settings.n_epochs if last_epoch is None else last_epoch):
        loss = _train_epoch(network, optimiser, spoken, targets, settings, alphabet.blank, epoch, random_seed)
        say(f"acoustic model: epoch {epoch + 1} of {settings.n_epochs}, loss {loss:.3f} a character")
        _save_checkpoint(network, optimiser, checkpoints, epoch + 1)
    return AcousticModel(network=network.cpu().eval(), alphabet=alphabet, shape=shape)


def _target(text: str, alphabet: Alphabet, row: int) -> list[int]:
    separator = WORD_BOUNDARY if alphabet.boundary >= 0 else ""
    spelling = alphabet.spelling(separator.join(words(text)))
    if not spelling:
        raise DataError(wanted="text spelt with the alphabet", found=f"'{text}'", where=f"training text {row}")
    return spelling


def _train_epoch(
    network: CtcNetwork,
    optimiser: torch.optim.Optimizer,
    spoken: Sequence[Samples],
    targets: Sequence[list[int]],
    settings: TrainingSettings,
    blank: int,
    epoch: int,
    random_seed: int,
) -> float:
    """Train on every utterance once, in random batches; return the mean loss a character."""
    rng = np.random.default_rng([random_seed, epoch])
    torch.manual_seed(int(rng.integers(1 << 31)))
    network.train()
    batches, bf16 = _shuffled_batches(spoken, settings, rng), settings.bf16 and bf16_pays()
    device = next(network.parameters()).device
    total, n_characters = torch.zeros((), device=device), 0
    for step, batch in enumerate(batches):
        _set_learning_rate(optimiser, settings, (epoch + step / len(batches)) / settings.n_epochs)
        waves = [with_noise(spoken, p, snr_range_db=settings.snr_range_db, rng=rng, centred=False) for p in batch]
        warp = settings.warps[rng.integers(len(settings.warps))]
        features = log_mel(torch.from_numpy(np.stack(waves)).to(device), warp=warp)
        if settings.masked:
            _mask(features, rng)
        loss = _ctc_loss(network, features, [targets[p] for p in batch], blank, bf16=bf16)
        optimiser.zero_grad()
        (loss / len(batch)).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        total += loss.detach()
        n_characters += sum(len(targets[p]) for p in batch)
        if step % 50 == 0:
            mean = total.item() / n_characters
            say(f"acoustic model: epoch {epoch + 1}, batch {step} of {len(batches)}, loss {mean:.3f}")
    return total.item() / n_characters


def _ctc_loss(
    network: CtcNetwork, features: torch.Tensor, targets: list[list[int]], blank: int, *, bf16: bool
) -> torch.Tensor:
    with torch.autocast(features.device.type, dtype=torch.bfloat16, enabled=bf16):
        logps = network(features)
    n_steps = torch.full((len(targets),), features.shape[1] // FRAMES_PER_STEP)
    n_characters = torch.tensor([len(target) for target in targets])
    flat = torch.tensor([column for target in targets for column in target])
    return torch.nn.functional.ctc_loss(
        logps.transpose(0, 1), flat, n_steps, n_characters, blank=blank, reduction="sum", zero_infinity=True
    )


def _shuffled_batches(
    spoken: Sequence[Samples], settings: TrainingSettings, rng: np.random.Generator
) -> list[list[int]]:
    order = rng.permutation(len(spoken)).tolist()
    lengths = [padded_length(len(spoken[p])) for p in order]
    max_samples = int(settings.seconds_per_batch * SAMPLES_PER_SECOND)
    batches = [[order[p] for p in batch] for batch in equal_length_batches(lengths, max_samples=max_samples)]
    return [batches[b] for b in rng.permutation(len(batches))]


def _mask(features: torch.Tensor, rng: np.random.Generator) -> None:
    """Blank two bands and two stretches of time of each utterance, in place (SpecAugment without warping)."""
    n, n_frames, n_bands = features.shape
    for row in range(n):
        for _ in range(2):
            width = int(rng.integers(13))
            band = int(rng.integers(n_bands - width))
            features[row, :, band : band + width] = 0.0
            length = int(rng.integers(min(25, n_frames // 8) + 1))
            start = int(rng.integers(n_frames - length))
            features[row, start : start + length] = 0.0


def _set_learning_rate(optimiser: torch.optim.Optimizer, settings: TrainingSettings, done_fraction: float) -> None:
    warm_up_fraction = 0.05
    warm = min(done_fraction / warm_up_fraction, 1.0)
    cosine = 0.5 * (1.0 + np.cos(np.pi * max(done_fraction - warm_up_fraction, 0.0) / (1.0 - warm_up_fraction)))
    for group in optimiser.param_groups:
        group["lr"] = settings.peak_learning_rate * max(warm * cosine, 1e-3)


_CHECKPOINT = "a checkpoint of this training (remove it to begin anew)"


def _save_checkpoint(
    network: CtcNetwork, optimiser: torch.optim.Optimizer, folder: Path | None, n_epochs_done: int
) -> None:
    if folder is None:
        return
    from safetensors.torch import save

    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
    with writing_whole(folder / "checkpoint.safetensors") as partial:
        partial.write_bytes(save(tensors, {"n_epochs_done": json.dumps(n_epochs_done)}))


def _resume(network: CtcNetwork, optimiser: torch.optim.Optimizer, folder: Path | None) -> int:
    """Load the checkpoint in ``folder``, if any; return how many epochs it has done."""
    path = None if folder is None else folder / "checkpoint.safetensors"
    if path is None or not path.exists():
        return 0
    arrays, about = read_tensors(path, wanted=_CHECKPOINT, extra="speech")
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    with reading_saved(path, wanted=_CHECKPOINT):
        network.load_state_dict(dict(_below("network.", tensors)))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in _below("optimiser.", tensors):
            index, _, moment = name.partition(".")
            moments.setdefault(int(index), {})[moment] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
        return as_json(about["n_epochs_done"], int)


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    return ((name[len(prefix) :], value) for name, value in tensors.items() if name.startswith(prefix))
