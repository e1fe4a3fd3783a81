"""Which general pairs a translator learns from, and language models too: those near to in-domain text.

By the target side alone, in a sentence embedding (Wang et al. 2017), or by both sides, in cross-entropy (Axelrod, He,
Gao 2011, "Domain adaptation via pseudo in-domain data selection"), where there is in-domain source text too. Pairs are
streamed: two to four passes, in memory that grows by their scores alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.corpus.pair_cleaning import take_pairs
from seedcorn.corpus.pairs import PairCorpus
from seedcorn.corpus.parallel import Mapper, map_in_order, mapped
from seedcorn.errors import DataError
from seedcorn.progress import track
from seedcorn.relevance.centroid import centroid, centroid_scores
from seedcorn.relevance.cross_entropy import UNIT, CrossEntropyModels, cross_entropy_scores, fit_cross_entropy
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.relevance.embedding import fit_encoder_to_stream, named_encoder
from seedcorn.relevance.sentence_vectors import SentenceEncoder
from seedcorn.selection import FloatArray, Scores, Selection
from seedcorn.translation.settings import PairMethod, PairSelectionSettings

N_GENERAL_PAIRS = 20_000


def score_pairs(
    pairs: PairCorpus,
    *,
    in_domain: Sequence[str],
    in_domain_source: Sequence[str] = (),
    settings: PairSelectionSettings,
    random_seed: int,
    mapper: Mapper = map_in_order,
) -> Scores:
    """Return how near each pair is to ``in_domain`` target text and, by cross-entropy, to ``in_domain_source``.

    ``mapper`` carries the passes over the pairs out.
    """
    if settings.method is PairMethod.CROSS_ENTROPY:
        return cross_entropy_of_pairs(
            pairs, in_domain=in_domain, in_domain_source=in_domain_source, random_seed=random_seed, mapper=mapper
        )
    return distance_of_pairs(pairs, in_domain, settings=settings, random_seed=random_seed, mapper=mapper)


def select_pairs(scores: Scores, cutoff: Cutoff) -> Selection:
    """Return the pairs within ``cutoff``, nearest first. Raises DataError when none is."""
    selection = cutoff.apply(scores, texts=lambda: (), seed=(), threshold_for=float)
    if not len(selection.positions):
        raise DataError(
            wanted="at least one pair near the in-domain text",
            found=f"none of {len(scores):,}",
            fix="Keep more in the cut-off of the pair selection.",
        )
    return selection


def distance_of_pairs(
    pairs: PairCorpus,
    in_domain: Sequence[str],
    *,
    settings: PairSelectionSettings,
    random_seed: int,
    mapper: Mapper = map_in_order,
) -> Scores:
    """Return how far the target side of each pair is from the centroid of the ``in_domain`` texts; lower is better.

    With ``minus_general`` the distance to the centroid of all target sides is subtracted. The built-in encoder is
    fitted on the in-domain texts and a sample of all target sides. Raises DataError when there is no in-domain text.
    """
    _refuse_nothing(in_domain, "target")

    def targets() -> Iterator[pa.StringArray]:
        return (batch.column("target") for batch in track(pairs.batches(), "reading pairs, batches"))

    encoder: SentenceEncoder = (
        named_encoder(str(settings.encoder))
        if settings.encoder
        else fit_encoder_to_stream(
            lambda: iter([pa.array(list(in_domain), pa.string()), *targets()]),
            n_dimensions=settings.n_dimensions,
            random_seed=random_seed,
        )
    )
    return centroid_scores(
        _targets(pairs),
        encoder,
        in_domain=centroid([list(in_domain)], encoder),
        general=centroid(_targets(pairs), encoder, mapper=mapper) if settings.minus_general else None,
        mapper=mapper,
    )


def _targets(pairs: PairCorpus) -> Iterable[pa.StringArray]:
    """Return the target side for a Mapper."""
    return mapped(pairs.pieces(), _target_of)


def _target_of(batch: pa.RecordBatch) -> pa.StringArray:
    return batch.column("target")


def cross_entropy_of_pairs(
    pairs: PairCorpus,
    *,
    in_domain: Sequence[str],
    in_domain_source: Sequence[str],
    random_seed: int,
    mapper: Mapper = map_in_order,
) -> Scores:
    """Return how much more in-domain than general each pair is: cross-entropy differences, both sides added.

    Higher is better. The general models are of N_GENERAL_PAIRS pairs drawn at random; pairs with an empty side have no
    score. Raises DataError when a side has no in-domain text.
    """
    sides = {"source": in_domain_source, "target": in_domain}
    for side, texts in sides.items():
        _refuse_nothing(texts, side)
    sample = _sample(pairs, np.random.default_rng(random_seed))
    models = {
        side: fit_cross_entropy([list(texts)], [sample.column(side).combine_chunks()]) for side, texts in sides.items()
    }
    parts = list(track(mapper(partial(_both_sides, models=models), pairs.pieces()), "scoring pairs, batches"))
    missing = np.concatenate([np.zeros(0, np.bool_), *(part.missing for part in parts)])
    return Scores(
        values=np.concatenate([np.zeros(0), *(part.values for part in parts)]),
        name="bilingual cross-entropy difference",
        unit=UNIT,
        missing=missing if missing.any() else None,
    )


class _BothSides(NamedTuple):
    values: FloatArray
    missing: NDArray[np.bool_]


def _both_sides(batch: pa.RecordBatch, *, models: Mapping[str, CrossEntropyModels]) -> _BothSides:
    """Return the cross-entropy differences of both sides, added, and which pairs have none."""
    found = [cross_entropy_scores([batch.column(side)], model) for side, model in models.items()]
    missing = [np.zeros(len(s), np.bool_) if s.missing is None else s.missing for s in found]
    return _BothSides(np.sum([s.values for s in found], axis=0), np.logical_or.reduce(missing))


def _refuse_nothing(texts: Sequence[str], side: str) -> None:
    if not any(text.strip() for text in texts):
        raise DataError(wanted=f"in-domain text of the {side} language", found="none")


def _sample(pairs: PairCorpus, rng: np.random.Generator) -> pa.Table:
    n_pairs = pairs.count()
    drawn = np.sort(rng.permutation(n_pairs)[:N_GENERAL_PAIRS])
    return take_pairs(pairs, drawn).table()
