"""Noisy pairs, told by two translators' own scores both ways: dual conditional cross-entropy.

After Junczys-Dowmunt 2018 ("Dual conditional cross-entropy filtering of noisy parallel corpora", equation 1): each side
of a true pair is likely given the other, and about as likely both ways. A pair that one translator finds likely and the
other does not is often fluent text beside another text.
"""

import numpy as np

from seedcorn.corpus.pairs import PairCorpus
from seedcorn.progress import track
from seedcorn.selection import Direction, FloatArray, Scores
from seedcorn.translation.translator import Translator

NOISE = "dual cross-entropy"


def dual_cross_entropy(pairs: PairCorpus, forward: Translator, reverse: Translator) -> Scores:
    """Return how noisy each pair is: the difference of both cross-entropies plus their mean, in nats a subword.

    ``forward`` translates sources, ``reverse`` targets. Lower is better. Pairs are streamed.
    """
    parts: list[FloatArray] = []
    for batch in track(pairs.batches(), "scoring pairs both ways, batches"):
        source, target = (batch.column(side).to_pylist() for side in ("source", "target"))
        there, back = -forward.mean_logps(source, target), -reverse.mean_logps(target, source)
        parts.append(np.abs(there - back) + (there + back) / 2)
    return Scores(
        values=np.concatenate(parts) if parts else np.empty(0),
        name=NOISE,
        unit="nats a subword",
        direction=Direction.LOWER_IS_BETTER,
    )
