"""Where a corpus lies as settings name it: a file, a folder, a pattern of files, or Parquet at a URL."""

import os
from pathlib import Path
from string import Template
from typing import Self

from seedcorn.corpus.formats.pool import files_at, is_pool, is_url, matching
from seedcorn.errors import ConfigError
from seedcorn.files import Json, digest_of_json
from seedcorn.input_files import InputFile, digest_of_file


class CorpusPlace(InputFile):
    """An input file that may also be a pattern (``logs/*.jsonl``), a folder of Parquet files, or a URL of these.

    Of what lies at a URL the names, sizes and times are the content, as reading all of it would take too long.
    """

    @classmethod
    def at(cls, path: Path | str, *, relative_to: Path | None = None) -> Self:
        """Return the place ``path``. Raises ConfigError where nothing is; a URL is looked at when it is read."""
        written = os.fspath(path)
        if is_url(written):
            return cls(written=written, path=Path())
        try:
            return super().at(path, relative_to=relative_to)
        except ConfigError:
            pattern = (relative_to or Path()) / Path(Template(written).safe_substitute(os.environ)).expanduser()
            if not matching(str(pattern)):
                raise
            return cls(written=written, path=pattern)

    @property
    def where(self) -> str:
        """The path, pattern or URL, its variables replaced."""
        return Template(self.written).safe_substitute(os.environ) if is_url(self.written) else str(self.path)

    @property
    def is_pool(self) -> bool:
        """Whether it is read in parts: many files, or Parquet at a URL."""
        return not self.is_builtin and is_pool(self.where)

    @property
    def digest(self) -> str:
        """The SHA-256 of the content, in hexadecimal; the name of what is built in. Raises DataError for a bad URL."""
        if is_url(self.written):
            found: list[Json] = [[file.path, file.size, file.mtime_ns] for file in files_at(self.where)[0]]
            return digest_of_json(found)
        if self.is_pool and not self.path.is_dir():
            return digest_of_json([[file.name, digest_of_file(file)] for file in matching(self.where)])
        return super().digest
