"""How a command ends when it is told to: SIGTERM as Ctrl-C, in one line, from its first import on.

This module imports nothing that takes long: what is not imported yet cannot end in order.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

EXIT_INTERRUPTED = 130
INTERRUPTED = "interrupted; the same command goes on where it stopped"


class Interrupted(KeyboardInterrupt):
    """The user, or the system, wants the command to end.

    Its own class, since Python ends by the signal after a plain KeyboardInterrupt inside ``exec``, caught or not.
    """


class EndingInOrder:
    """Take an interruption out of the block, also where it came up as another error, and say so in one line.

    Python makes a RuntimeError of what is raised in ``__set_name__``, modules written in C an error of their own.
    """

    exit_code: int = 0

    def __enter__(self) -> "EndingInOrder":
        """Return itself, of which ``exit_code`` is to be set."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        """Return whether an interruption was what ended the block."""
        while error is not None and not isinstance(error, KeyboardInterrupt):
            error = error.__cause__ or error.__context__
        if error is not None:
            sys.stderr.write(f"seedcorn: {INTERRUPTED}\n")
            self.exit_code = EXIT_INTERRUPTED
        return error is not None


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
