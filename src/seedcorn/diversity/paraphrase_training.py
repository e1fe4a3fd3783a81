"""Training of the paraphrase network on pairs: paraphrases, and others that look like them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from seedcorn.corpus.word_vectors import WordVectors
from seedcorn.diversity.paraphrase import NetworkShape, ParaphraseNetwork
from seedcorn.diversity.paraphrase_pairs import ParaphrasePair
from seedcorn.diversity.paraphrase_words import Lexicon, text_batch
from seedcorn.errors import DataError
from seedcorn.progress import track


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How the network is trained; dropping whole words' n-grams or vectors makes it rely on context as well."""

    n_epochs: int = 2
    pairs_per_batch: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    ngram_dropout: float = 0.3
    vector_dropout: float = 0.1


def train_paraphrase_network(
    pairs: Sequence[ParaphrasePair],
    *,
    word_vectors: WordVectors,
    shape: NetworkShape = NetworkShape(),
    settings: TrainingSettings = TrainingSettings(),
    random_seed: int = 0,
) -> ParaphraseNetwork:
    """Return a network trained on ``pairs`` by cross-entropy, with AdamW and one cycle of the learning rate.

    Takes one to two minutes for 40,000 pairs on one core. The same ``random_seed`` and number of torch threads give the
    same weights. Raises DataError unless there are both paraphrases and others.
    """
    _check_both_kinds(pairs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_seed)
        network = ParaphraseNetwork(shape, word_vectors)
        _train(network, pairs, settings, np.random.default_rng(random_seed))
    return network.eval()


def _check_both_kinds(pairs: Sequence[ParaphrasePair]) -> None:
    n_paraphrases = sum(pair.kind.is_paraphrase for pair in pairs)
    if not 0 < n_paraphrases < len(pairs):
        raise DataError(
            wanted="pairs that are paraphrases and pairs that are not",
            found=f"{n_paraphrases} of {len(pairs)}",
            fix="Give annotated utterances of several intents, with slots.",
        )


def _train(
    network: ParaphraseNetwork, pairs: Sequence[ParaphrasePair], settings: TrainingSettings, rng: np.random.Generator
) -> None:
    lexicon = Lexicon()
    firsts, seconds = lexicon.number([p.first for p in pairs]), lexicon.number([p.second for p in pairs])
    words = network.features(lexicon)
    targets = torch.tensor([float(p.kind.is_paraphrase) for p in pairs])
    batches = [b for _ in range(settings.n_epochs) for b in _shuffled(len(pairs), settings.pairs_per_batch, rng)]
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=len(batches) + 1)
    network.train()
    for rows in track(batches, "batches of paraphrase pairs", total=len(batches)):
        # Each half has its own dropout of words, so that no half can lean on what the other one happens to keep.
        first, second = (
            network(
                words,
                text_batch(side[row] for row in rows),
                ngram_dropout=settings.ngram_dropout,
                vector_dropout=settings.vector_dropout,
            )
            for side in (firsts, seconds)
        )
        odds = network.log_odds((first * second).sum(dim=1))
        loss = functional.binary_cross_entropy_with_logits(odds, targets[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def _shuffled(n: int, size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    order = rng.permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]
