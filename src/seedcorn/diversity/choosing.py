"""Diversity as a setting: which method chooses, from the relevant part of a pool, what adds something."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.methods import Method, Needs
from seedcorn.diversity.objectives import Budget
from seedcorn.diversity.submodular import ADDS_LESS, DiverseSelection, select_diverse
from seedcorn.diversity.view import DiversitySettings, View, part_of
from seedcorn.errors import DataError
from seedcorn.input_files import InputFile
from seedcorn.selection import PositionArray, Scores

if TYPE_CHECKING:
    from seedcorn.diversity.paraphrase import ParaphraseModel


_REJECT_REASONS = (ADDS_LESS, "the teacher is unsure of it")
_ADDS_LESS, _UNSURE = range(2)


class DiversityChoice(Settings):
    """Which part of the relevant utterances is kept: ``fraction`` of them, chosen by ``method``.

    ``paraphrase_network`` is a folder with a trained network; without one, the method ``paraphrase`` trains it on
    ``n_paraphrase_pairs`` pairs made from the seed and the background. ``relevance_share`` adds relevance to the gain
    of ``feature`` and ``paraphrase``. ``cleaned`` leaves out what the teacher will be unsure of, and chooses from what
    it takes for the functionality and from what it takes for other intents in proportion: diversity alone prefers text
    unlike the seed, and much of that is noise.
    """

    method: Method = Method.FEATURE
    fraction: float = Field(0.5, gt=0, le=1)
    n_rounds: int = Field(20, ge=1)
    relevance_share: float = Field(0.0, ge=0)
    cleaned: bool = False
    paraphrase_network: InputFile | None = None
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
    groups: Sequence[PositionArray] | None = None,
) -> DiverseSelection:
    """Return which of the ``relevant`` texts are kept; ``relevance`` scores the same rows.

    ``network`` is the paraphrase network for the method that needs one; it is trained when none is given. With
    ``groups`` of rows, all other rows are left out, and each group is chosen from in proportion, one after the other.
    Raises DataError when the groups are empty.
    """
    n_rows, method = len(relevant), choice.method
    groups = [np.arange(n_rows)] if groups is None else _not_empty(groups)
    n_usable = sum(map(len, groups))
    n_kept = n_usable if method is Method.ALL else max(1, round(choice.fraction * n_rows))
    if method.needs is Needs.CODES and network is None:
        network = paraphrase_network(seed, background, relevant, choice=choice, random_seed=random_seed)
    pool, seed_view = views_for(method, relevant, relevance, [u.text for u in seed], random_seed, network)
    shares = _shares(min(n_kept, n_usable), groups)
    chosen = [
        select_diverse(
            part_of(pool, rows),
            method=method,
            budget=Budget.utterances(n_of_group, n_rows=len(rows)),
            seed=seed_view,
            settings=DiversitySettings(n_rounds=choice.n_rounds, relevance_share=choice.relevance_share),
            random_seed=random_seed,
        )
        for rows, n_of_group in shares
    ]
    return _together(chosen, [rows for rows, _ in shares], groups, n_rows)


def _not_empty(groups: Sequence[PositionArray]) -> list[PositionArray]:
    if not any(map(len, groups)):
        raise DataError(
            wanted="relevant utterances of which the teacher is sure",
            found="none",
            fix="Lower the gates, add seed utterances, or leave 'diversity.cleaned' off.",
        )
    return [rows for rows in groups if len(rows)]


def _shares(n_kept: int, groups: Sequence[PositionArray]) -> list[tuple[PositionArray, int]]:
    """Return the groups that keep any row with how many: in proportion to their size, rounding favours the first."""
    ends = np.cumsum([0, *map(len, groups)])
    shares = np.diff(-(-ends * n_kept // ends[-1])).tolist()
    return [(rows, share) for rows, share in zip(groups, shares, strict=True) if share]


def _together(
    chosen: Sequence[DiverseSelection],
    chosen_from: Sequence[PositionArray],
    groups: Sequence[PositionArray],
    n_rows: int,
) -> DiverseSelection:
    """Return the selections of the rows ``chosen_from`` as one of all rows, group after group."""
    codes = np.full(n_rows, _UNSURE, dtype=np.int16)
    codes[np.concatenate(groups)] = _ADDS_LESS
    positions = np.concatenate([rows[s.positions] for s, rows in zip(chosen, chosen_from, strict=True)])
    codes[positions] = -1
    return DiverseSelection(
        positions=positions,
        gains=np.concatenate([s.gains for s in chosen]),
        reject_codes=codes,
        reject_reasons=_REJECT_REASONS,
        rounds=np.concatenate([s.rounds for s in chosen]),
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
    if method.needs is Needs.FEATURES:
        from seedcorn.relevance.ngrams import ngram_matrix

        return View(features=ngram_matrix(relevant), relevance=relevance), View(features=ngram_matrix(seed))
    if method.needs is Needs.VECTORS:
        from seedcorn.relevance.embedding import fit_encoder

        encoder = fit_encoder([*seed, *relevant], random_seed=random_seed)
        return View(vectors=encoder.encode(relevant), relevance=relevance), View(vectors=encoder.encode(seed))
    if network is not None:
        return View(vectors=network.encode(relevant), relevance=relevance), View(vectors=network.encode(seed))
    return View(relevance=relevance), View()
