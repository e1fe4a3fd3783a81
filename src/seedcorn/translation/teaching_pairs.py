"""Which general pairs teach the translator: those near to in-domain text.

By the target side alone, in a sentence embedding (Wang et al. 2017), or by both sides, in cross-entropy (Axelrod, He,
Gao 2011, "Domain adaptation via pseudo in-domain data selection"), where there is in-domain source text too.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from seedcorn.corpus.pair_cleaning import take_pairs
from seedcorn.corpus.pairs import PairCorpus
from seedcorn.errors import DataError
from seedcorn.relevance.cross_entropy import cross_entropy_scores, fit_cross_entropy
from seedcorn.relevance.embedding import SentenceEncoder, centroid, centroid_scores, fit_encoder
from seedcorn.selection import Scores

N_FITTED_BATCHES = 8
N_GENERAL_PAIRS = 20_000


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


def bilingual_scores(
    pairs: PairCorpus, *, in_domain_source: Sequence[str], in_domain_target: Sequence[str], random_seed: int = 0
) -> Scores:
    """Return how much more in-domain than general each pair is: cross-entropy differences, both sides added.

    Higher is better. The general models are of N_GENERAL_PAIRS pairs drawn at random; pairs with an empty side have no
    score. Two passes and one over the sample, memory flat in the pairs. Raises DataError when a side has no in-domain
    text.
    """
    sides = {"source": in_domain_source, "target": in_domain_target}
    for side, texts in sides.items():
        if not any(text.strip() for text in texts):
            raise DataError(wanted=f"in-domain text of the {side} language", found="none")
    sample = _sample(pairs, np.random.default_rng(random_seed))
    found = [
        cross_entropy_scores(
            (batch.column(side) for batch in pairs.batches()),
            fit_cross_entropy([list(texts)], [sample.column(side).combine_chunks()]),
        )
        for side, texts in sides.items()
    ]
    missing = [s.missing for s in found if s.missing is not None]
    return Scores(
        values=found[0].values + found[1].values,
        name="bilingual cross-entropy difference",
        unit=found[0].unit,
        missing=np.logical_or.reduce(missing) if missing else None,
    )


def _sample(pairs: PairCorpus, rng: np.random.Generator) -> pa.Table:
    n_pairs = pairs.count()
    drawn = np.sort(rng.permutation(n_pairs)[:N_GENERAL_PAIRS])
    return take_pairs(pairs, drawn).table()


def _first(pairs: PairCorpus) -> list[pa.StringArray]:
    batches = pairs.batches()
    return [batch.column("target") for batch, _ in zip(batches, range(N_FITTED_BATCHES), strict=False)]
