"""Every command group, imported once so that it is on the app; one line each."""

from seedcorn.cli import (
    data,
    data_audit,
    demo,
    grow,
    intent,
    language,
    lm,
    nlu,
    report,
    select,
    select_annotate,
    select_diversity,
    speech,
    speech_rescore,
    study,
    translate,
)

__all__ = [
    "data",
    "data_audit",
    "demo",
    "grow",
    "intent",
    "language",
    "lm",
    "nlu",
    "report",
    "select",
    "select_annotate",
    "select_diversity",
    "speech",
    "speech_rescore",
    "study",
    "translate",
]
