"""Every command group, imported once so that it is on the app; one line each."""

from seedcorn.cli import data, demo, intent, language, lm, report, select, select_diversity, speech, study, translate

__all__ = [
    "data",
    "demo",
    "intent",
    "language",
    "lm",
    "report",
    "select",
    "select_diversity",
    "speech",
    "study",
    "translate",
]
