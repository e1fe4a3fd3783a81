"""A reader, its good files, and one case of it: the files with something done to one of them, read and used."""

import random
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mutations import mutated

from seedcorn.errors import SeedcornError, SeedcornWarning

Damage = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """``read`` is given the path of ``target`` in a folder with ``files`` and returns what it made of it.

    With ``is_sealed`` a checksum covers the files: what is read at all has to equal what the good files give.
    ``damages`` says for which files damage is done otherwise than byte by byte, such as inside an archive.
    """

    name: str
    files: Mapping[str, bytes]
    read: Callable[[Path], object]
    target: str = ""
    is_sealed: bool = False
    damages: Mapping[str, Damage] = field(default_factory=dict)

    def path_in(self, folder: Path) -> Path:
        """Return what is read."""
        return folder / (self.target or next(iter(self.files)))


class WrongResultError(Exception):
    """A damaged file was read as something else."""


class Bench:
    """One reader with its files laid out in a folder, so that a case writes only the file that it damages."""

    def __init__(self, reader: Reader, folder: Path) -> None:
        self.reader, self._folder = reader, folder
        self._names = sorted(reader.files)
        self._good: object = None
        self.lay_out()

    def lay_out(self) -> None:
        """Write all files as they should be."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for name, content in self.reader.files.items():
            (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / name).write_bytes(content)

    def read_good(self) -> None:
        """Read the files as they should be. Raises whatever the reader does."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SeedcornWarning)
            self._good = self.reader.read(self.reader.path_in(self._folder))

    def try_case(self, number: int) -> bool:
        """Read case ``number``; tell whether it was read. Raises what is none of our errors, or a wrong result."""
        rng = random.Random(f"{self.reader.name} {number}")
        name = rng.choice(self._names)
        damage = self.reader.damages.get(name, mutated)
        path, content = self._folder / name, self.reader.files[name]
        path.write_bytes(damage(content, rng))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SeedcornWarning)
                found = self.reader.read(self.reader.path_in(self._folder))
        except SeedcornError:
            return False
        finally:
            path.write_bytes(content)
        if self.reader.is_sealed and found != self._good:
            raise WrongResultError(f"{name} was read as {found!r:.80}")
        return True
