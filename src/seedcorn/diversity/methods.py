"""The names of what diversity selection offers, in a module that loads at once."""

from enum import StrEnum
from typing import Self


class Needs(StrEnum):
    """What a method has to see of every utterance."""

    NOTHING = "nothing"
    RELEVANCE = "relevance"
    FEATURES = "features"  # n-gram counts
    VECTORS = "vectors"  # sentence embeddings
    CODES = "codes"  # vectors by the paraphrase network


class Method(StrEnum):
    """How a diverse part of a pool is chosen."""

    # A line has the name of a method, where the function that chooses is (``view.Choose``), and what that needs. A new
    # method is a file with such a function, and a line here.
    # everything, best relevance first
    ALL = "all", "seedcorn.diversity.baselines:by_relevance", Needs.RELEVANCE
    # rounds of worst paraphrases
    PARAPHRASE = "paraphrase", "seedcorn.diversity.worst_paraphrase:by_worst_paraphrase", Needs.CODES
    # feature-based submodular function
    FEATURE = "feature", "seedcorn.diversity.submodular:by_feature_coverage", Needs.FEATURES
    FACILITY = "facility", "seedcorn.diversity.submodular:by_facility_location", Needs.VECTORS
    # farthest first
    KCENTRE = "kcentre", "seedcorn.diversity.baselines:by_k_centre", Needs.VECTORS
    RANDOM = "random", "seedcorn.diversity.baselines:at_random", Needs.NOTHING
    # best relevance first
    RELEVANCE = "relevance", "seedcorn.diversity.baselines:by_relevance", Needs.RELEVANCE

    chosen_by: str
    needs: Needs

    def __new__(cls, name: str, chosen_by: str, needs: Needs) -> Self:
        """Return the member called ``name``; its function is only imported when it is asked for."""
        member = str.__new__(cls, name)
        member._value_, member.chosen_by, member.needs = name, chosen_by, needs
        return member


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
