"""The bytes of text files: how they are compressed, told by their beginning, and that they are UTF-8."""

from pathlib import Path

from seedcorn.errors import DataError, at

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
BYTES_OF_COMPRESSION = 4  # that tell it
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# Frames of no content, 0x50 to 0x5f, which pzstd and seekable files begin with.
_SKIPPABLE_MAGIC = b"\x2a\x4d\x18"


def compression_of(start: bytes, path: Path) -> str | None:
    """Return how the file ``path`` that begins with ``start`` is compressed, whatever its name: gzip, zstd or not.

    Raises DataError for one that is not though its name says so: what is left of a damaged file may look like text, or
    like nothing.
    """
    is_zstd = start[:4] == _ZSTD_MAGIC or (start[1:4] == _SKIPPABLE_MAGIC and start[0] >> 4 == 5)
    found = "gzip" if start.startswith(_GZIP_MAGIC) else "zstd" if is_zstd else None
    named = COMPRESSIONS.get(path.suffix.lower())
    if named and found is None:
        fix = "Write it again, or give an uncompressed file a name without that ending."
        raise DataError(wanted=f"a {named} file, as its name says", found="another beginning", where=path, fix=fix)
    return found


def decoded(data: bytes, path: Path, *, first_line: int = 1, wanted: str = "UTF-8 text") -> str:
    """Return the text of ``data``; raises DataError, with the line, when it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise not_utf8(data[error.start], at(path, line), wanted=wanted) from error


def not_utf8(byte: int, where: str = "", *, wanted: str = "UTF-8 text") -> DataError:
    """Return the error of a text that holds ``byte`` where UTF-8 has none."""
    return DataError(
        wanted=wanted,
        found=f"the byte 0x{byte:02x}",
        where=where,
        fix="If the file is Latin-1: iconv -f LATIN1 -t UTF-8.",
    )
