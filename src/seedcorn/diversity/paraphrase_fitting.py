"""A paraphrase network from annotated utterances and unlabelled text, in one call."""

from collections.abc import Sequence

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.corpus.word_vectors import fit_word_vectors
from seedcorn.diversity.paraphrase import NetworkShape, ParaphraseNetwork
from seedcorn.diversity.paraphrase_pairs import PairShares, paraphrase_pairs
from seedcorn.diversity.paraphrase_training import TrainingSettings, train_paraphrase_network

N_PAIRS = 40_000
N_PAIRS_PER_UTTERANCE = 20


def fit_paraphrase_network(
    utterances: Sequence[Utterance],
    *,
    unlabelled: Sequence[str] = (),
    n_pairs: int = N_PAIRS,
    shares: PairShares = PairShares(),
    shape: NetworkShape = NetworkShape(),
    settings: TrainingSettings = TrainingSettings(),
    random_seed: int = 0,
) -> ParaphraseNetwork:
    """Return a network trained on pairs made from ``utterances``, with word vectors from them and ``unlabelled`` text.

    Give the utterances of every domain and intent there is, not only those of the seed: the network is to be general.
    At most 20 pairs an utterance are made; kinds of pairs that the utterances cannot make are left out. Raises
    DataError when no paraphrases, or nothing else, can be made of them.
    """
    vectors = fit_word_vectors([*(u.text for u in utterances), *unlabelled], random_seed=random_seed)
    n_wanted = min(n_pairs, N_PAIRS_PER_UTTERANCE * len(utterances))
    rng = np.random.default_rng(random_seed)
    pairs = list(paraphrase_pairs(utterances, n_pairs=n_wanted, rng=rng, shares=shares, complete=False))
    return train_paraphrase_network(
        pairs, word_vectors=vectors, shape=shape, settings=settings, random_seed=random_seed
    )
