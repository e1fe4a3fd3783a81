"""Files of limited size, which stand for a full disk."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

resource = pytest.importorskip("resource", reason="POSIX limits")


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """Let no file become longer than ``n_bytes`` in the block."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
