"""Every command group, imported once so that it is on the app; one line each."""

from seedcorn.cli import select

__all__ = ["select"]
