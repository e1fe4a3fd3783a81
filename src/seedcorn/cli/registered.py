"""Every command group, imported once so that it is on the app; one line each."""

from seedcorn.cli import data, intent, select

__all__ = ["data", "intent", "select"]
