"""Progress of long work: a bar on a terminal, plain lines elsewhere, nothing at all unless a caller asked for it."""

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import TypeVar

Item = TypeVar("Item")

SECONDS_BEFORE_SHOWING = 2.0
SECONDS_BETWEEN_LINES = 10.0
SECONDS_OF_SILENCE = 30.0


class ProgressMode(StrEnum):
    """How progress is shown; always on standard error, so that output can be piped."""

    SILENT = "silent"
    LINES = "lines"
    BAR = "bar"


_mode: ContextVar[ProgressMode] = ContextVar("progress_mode", default=ProgressMode.SILENT)
_source: ContextVar[str] = ContextVar("progress_source", default="")


class _Lines:
    """Standard error in lines: what was said last, and when."""

    last = ""
    at = 0.0

    def write(self, line: str) -> None:
        """Write one line, and remember it."""
        if sys.stderr is not None:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        self.last, self.at = line, time.monotonic()


_lines = _Lines()


@contextmanager
def showing_progress(mode: ProgressMode | None = None, *, source: str = "") -> Iterator[None]:
    """Show progress inside the block; by default a bar on a terminal and plain lines elsewhere.

    Lines begin with their ``source`` where several share a screen. Where progress is lines, half a minute in which
    nothing is said ends with a line that the work goes on.
    """
    chosen = mode or (ProgressMode.BAR if sys.stderr and sys.stderr.isatty() else ProgressMode.LINES)
    token, of_source, over = _mode.set(chosen), _source.set(source), threading.Event()
    if chosen is ProgressMode.LINES:
        threading.Thread(target=_break_silence, args=(over,), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        _mode.reset(token)
        _source.reset(of_source)


def shown_progress() -> tuple[ProgressMode, str]:
    """Return how progress is shown here, and its source: what ``showing_progress`` takes in another process."""
    return _mode.get(), _source.get()


def _break_silence(over: threading.Event) -> None:
    started = _lines.at = time.monotonic()
    while not over.wait(max(_lines.at + SECONDS_OF_SILENCE - time.monotonic(), 0.01)):
        if time.monotonic() >= _lines.at + SECONDS_OF_SILENCE:
            said = _lines.last
            _lines.write(f"still running after {time.monotonic() - started:.0f} s{f' ({said})' if said else ''}")
            _lines.last = said


def say(message: str) -> None:
    """Write one line to standard error, unless progress is silent."""
    if _mode.get() is not ProgressMode.SILENT:
        source = _source.get()
        _lines.write(f"{source}: {message}" if source else message)


def track(items: Iterable[Item], what: str, *, total: int | None = None) -> Iterator[Item]:
    """Yield ``items`` while showing how many are done of ``total``, as soon as the work lasts over two seconds.

    ``what`` names the work and its unit ("scoring batches"). An item counts as done when the next one is asked for.
    """
    mode = _mode.get()
    if mode is ProgressMode.SILENT:
        yield from items
    elif mode is ProgressMode.LINES:
        yield from _track_by_lines(items, what, total)
    else:
        yield from _track_by_bar(items, what, total)


def _track_by_lines(items: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    started = time.monotonic()
    next_line = started + SECONDS_BEFORE_SHOWING
    for n_done, item in enumerate(items):
        now = time.monotonic()
        if now >= next_line:
            next_line = now + SECONDS_BETWEEN_LINES
            say(f"{what}: {_amount(n_done, total)}{_time_left(now - started, n_done, total)}")
        yield item


def _track_by_bar(items: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(items, total=total, description=what)


def _amount(n_done: int, total: int | None) -> str:
    return f"{n_done:,}" if total is None else f"{n_done:,} of {total:,}"


def _time_left(seconds: float, n_done: int, total: int | None) -> str:
    if total is None or n_done == 0:
        return ""
    return f", {seconds / n_done * max(total - n_done, 0):.0f} s left"
