"""Unpacking of archives that may be hostile: only plain files, inside the folder, within limits."""

import gzip
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from seedcorn.errors import DataError

MAX_FILES = 10_000
MAX_BYTES = 4 << 30
_BYTES_PER_BLOCK = 1 << 20


def unpack(archive: Path, folder: Path, *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES) -> list[Path]:
    """Unpack a .tar.gz file into the new folder ``folder``, all of it or nothing; return the files, sorted.

    Raises DataError for a member that is a link, a device, or outside the folder, for more than ``max_files`` members
    or ``max_bytes`` bytes, and for a damaged archive.
    """
    partial = folder.with_name(f".partial.{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        names = _unpack(archive, partial, max_files, max_bytes)
        partial.rename(folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DataError(wanted="a whole tar archive", found=f"a damaged one ({error})", where=archive) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return sorted(folder.joinpath(name) for name in names)


def _unpack(archive: Path, folder: Path, max_files: int, max_bytes: int) -> list[PurePosixPath]:
    folder.mkdir(parents=True)
    names: list[PurePosixPath] = []
    n_bytes = n_members = 0
    # As a stream: a member is read once, before the next is looked at.
    with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            n_members, n_bytes = n_members + 1, n_bytes + member.size
            if n_members > max_files or n_bytes > max_bytes:
                limits = f"at most {max_files:,} members and {max_bytes:,} bytes"
                raise DataError(wanted=limits, found="more", where=archive)
            name = _safe_name(member, archive)
            if member.isreg():
                _write(tar, member, folder.joinpath(name))
                names.append(name)
        _read_to_the_end(stream, archive, max_bytes)
    return names


def _read_to_the_end(stream: gzip.GzipFile, archive: Path, max_bytes: int) -> None:
    """Read what follows the last member, so that the check sum is compared: tarfile takes a cut for an end."""
    n_bytes = 0
    while block := stream.read(_BYTES_PER_BLOCK):
        n_bytes += len(block)
        if n_bytes > max_bytes:
            raise DataError(wanted="an archive that ends after its last member", found="more", where=archive)


def _safe_name(member: tarfile.TarInfo, archive: Path) -> PurePosixPath:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name or not (member.isreg() or member.isdir()):
        raise DataError(wanted="plain files inside the archive's folder", found=f"'{member.name}'", where=archive)
    return name


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    if source is None:
        raise DataError(wanted="a file with content", found=f"'{member.name}'", where=str(tar.name))
    with source, path.open("xb") as target:
        shutil.copyfileobj(source, target, _BYTES_PER_BLOCK)
