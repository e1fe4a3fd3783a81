"""Diversity as a setting: which method chooses, from the relevant part of a pool, what adds something."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.objectives import Budget
from seedcorn.diversity.submodular import DiverseSelection, DiversitySettings, Method, View, select_diverse
from seedcorn.selection import Scores

if TYPE_CHECKING:
    from seedcorn.diversity.paraphrase import ParaphraseModel


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

    ``paraphrase_network`` is a folder with a trained network; without one, the method ``paraphrase`` trains it on
    ``n_paraphrase_pairs`` pairs made from the seed and the background. ``relevance_share`` adds relevance to the gain
    of ``feature``.
    """

    method: DiversityMethod = DiversityMethod.FEATURE
    fraction: float = Field(0.5, gt=0, le=1)
    n_rounds: int = Field(20, ge=1)
    relevance_share: float = Field(0.0, ge=0)
    paraphrase_network: str | None = None
    n_paraphrase_pairs: int = Field(40_000, ge=100)


def choose_diverse(
    relevant: Sequence[str],
    relevance: Scores,
    *,
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    choice: DiversityChoice,
    random_seed: int,
    network: "ParaphraseModel | None" = None,
) -> DiverseSelection:
    """Return which of the ``relevant`` texts are kept; ``relevance`` scores the same rows.

    ``network`` is the paraphrase network for the method that needs one; it is trained when none is given.
    """
    n_rows = len(relevant)
    method = Method.RELEVANCE if choice.method is DiversityMethod.ALL else Method(choice.method.value)
    n_kept = n_rows if choice.method is DiversityMethod.ALL else max(1, round(choice.fraction * n_rows))
    if method is Method.PARAPHRASE and network is None:
        network = paraphrase_network(seed, background, relevant, choice=choice, random_seed=random_seed)
    pool, seed_view = views_for(method, relevant, relevance, [u.text for u in seed], random_seed, network)
    return select_diverse(
        pool,
        method=method,
        budget=Budget.utterances(n_kept, n_rows=n_rows),
        seed=seed_view,
        settings=DiversitySettings(n_rounds=choice.n_rounds, relevance_share=choice.relevance_share),
        random_seed=random_seed,
    )


def paraphrase_network(
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    unlabelled: Sequence[str],
    *,
    choice: DiversityChoice,
    random_seed: int,
) -> "ParaphraseModel":
    """Return a network trained on all annotated utterances; ``unlabelled`` texts add to what it knows of words."""
    from seedcorn.diversity.paraphrase_fitting import fit_paraphrase_network

    return fit_paraphrase_network(
        [*seed, *background], unlabelled=unlabelled, n_pairs=choice.n_paraphrase_pairs, random_seed=random_seed
    )


def load_network(folder: Path) -> "ParaphraseModel":
    """Return the trained paraphrase network in ``folder``."""
    from seedcorn.diversity.paraphrase import load_paraphrase_network

    return load_paraphrase_network(folder)


def views_for(
    method: Method,
    relevant: Sequence[str],
    relevance: Scores,
    seed: Sequence[str],
    random_seed: int,
    network: "ParaphraseModel | None",
) -> tuple[View, View]:
    """Return what ``method`` needs to see of the relevant texts and of the seed."""
    if method is Method.FEATURE:
        from seedcorn.relevance.ngrams import ngram_matrix

        return View(features=ngram_matrix(relevant), relevance=relevance), View(features=ngram_matrix(seed))
    if method in (Method.FACILITY, Method.KCENTRE):
        from seedcorn.relevance.embedding import fit_encoder

        encoder = fit_encoder([*seed, *relevant], random_seed=random_seed)
        return View(vectors=encoder.encode(relevant), relevance=relevance), View(vectors=encoder.encode(seed))
    if network is not None:
        return View(vectors=network.encode(relevant), relevance=relevance), View(vectors=network.encode(seed))
    return View(relevance=relevance), View()
