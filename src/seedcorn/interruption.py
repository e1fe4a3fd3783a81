"""How a command ends when it is told to: SIGTERM as Ctrl-C, in one line, from its first import on.

This module imports nothing that takes long: what is not imported yet cannot end in order.
"""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from seedcorn.ending import EXIT_INTERRUPTED, Interrupted


def end_in_order_when_told() -> None:
    """Let Ctrl-C and SIGTERM raise Interrupted, so that what is half-written goes, and the command can be resumed.

    What the process was started to ignore, as the background jobs of a shell script do, it ignores.
    """
    _on_signals(_interrupt)


def end_at_once_when_told() -> None:
    """Let Ctrl-C and SIGTERM end a process that has nothing left to do but to wait for its threads."""
    _on_signals(_leave)


def end_in_any_case() -> None:
    """Ignore Ctrl-C and SIGTERM: what is done is done, and the exit code is to say so.

    For the last step of a process: Python gives up all other handlers before it is gone.
    """
    _on_signals(signal.SIG_IGN)


def _on_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(EXIT_INTERRUPTED)
