"""Every command group, imported once so that it is on the app; one line each."""

from seedcorn.cli import data, intent, language, lm, select, select_diversity, speech, study, translate

__all__ = ["data", "intent", "language", "lm", "select", "select_diversity", "speech", "study", "translate"]
