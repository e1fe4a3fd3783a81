"""The names of what diversity selection offers, in a module that loads at once."""

from enum import StrEnum


class Method(StrEnum):
    """How a diverse part of a pool is chosen."""

    ALL = "all"  # everything, best relevance first
    PARAPHRASE = "paraphrase"  # rounds of worst paraphrases; needs codes of the paraphrase network as vectors
    FEATURE = "feature"  # feature-based submodular function; needs features
    FACILITY = "facility"  # facility location; needs vectors
    KCENTRE = "kcentre"  # farthest first; needs vectors
    RANDOM = "random"
    RELEVANCE = "relevance"  # best relevance first; needs relevance


class Optimiser(StrEnum):
    """How a submodular function is maximised."""

    LAZY = "lazy"  # exact greedy
    STOCHASTIC = "stochastic"  # the best of a random sample each time
    STREAM = "stream"  # one pass of sieve streaming over a pool beyond memory; for ``feature`` only


class Concave(StrEnum):
    """The concave function g of how often a feature is covered."""

    SQRT = "sqrt"
    LOG1P = "log1p"
    SATURATED = "saturated"  # min(amount, limit)


class Strategy(StrEnum):
    """What makes a text worth its label."""

    UNCERTAINTY = "uncertainty"  # how many mistakes are to be expected: the doubt of the intent, and those of the slots
    MARGIN = "margin"  # how near the second intent comes to the first; slots as in uncertainty
    DISAGREEMENT = "disagreement"  # how far two views of the text differ in its intent; slots as in uncertainty
    COVERAGE = "coverage"  # how many texts are like it that nothing labelled is like, whatever the model says
    MIXED = "mixed"  # coverage of what two views disagree on, or of what the model is unsure of with one
    RANDOM = "random"
