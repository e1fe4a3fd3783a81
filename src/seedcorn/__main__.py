"""``python -m seedcorn`` and the ``seedcorn`` command."""

import atexit

from seedcorn.interruption import EndingInOrder, end_at_once_when_told, end_in_any_case, end_in_order_when_told


def main() -> None:
    """Run the command line and exit with its code."""
    end_in_order_when_told()
    atexit.register(end_in_any_case)  # as the last step, since it is the first that is registered
    with EndingInOrder() as ending:  # while the command line is loaded, and when told again while it cleans up
        from seedcorn.cli import run

        ending.exit_code = run()
    end_at_once_when_told()
    raise SystemExit(ending.exit_code)


if __name__ == "__main__":
    main()
