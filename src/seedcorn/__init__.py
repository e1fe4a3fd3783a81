"""Seedcorn grows a small annotated seed into the training data that a new voice-agent capability needs."""

__version__ = "0.1.0"
