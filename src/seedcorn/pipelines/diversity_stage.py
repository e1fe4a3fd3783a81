"""Diversity as a setting: which method chooses, from the relevant part of a pool, what adds something."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.objectives import Budget
from seedcorn.diversity.submodular import DiverseSelection, DiversitySettings, Method, View, select_diverse
from seedcorn.selection import Scores


class DiversityMethod(StrEnum):
    """As diversity.submodular.Method, or ``all``: keep everything relevant."""

    ALL = "all"
    PARAPHRASE = "paraphrase"
    FEATURE = "feature"
    FACILITY = "facility"
    KCENTRE = "kcentre"
    RANDOM = "random"
    RELEVANCE = "relevance"


class DiversityChoice(Settings):
    """Which part of the relevant utterances is kept: ``fraction`` of them, chosen by ``method``.

    ``paraphrase_network`` is a folder with a trained network; without one, the method ``paraphrase`` trains it on the
    seed and the background. ``relevance_share`` mixes relevance into the gain of ``feature``.
    """

    method: DiversityMethod = DiversityMethod.FEATURE
    fraction: float = Field(0.5, gt=0, le=1)
    n_rounds: int = Field(20, ge=1)
    relevance_share: float = Field(0.0, ge=0)
    paraphrase_network: str | None = None


def choose_diverse(
    relevant: Sequence[str],
    relevance: Scores,
    *,
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    choice: DiversityChoice,
    random_seed: int,
    network: Path | None = None,
) -> DiverseSelection:
    """Return which of the ``relevant`` texts are kept; ``relevance`` scores the same rows.

    ``network`` is where the trained paraphrase network lies, for the method that needs one.
    """
    n_rows = len(relevant)
    method = Method.RELEVANCE if choice.method is DiversityMethod.ALL else Method(choice.method.value)
    n_kept = n_rows if choice.method is DiversityMethod.ALL else max(1, round(choice.fraction * n_rows))
    pool, seed_view = views_for(
        method, relevant, relevance, seed=seed, background=background, random_seed=random_seed, network=network
    )
    return select_diverse(
        pool,
        method=method,
        budget=Budget.utterances(n_kept, n_rows=n_rows),
        seed=seed_view,
        settings=DiversitySettings(n_rounds=choice.n_rounds, relevance_share=choice.relevance_share),
        random_seed=random_seed,
    )


def views_for(
    method: Method,
    relevant: Sequence[str],
    relevance: Scores,
    *,
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    random_seed: int,
    network: Path | None,
) -> tuple[View, View]:
    """Return what ``method`` needs to see of the relevant texts and of the seed."""
    seed_texts = [u.text for u in seed]
    if method is Method.FEATURE:
        from seedcorn.relevance.ngrams import ngram_matrix

        return View(features=ngram_matrix(relevant), relevance=relevance), View(features=ngram_matrix(seed_texts))
    if method in (Method.FACILITY, Method.KCENTRE):
        from seedcorn.relevance.embedding import fit_encoder

        encoder = fit_encoder([*seed_texts, *relevant], random_seed=random_seed)
        return View(vectors=encoder.encode(relevant), relevance=relevance), View(vectors=encoder.encode(seed_texts))
    if method is Method.PARAPHRASE:
        from seedcorn.diversity.paraphrase import load_paraphrase_network
        from seedcorn.diversity.paraphrase_fitting import fit_paraphrase_network

        annotated = [*seed, *background]
        trained = (
            load_paraphrase_network(network)
            if network
            else fit_paraphrase_network(annotated, unlabelled=relevant, random_seed=random_seed)
        )
        return View(vectors=trained.encode(relevant), relevance=relevance), View(vectors=trained.encode(seed_texts))
    return View(relevance=relevance), View()
