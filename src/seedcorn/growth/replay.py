"""What of the old training data is trained on again, when all of it is too much: a part that covers it."""

from collections.abc import Sequence

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.methods import Method
from seedcorn.diversity.objectives import Budget
from seedcorn.diversity.submodular import select_diverse
from seedcorn.diversity.view import View


def replay_set(utterances: Sequence[Utterance], *, most: int) -> list[Utterance]:
    """Return at most ``most`` of ``utterances``, in their order: all of them, or each intent's share that covers it.

    Shares go by the square root of the intents' sizes, so that rare intents keep more of theirs; what covers is chosen
    by feature-based submodular selection (replay: Rolnick et al. 2019; coresets: Mirzasoleiman et al. 2020).
    """
    if len(utterances) <= most:
        return list(utterances)
    of_intent: dict[str, list[int]] = {}
    for i, utterance in enumerate(utterances):
        of_intent.setdefault(utterance.intent, []).append(i)
    kept: list[int] = []
    for rows, share in zip(of_intent.values(), replay_shares([len(r) for r in of_intent.values()], most), strict=True):
        kept += _covering([utterances[i].text for i in rows], rows, share)
    return [utterances[i] for i in sorted(kept)]


def replay_shares(sizes: Sequence[int], most: int) -> list[int]:
    """Return how many of each size are kept, together at most ``most``: by square roots, none more than its size."""
    left, shares = most, [0] * len(sizes)
    for i in np.argsort(sizes, kind="stable").tolist():  # what small ones do not need goes to the larger ones
        roots = sum(np.sqrt(sizes[j]) for j in range(len(sizes)) if not shares[j])
        shares[i] = min(sizes[i], int(left * np.sqrt(sizes[i]) / roots + 1e-9))
        left -= shares[i]
        if not shares[i]:
            shares[i] = min(1, left)
            left -= shares[i]
    return shares


def _covering(texts: Sequence[str], rows: Sequence[int], n_kept: int) -> list[int]:
    from seedcorn.relevance.ngrams import ngram_matrix

    if n_kept >= len(rows) or not n_kept:
        return list(rows[:n_kept])
    chosen = select_diverse(
        View(features=ngram_matrix(list(texts))),
        method=Method.FEATURE,
        budget=Budget.utterances(n_kept, n_rows=len(rows)),
    )
    return [rows[i] for i in chosen.positions.tolist()]
