"""Perplexity: what a model makes of a text, as counts that add up over batches."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from seedcorn.errors import DataError
from seedcorn.lm.ngram_model import SentenceScores
from seedcorn.lm.text_buffers import Texts


class SentenceScorer(Protocol):
    """A model that scores batches of sentences: an NgramModel or a Mixture."""

    def score(self, texts: Texts) -> SentenceScores:
        """Return the scores of every row of ``texts``."""
        ...


@dataclass(frozen=True, kw_only=True)
class PerplexityCounts:
    """Log probabilities (natural) and numbers of words of some text; sentence ends count as words in perplexities."""

    logp: float = 0.0
    oov_logp: float = 0.0
    n_sentences: int = 0
    n_words: int = 0
    n_oov: int = 0

    def __add__(self, other: "PerplexityCounts") -> "PerplexityCounts":
        return PerplexityCounts(
            logp=self.logp + other.logp,
            oov_logp=self.oov_logp + other.oov_logp,
            n_sentences=self.n_sentences + other.n_sentences,
            n_words=self.n_words + other.n_words,
            n_oov=self.n_oov + other.n_oov,
        )

    @property
    def perplexity(self) -> float:
        """exp(-log probability a word), unknown words as likely as the model's ``<unk>``."""
        return math.exp(-self.logp / (self.n_words + self.n_sentences))

    @property
    def perplexity_without_oov(self) -> float:
        """The same over known words and sentence ends only."""
        return math.exp(-(self.logp - self.oov_logp) / (self.n_words - self.n_oov + self.n_sentences))

    @property
    def oov_fraction(self) -> float:
        """The fraction of the words that the model does not know."""
        return self.n_oov / self.n_words if self.n_words else 0.0


def measure_perplexity(model: SentenceScorer, texts: Iterable[Texts]) -> PerplexityCounts:
    """Return the counts of ``model`` on ``texts``; raises DataError when there is no sentence."""
    counts = PerplexityCounts()
    for batch in texts:
        scores = model.score(batch)
        counts += PerplexityCounts(
            logp=float(scores.logps.sum()),
            oov_logp=float(scores.oov_logps.sum()),
            n_sentences=len(scores.logps),
            n_words=int(scores.n_words.sum()),
            n_oov=int(scores.n_oov.sum()),
        )
    if counts.n_sentences == 0:
        raise DataError(wanted="text with at least one sentence", found="none")
    return counts
