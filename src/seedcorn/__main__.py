"""``python -m seedcorn`` and the ``seedcorn`` command."""

from seedcorn.cli import run


def main() -> None:
    """Run the command line and exit with its code."""
    raise SystemExit(run())


if __name__ == "__main__":
    main()
