"""What an interrupted command says and its exit code.

This module imports nothing that Python has not loaded itself: it is there before an interruption can come.
"""

import sys

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
            if sys.stderr is not None:
                sys.stderr.write(f"seedcorn: {INTERRUPTED}\n")
            self.exit_code = EXIT_INTERRUPTED
        return error is not None
