"""``python -m seedcorn`` and the ``seedcorn`` command."""

from seedcorn.ending import EndingInOrder


def main() -> None:
    """Run the command line and exit with its code."""
    with EndingInOrder() as ending:  # from the first import on, and when told again while it cleans up
        import atexit

        from seedcorn.interruption import end_at_once_when_told, end_in_any_case, end_in_order_when_told

        end_in_order_when_told()
        atexit.register(end_in_any_case)  # as the last step, since it is the first that is registered
        try:
            from seedcorn.cli import run

            ending.exit_code = run()
        finally:
            end_at_once_when_told()
    raise SystemExit(ending.exit_code)


if __name__ == "__main__":
    main()
