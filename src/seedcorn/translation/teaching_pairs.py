"""Which general pairs teach the translator: those whose target side is near to in-domain text (Wang et al. 2017)."""

from collections.abc import Sequence

import pyarrow as pa

from seedcorn.corpus.pairs import PairCorpus
from seedcorn.errors import DataError
from seedcorn.relevance.embedding import SentenceEncoder, centroid, centroid_scores, fit_encoder
from seedcorn.selection import Scores

N_FITTED_BATCHES = 8


def teaching_scores(
    pairs: PairCorpus,
    in_domain: Sequence[str],
    *,
    minus_general: bool = True,
    encoder: SentenceEncoder | None = None,
    random_seed: int = 0,
) -> Scores:
    """Return how far the target side of each pair is from the centroid of the ``in_domain`` texts; lower is better.

    With ``minus_general`` the distance to the centroid of all target sides is subtracted. Without an ``encoder`` the
    built-in one is fitted on the in-domain texts and the first batches. Two or three passes, memory flat in the pairs.
    Raises DataError when there is no in-domain text.
    """
    if not any(text.strip() for text in in_domain):
        raise DataError(wanted="in-domain text of the target language", found="none")
    chosen = encoder or fit_encoder([pa.array(list(in_domain), pa.string()), *_first(pairs)], random_seed=random_seed)
    return centroid_scores(
        (batch.column("target") for batch in pairs.batches()),
        chosen,
        in_domain=centroid([list(in_domain)], chosen),
        general=centroid((batch.column("target") for batch in pairs.batches()), chosen) if minus_general else None,
    )


def _first(pairs: PairCorpus) -> list[pa.StringArray]:
    batches = pairs.batches()
    return [batch.column("target") for batch, _ in zip(batches, range(N_FITTED_BATCHES), strict=False)]
