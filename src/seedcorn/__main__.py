"""``python -m seedcorn`` and the ``seedcorn`` command."""

import atexit
import sys

from seedcorn.interruption import (
    EXIT_INTERRUPTED,
    INTERRUPTED,
    end_at_once_when_told,
    end_in_any_case,
    end_in_order_when_told,
)


def main() -> None:
    """Run the command line and exit with its code."""
    end_in_order_when_told()
    atexit.register(end_in_any_case)  # as the last step, since it is the first that is registered
    try:
        from seedcorn.cli import run

        exit_code = run()
    except KeyboardInterrupt:  # while the command line was loaded, or a second one while it cleaned up
        sys.stderr.write(f"seedcorn: {INTERRUPTED}\n")
        exit_code = EXIT_INTERRUPTED
    end_at_once_when_told()
    raise SystemExit(exit_code)


if __name__ == "__main__":
    main()
