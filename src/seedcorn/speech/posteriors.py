"""CTC posteriors on disk: made once by whatever recogniser, decoded with many language models."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedcorn.array_files import found_in, is_ascending, read_arrays
from seedcorn.errors import DataError, at
from seedcorn.files import writing_whole
from seedcorn.speech.alphabet import BLANK, WORD_BOUNDARY, Alphabet

LogPosteriors: TypeAlias = NDArray[np.float16]

SECONDS_PER_FOREIGN_STEP = 0.02
_MOST_LOG_TOTAL = 0.5  # far more than rounding leaves, far less than logits are wrong by

_SOURCES = "posteriors (npz, or a folder of npy), or recordings (a Kaldi folder with wav.scp, or a .jsonl manifest)"
_BLANK_NAMES = ("<blank>", "<pad>", "[PAD]", "<eps>")
_BOUNDARY_NAMES = ("|", "<space>", "▁")


@dataclass(frozen=True, kw_only=True)
class Posteriors:
    """Natural-log posteriors (steps, symbols) of utterances, with their ids and the symbol of each column.

    Raises DataError when ids repeat, or disagree with the arrays in number.
    """

    ids: tuple[str, ...]
    logps: tuple[LogPosteriors, ...]
    alphabet: Alphabet
    seconds_per_step: float

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.logps):
            raise DataError(wanted="one id an utterance", found=f"{len(self.ids)} ids, {len(self.logps)} utterances")
        if len(set(self.ids)) != len(self.ids):
            raise DataError(wanted="each utterance id once", found="an id that repeats")

    def save(self, path: Path) -> None:
        """Write one npz file: all steps below each other, where each utterance ends, ids and symbols as JSON."""
        steps = np.concatenate([np.zeros((0, len(self.alphabet)), np.float16), *self.logps]).astype(np.float16)
        ends = np.cumsum([len(logps) for logps in self.logps], dtype=np.int64)
        about = {"ids": self.ids, "symbols": self.alphabet.symbols, "seconds_per_step": self.seconds_per_step}
        encoded = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), dtype=np.uint8)
        with writing_whole(path) as partial, partial.open("wb") as stream:
            np.savez(stream, steps=steps, ends=ends, about=encoded)


def read_posteriors(
    path: Path, *, symbols: Path | None = None, seconds_per_step: float = SECONDS_PER_FOREIGN_STEP
) -> Posteriors:
    """Return what ``Posteriors.save`` wrote, or an npz with one array an utterance, or a folder of npy files.

    The last two need ``symbols``, a text file with the symbol of each column (see read_symbols). Utterances come in
    sorted order of ids. Raises DataError when a file is something else or its arrays disagree with the symbols.
    """
    arrays = _read_arrays(path)
    if "about" in arrays and "steps" in arrays:
        return _restored(arrays, path)
    if symbols is None:
        raise DataError(wanted="the symbols of the columns", found="arrays alone", where=path, fix="Give --symbols.")
    alphabet = read_symbols(symbols)
    ids = tuple(sorted(arrays))
    for utterance_id in ids:
        check_logps(arrays[utterance_id], alphabet, where=f"{path}: utterance '{utterance_id}'")
    logps = tuple(arrays[utterance_id].astype(np.float16) for utterance_id in ids)
    return Posteriors(ids=ids, logps=logps, alphabet=alphabet, seconds_per_step=seconds_per_step)


def read_symbols(path: Path) -> Alphabet:
    """Return the alphabet in a text file, one symbol a line in the order of the columns.

    <blank> (or <pad>, <eps>) is the blank, | (or <space>) the word boundary; "symbol number" lines are read as well.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(wanted="a text file of symbols", found=str(error), where=path) from error
    return named_alphabet((line.split("\t")[0].split(" ")[0] or line[:1] for line in lines), where=at(path, 1))


def named_alphabet(names: Iterable[str], *, where: str) -> Alphabet:
    """Return the alphabet whose blank and word boundary go by one of their usual names."""
    columns = [BLANK if n in _BLANK_NAMES else WORD_BOUNDARY if n in _BOUNDARY_NAMES else n for n in names]
    if columns.count(BLANK) != 1:
        raise DataError(
            wanted=f"one blank symbol, named {' or '.join(_BLANK_NAMES)}",
            found=f"{columns.count(BLANK)} in {len(columns)} symbols",
            where=where,
        )
    return Alphabet(tuple(columns))


def check_logps(found: NDArray[np.generic], alphabet: Alphabet, *, where: str) -> None:
    """Raise DataError unless ``found`` is (steps, symbols) of natural-log probabilities."""
    if found.ndim != 2 or found.shape[1] != len(alphabet):
        raise DataError(
            wanted=f"posteriors with {len(alphabet)} columns, one a symbol",
            found=f"an array of shape {found.shape}",
            where=where,
        )
    if not np.issubdtype(found.dtype, np.floating):
        raise DataError(wanted="posteriors as floating-point numbers", found=str(found.dtype), where=where)
    logps = found.astype(np.float64)
    if np.isnan(logps).any() or (logps > 1e-2).any():
        raise DataError(
            wanted="natural-log probabilities (at most 0)",
            found="NaN" if np.isnan(logps).any() else f"{float(logps.max()):.3f}",
            where=where,
            fix="Apply log_softmax to the output of the network.",
        )
    totals = np.logaddexp.reduce(logps, axis=1)
    if (np.abs(totals) > _MOST_LOG_TOTAL).any():
        raise DataError(
            wanted="probabilities that sum to one at each step",
            found=f"{float(np.exp(totals[np.abs(totals).argmax()])):.3g} at step {int(np.abs(totals).argmax())}",
            where=where,
            fix="Apply log_softmax to the output of the network.",
        )


def _read_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    if not path.is_dir():
        return read_arrays(path, wanted=_SOURCES)
    files = sorted(path.glob("*.npy"))
    if not files:
        raise DataError(wanted=_SOURCES, found="a folder without any of them", where=path)
    try:
        return {file.stem: np.load(file, allow_pickle=False) for file in files}
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise DataError(wanted=_SOURCES, found=found_in(error), where=path) from error


def _restored(arrays: dict[str, NDArray[np.generic]], path: Path) -> Posteriors:
    try:
        about = json.loads(arrays["about"].tobytes())
        steps, ends, alphabet = arrays["steps"], arrays["ends"], Alphabet(tuple(about["symbols"]))
        ids, seconds_per_step = tuple(map(str, about["ids"])), float(about["seconds_per_step"])
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        raise DataError(wanted="posteriors as Seedcorn writes them", found=str(error), where=path) from error
    check_logps(steps, alphabet, where=str(path))
    places = ends.astype(np.int64) if ends.dtype.kind == "i" and ends.ndim == 1 else None
    in_order = places is not None and is_ascending(np.concatenate([[0], places, [len(steps)]]))
    if not in_order or (int(ends[-1]) if len(ends) else 0) != len(steps) or not 0 < seconds_per_step < np.inf:
        raise DataError(wanted="an end for each utterance, the last after all steps", found="others", where=path)
    parts = np.split(steps.astype(np.float16), ends.tolist())[:-1]
    return Posteriors(ids=ids, logps=tuple(parts), alphabet=alphabet, seconds_per_step=seconds_per_step)


def subset(posteriors: Posteriors, rows: Sequence[int]) -> Posteriors:
    """Return the posteriors of the utterances at ``rows``, in their order."""
    return Posteriors(
        ids=tuple(posteriors.ids[row] for row in rows),
        logps=tuple(posteriors.logps[row] for row in rows),
        alphabet=posteriors.alphabet,
        seconds_per_step=posteriors.seconds_per_step,
    )
