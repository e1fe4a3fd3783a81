"""Loading pretrained checkpoints of ``transformers``: quietly, and with errors that say what the checkpoint lacks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from seedcorn.errors import ConfigError, DataError
from seedcorn.input_files import InputFile

if TYPE_CHECKING:
    from transformers import PretrainedConfig


@dataclass(frozen=True)
class Checkpoint(InputFile):
    """A pretrained checkpoint in settings: a folder, known by its content, or else a name on the model hub."""

    @classmethod
    def at(cls, path: Path | str, *, relative_to: Path | None = None) -> Self:
        """Return the folder ``path`` where there is one, else the checkpoint of that name."""
        try:
            return super().at(path, relative_to=relative_to)
        except ConfigError:
            if "$" in str(path):
                raise
            return cls(written=str(path), path=Path(path))

    @property
    def digest(self) -> str:
        """The SHA-256 of the folder's content, or the name."""
        return super().digest if self.path.exists() else self.written

    def __str__(self) -> str:
        """Return what loads it."""
        return str(self.path) if self.path.exists() else self.written


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep the bars and notes of transformers off the user's terminal; errors still come as exceptions."""
    from transformers.utils import logging

    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()


@contextmanager
def loading(name: str, *, wanted: str, fix: str = "") -> Iterator[None]:
    """Load the checkpoint ``name`` inside the block, without the bars and notes of transformers.

    Raises DataError, saying what was ``wanted``, for whatever transformers raises when a checkpoint is not there, is
    damaged, is of another kind or lacks files.
    """
    from huggingface_hub.errors import LocalEntryNotFoundError
    from safetensors import SafetensorError

    try:
        with quiet_transformers():
            yield
    except TypeError as error:  # what tokenizers raise when they get None for the path of their file
        raise DataError(wanted=wanted, found="files of it missing", where=name, fix=fix) from error
    except ImportError as error:
        needed = "the packages that this checkpoint needs"
        raise DataError(wanted=needed, found=first_line(error), where=name, fix="Install what it names.") from error
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        if isinstance(error.__cause__, LocalEntryNotFoundError):
            fix = "Connect to the network once, or give the folder of a checkpoint."
        raise DataError(wanted=wanted, found=first_line(error), where=name, fix=fix) from error


def n_subwords_max(config: "PretrainedConfig") -> int:
    """Return how many subwords of a text a network of this ``config`` sees; two of its positions are set apart."""
    longest = getattr(config, "max_position_embeddings", None)
    return sys.maxsize if longest is None else int(longest) - 2  # some know no positions


def first_line(error: Exception) -> str:
    """Return the first line of what ``error`` says, or its kind when it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
