"""Relevance by cross-entropy difference (Moore and Lewis, "Intelligent selection of language model training data").

A text is relevant when the in-domain model finds it likely and the general model does not:
score(s) = (log p_in(s) - log p_general(s)) / (words of s + 1), in nats a word, so that length does not count.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from seedcorn.lm.kneser_ney import estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.text_buffers import Texts
from seedcorn.progress import track
from seedcorn.selection import Direction, FloatArray, Scores

NAME = "cross-entropy difference"


def cross_entropy_models(
    in_domain_texts: Iterable[Texts], general_texts: Iterable[Texts], *, order: int = 3
) -> tuple[NgramModel, NgramModel]:
    """Return the in-domain and the general model, both over the words seen in-domain, as Moore and Lewis advise.

    Texts are words separated by white space (see corpus.text.fold). With one vocabulary the unknown words of a text
    count alike in both models.
    """
    in_domain = estimate(in_domain_texts, order=order)
    return in_domain, estimate(general_texts, order=order, vocabulary=in_domain.words)


def cross_entropy_values(in_domain: NgramModel, general: NgramModel, texts: Texts) -> FloatArray:
    """Return the score of every row of one batch, in nats a word; an empty row is scored by its sentence end."""
    wanted, usual = in_domain.score(texts), general.score(texts)
    return (wanted.logps - usual.logps) / (wanted.n_words + 1)


def cross_entropy_batches(in_domain: NgramModel, general: NgramModel, batches: Iterable[Texts]) -> Iterator[FloatArray]:
    """Yield the scores of each batch, for pools larger than memory."""
    for batch in track(batches, "scoring batches by cross-entropy"):
        yield cross_entropy_values(in_domain, general, batch)


def cross_entropy_scores(in_domain: NgramModel, general: NgramModel, batches: Iterable[Texts]) -> Scores:
    """Return the scores of all rows of ``batches``, in order; higher is more in-domain. Rows without words have none."""
    values, missing = [np.zeros(0)], [np.zeros(0, dtype=np.bool_)]
    for batch in track(batches, "scoring batches by cross-entropy"):
        wanted, usual = in_domain.score(batch), general.score(batch)
        values.append((wanted.logps - usual.logps) / (wanted.n_words + 1))
        missing.append(wanted.n_words == 0)
    empty = np.concatenate(missing)
    return Scores(
        values=np.where(empty, 0.0, np.concatenate(values)),
        name=NAME,
        direction=Direction.HIGHER_IS_BETTER,
        unit="nats a word",
        missing=empty if empty.any() else None,
    )
