"""Vectors kept on disk by the content of their text, for all stages, studies and runs of a machine.

One SQLite file an encoder, since processes may read and write it at once and a killed one leaves it whole.
"""

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.progress import say
from seedcorn.user_cache import CACHE_VARIABLE

_KEYS_PER_QUERY = 500
_SECONDS_TO_WAIT = 60.0


@dataclass(frozen=True)
class VectorCache:
    """float32 arrays (rows, d) under texts, in the SQLite file ``path``; ``kind`` keeps several apart in one file.

    One that cannot be read or written is said to be so and left out: what it holds can always be computed again.
    """

    path: Path
    kind: str
    n_dimensions: int

    def find(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the arrays of those of ``texts`` that are kept."""
        keys = {_key(self.kind, text): text for text in texts}
        found: dict[str, NDArray[np.float32]] = {}
        if not self.path.exists():
            return found
        with self._connected() as connection:
            wanted = list(keys)
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                some = wanted[start : start + _KEYS_PER_QUERY]
                places = ",".join("?" * len(some))
                for key, array in connection.execute(f"SELECT key, array FROM vectors WHERE key IN ({places})", some):
                    found[keys[key]] = np.frombuffer(array, np.float32).reshape(-1, self.n_dimensions)
        return found

    def keep(self, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep ``arrays`` under their texts; what is kept already stays."""
        rows = [(_key(self.kind, text), np.ascontiguousarray(array).tobytes()) for text, array in arrays.items()]
        with self._connected() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, array BLOB) WITHOUT ROWID")
            connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self.path, timeout=_SECONDS_TO_WAIT)) as connection, connection:
                yield connection
        except (OSError, sqlite3.Error) as error:
            say(f"no cached vectors at {self.path}: {error}; set {CACHE_VARIABLE} to a folder that can be written")


def _key(kind: str, text: str) -> bytes:
    return hashlib.blake2b(f"{kind}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
