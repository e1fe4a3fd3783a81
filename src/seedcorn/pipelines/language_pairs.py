"""Which general sentence pairs teach the translator, and with which of their words as placeholders."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.pairs import PairCorpus
from seedcorn.errors import DataError
from seedcorn.relevance.cutoff import keep_above, keep_best, keep_fraction
from seedcorn.relevance.embedding import SentenceEncoder, centroid, centroid_scores, fit_encoder, named_encoder
from seedcorn.selection import Scores, Selection
from seedcorn.translation.teaching_pairs import bilingual_scores


class PairMethod(StrEnum):
    """How near a pair is to in-domain text."""

    CENTROID = "centroid"  # distance of its target side from the transcripts' centroid in a sentence embedding
    CROSS_ENTROPY = "cross_entropy"  # likelier in-domain than in general, both sides added


class PairChoice(Settings):
    """The pairs nearest to in-domain text; one of the three cut-offs is set, ``distance`` for ``centroid`` only.

    ``minus_general`` ranks by in-domain minus general distance (Wang et al. 2017). ``encoder`` names a sentence
    encoder; empty means the built-in one, fitted on the text at hand. In ``placeholder_fraction`` of the pairs words
    become slot placeholders, so that the translator learns to carry them.
    """

    method: PairMethod = PairMethod.CENTROID
    fraction: float | None = Field(0.4, gt=0, le=1)
    n_kept: int | None = Field(None, ge=1)
    distance: float | None = None
    minus_general: bool = True
    encoder: str = ""
    n_dimensions: int = Field(128, ge=1)
    placeholder_fraction: float = Field(0.25, ge=0, le=1)

    @model_validator(mode="after")
    def _exactly_one_cutoff(self) -> Self:
        given = [name for name in ("fraction", "n_kept", "distance") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of fraction, n_kept and distance (the others null); found {len(given)}")
        if self.distance is not None and self.method is not PairMethod.CENTROID:
            raise ValueError("distance is a cut-off for the method 'centroid'")
        return self


@dataclass(frozen=True, kw_only=True)
class ChosenPairs:
    """How near every pair is to in-domain text, and which pairs are kept, nearest first."""

    scores: Scores
    selection: Selection


def choose_pairs(
    pairs: PairCorpus, transcripts: Sequence[str], source: Sequence[str], *, choice: PairChoice, random_seed: int
) -> ChosenPairs:
    """Return the pairs nearest to ``transcripts`` and, by cross-entropy, to in-domain ``source`` text.

    Raises DataError when none is kept.
    """
    scores = (
        _centroid_scores(pairs, transcripts, choice=choice, random_seed=random_seed)
        if choice.method is PairMethod.CENTROID
        else bilingual_scores(pairs, in_domain_source=source, in_domain_target=transcripts, random_seed=random_seed)
    )
    selection = _cut(scores, choice)
    if not len(selection.positions):
        raise DataError(
            wanted="at least one pair near the transcripts",
            found=f"none of {len(scores):,}",
            fix="Raise the cut-off in 'pairs'.",
        )
    return ChosenPairs(scores=scores, selection=selection)


def _centroid_scores(pairs: PairCorpus, transcripts: Sequence[str], *, choice: PairChoice, random_seed: int) -> Scores:
    targets = [batch.column("target") for batch in pairs.batches()]
    encoder: SentenceEncoder = (
        named_encoder(choice.encoder)
        if choice.encoder
        else fit_encoder([list(transcripts), *targets], n_dimensions=choice.n_dimensions, random_seed=random_seed)
    )
    return centroid_scores(
        targets,
        encoder,
        in_domain=centroid([list(transcripts)], encoder),
        general=centroid(targets, encoder) if choice.minus_general else None,
    )


def _cut(scores: Scores, choice: PairChoice) -> Selection:
    if choice.fraction is not None:
        return keep_fraction(scores, fraction=choice.fraction)
    if choice.n_kept is not None:
        return keep_best(scores, n_kept=choice.n_kept)
    return keep_above(scores, threshold=choice.distance or 0.0)


def teaching_pairs(
    chosen: PairCorpus, dictionary: PairCorpus, *, placeholder_fraction: float, random_seed: int
) -> PairCorpus:
    """Return what a translator is trained on: ``chosen`` and dictionary pairs, some with placeholders for words.

    Words that have a short translation in either, but the commonest ones, are what placeholders stand for.
    """
    from seedcorn.translation.placeholders import frequent_words, lexicon_of, with_placeholders

    together = PairCorpus(lambda: iter([*chosen.batches(), *dictionary.batches()]))
    if placeholder_fraction == 0:
        return together
    common = frequent_words(chosen)
    known = {s: t for s, t in lexicon_of(together.pairs()).items() if s not in common}
    rng = np.random.default_rng(random_seed)
    return with_placeholders(together, known, pair_fraction=placeholder_fraction, rng=rng)
