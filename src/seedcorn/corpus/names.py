"""The names of what reading offers, in a module that loads at once."""

from enum import StrEnum


class OnError(StrEnum):
    """What a reader does with a bad row."""

    STOP = "stop"
    SKIP = "skip"
