"""The two flows, one call a stage: a new intent and a new language."""
