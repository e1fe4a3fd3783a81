"""Where the part that is kept ends: one setting for pools, sentence pairs and everything else that has scores."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from seedcorn.config import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from seedcorn.corpus.utterances import Utterance
    from seedcorn.selection import Scores, Selection


class Cutoff(Settings):
    """Where the relevant part of the pool ends; exactly one is set.

    ``precision`` keeps as much as an estimate by cross-validation on the labelled data allows at that precision
    (logistic only), ``n_kept`` and ``fraction`` the best rows, ``n_words`` the best rows within a budget of words,
    ``n_per_intent`` the best rows of those nearest to each intent of the seed.
    """

    precision: float | None = Field(None, gt=0, le=1)
    threshold: float | None = None
    n_kept: int | None = Field(None, ge=0)
    fraction: float | None = Field(None, ge=0, le=1)
    n_words: int | None = Field(None, ge=0)
    n_per_intent: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}; found {len(given)}")
        return self

    def apply(
        self,
        scores: "Scores",
        *,
        texts: "Callable[[], Iterable[pa.StringArray]]",
        seed: "Sequence[Utterance]",
        threshold_for: Callable[[float], float],
    ) -> "Selection":
        """Return what of the scored rows is kept.

        ``texts`` starts a pass over the rows in batches, for budgets in words and intents; ``threshold_for`` tells the
        threshold of a precision.
        """
        import numpy as np

        from seedcorn.relevance import keeping
        from seedcorn.relevance.explain import nearest_intents
        from seedcorn.relevance.ngrams import count_words

        if self.n_kept is not None:
            return keeping.keep_best(scores, n_kept=self.n_kept)
        if self.fraction is not None:
            return keeping.keep_fraction(scores, fraction=self.fraction)
        if self.n_words is not None:
            n_words = np.concatenate([count_words(batch) for batch in texts()])
            return keeping.keep_words(scores, n_words, n_words_budget=self.n_words)
        if self.n_per_intent is not None:
            intents = np.concatenate([nearest_intents(batch, seed) for batch in texts()])
            return keeping.keep_per_intent(
                scores, intents, quotas=dict.fromkeys((u.intent for u in seed), self.n_per_intent)
            )
        threshold = threshold_for(self.precision) if self.precision is not None else self.threshold
        return keeping.keep_above(scores, threshold=0.0 if threshold is None else threshold)

    def in_rows(self, n_rows: int, *, threshold_for: Callable[[float], float]) -> Self:
        """Return the same cut-off of a pool of ``n_rows`` as a number of rows or a threshold, to cut a stream by."""
        from seedcorn.relevance.keeping import n_of_fraction

        if self.fraction is not None:
            return type(self)(n_kept=n_of_fraction(n_rows, self.fraction))
        return self if self.precision is None else type(self)(threshold=threshold_for(self.precision))

    def of_part(self, scores: "Scores", *, texts: "pa.StringArray", seed: "Sequence[Utterance]") -> "Selection":
        """Return the rows of one part of a pool that the cut-off could keep of the whole."""
        from seedcorn.relevance.keeping import words_candidates
        from seedcorn.relevance.ngrams import count_words

        if self.n_words is not None:
            return words_candidates(scores, count_words(texts), n_words_budget=self.n_words)
        return self.apply(scores, texts=lambda: [texts], seed=seed, threshold_for=float)
