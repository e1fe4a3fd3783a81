"""Downloads that go on where an earlier attempt stopped."""

import errno
import http
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from seedcorn.errors import DataError
from seedcorn.files import write_text_whole
from seedcorn.progress import say, track

SECONDS_TO_ANSWER = 60.0
SECONDS_BEFORE_RETRY = 1.0
_BYTES_PER_BLOCK = 1 << 20
_NO_SUCH_RANGE = http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def download(url: str, path: Path, *, n_attempts: int = 5, max_bytes: int = 1 << 32) -> None:
    """Put what is at ``url`` into ``path``, whole or not at all.

    What has come is kept beside it in ``.part`` files, and asked for no second time as long as the server still has
    the same version. Raises DataError when every attempt fails or there is more than ``max_bytes``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    for attempt in range(1, n_attempts + 1):
        try:
            _continue(url, part, max_bytes)
            break
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
                raise
            if attempt == n_attempts or _is_final(error):
                raise _failed(url, error) from error
            say(f"{url}: {error}; attempt {attempt + 1} of {n_attempts} goes on after {_size(part):,} bytes")
            time.sleep(SECONDS_BEFORE_RETRY)
    part.replace(path)
    _version_file(part).unlink(missing_ok=True)


def _is_final(error: Exception) -> bool:
    """Tell whether the server has understood and refused, so that asking again is of no use."""
    return isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500 and error.code != _NO_SUCH_RANGE


def _failed(url: str, error: Exception) -> DataError:
    return DataError(
        wanted="an answer with the whole file",
        found=str(error),
        where=url,
        fix="Run the same command again: it goes on where it stopped.",
    )


def _continue(url: str, part: Path, max_bytes: int) -> None:
    """Append to ``part`` what it lacks; starts anew when the server has another version or sends no parts."""
    request = urllib.request.Request(url, headers={"User-Agent": "seedcorn", "Accept-Encoding": "identity"})
    version = _version_file(part)
    if _size(part) and version.exists():
        request.add_header("Range", f"bytes={_size(part)}-")
        request.add_header("If-Range", version.read_text("utf-8"))
    with _answer(request, part) as response:
        goes_on = (response.headers.get("Content-Range") or "").startswith(f"bytes {_size(part)}-")
        n_known = _size(part) if response.status == http.HTTPStatus.PARTIAL_CONTENT and goes_on else 0
        length = response.headers.get("Content-Length")
        n_bytes = n_known + int(length) if length else None
        if (n_bytes or 0) > max_bytes:
            raise DataError(wanted=f"at most {max_bytes:,} bytes", found=f"{n_bytes:,}", where=url)
        write_text_whole(version, response.headers.get("ETag") or response.headers.get("Last-Modified") or "")
        if not version.read_text("utf-8"):
            version.unlink()
        _append(response, part, n_known=n_known, n_bytes=n_bytes, max_bytes=max_bytes)


def _answer(request: urllib.request.Request, part: Path) -> http.client.HTTPResponse:
    try:
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER)
    except urllib.error.HTTPError as error:
        if error.code == _NO_SUCH_RANGE:  # what is there is as long as the file or longer: of no use
            part.unlink(missing_ok=True)
        raise
    return answer


def _append(
    response: http.client.HTTPResponse, part: Path, *, n_known: int, n_bytes: int | None, max_bytes: int
) -> None:
    n_blocks = None if n_bytes is None else -(-(n_bytes - n_known) // _BYTES_PER_BLOCK)
    with part.open("ab" if n_known else "wb") as stream:
        for block in track(_blocks(response), f"fetching {part.stem} (MiB)", total=n_blocks):
            stream.write(block)
            if stream.tell() > max_bytes:
                raise DataError(wanted=f"at most {max_bytes:,} bytes", found="more", where=response.url)
    if n_bytes is not None and _size(part) != n_bytes:
        raise http.client.IncompleteRead(b"", n_bytes - _size(part))


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while block := response.read(_BYTES_PER_BLOCK):
        yield block


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _version_file(part: Path) -> Path:
    """Return where the server's name for the version of ``part`` is kept."""
    return part.with_name(f"{part.name}.version")
