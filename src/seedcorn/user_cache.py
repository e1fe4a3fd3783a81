"""What is kept from run to run on a machine, because it can always be made again but takes long.

SEEDCORN_CACHE names the folder; set to nothing there is no cache.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from seedcorn.files import write_text_whole

CACHE_VARIABLE = "SEEDCORN_CACHE"


def cache_folder() -> Path | None:
    """Return $SEEDCORN_CACHE, or seedcorn in the user's cache folder; None where the variable is set to nothing."""
    named = os.environ.get(CACHE_VARIABLE)
    if named is not None:
        return Path(named).expanduser() if named else None
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seedcorn"


def kept_text(name: str, make: Callable[[], str]) -> str:
    """Return the text that is kept as the file ``name``, or else what ``make`` returns, and keep that.

    A folder that cannot be read or written is left out: the text is made.
    """
    folder = cache_folder()
    if folder is None:
        return make()
    try:
        return (folder / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        text = make()
    with contextlib.suppress(OSError):  # it is made again next time
        folder.mkdir(parents=True, exist_ok=True)
        write_text_whole(folder / name, text)
    return text
