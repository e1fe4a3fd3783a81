"""Self-training of a translator on its own translations of in-domain text, mixed with real pairs.

As He et al. 2020 ("Revisiting self-training for neural sequence generation"): the noise of own translations hurts less
when the real pairs stay in the mixture; a round that does not raise dev chrF is thrown away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.text import normalise
from seedcorn.errors import DataError
from seedcorn.pretrained import Checkpoint
from seedcorn.progress import say
from seedcorn.selection import FloatArray, PositionArray, Scores, Selection, keep
from seedcorn.translation.nbest import TRANSLATION_LOGP, NBest
from seedcorn.translation.rescoring import SentenceLm, rescored, with_lm
from seedcorn.translation.settings import SelfTrainingSettings, TrainingSettings
from seedcorn.translation.training import TrainedTranslator, train_translator
from seedcorn.translation.translator import Translator, dev_chrf, load_translator

OWN_ORIGIN = "self-training"


@dataclass(frozen=True, kw_only=True)
class SelfTrained:
    """Where the best translator is, its dev chrF, and the dev chrF before and after each round."""

    folder: Path
    dev_chrf: float
    dev_chrf_by_round: tuple[float, ...]


def self_train(
    folder: Path,
    sources: Sequence[str],
    real_pairs: PairCorpus,
    dev: Sequence[SentencePair],
    output: Path,
    *,
    settings: SelfTrainingSettings,
    random_seed: int,
    lm: SentenceLm | None = None,
) -> SelfTrained:
    """Continue the training of the translator in ``folder``, round by round, and return the best one.

    Rounds are written into ``output``/round-1 and so on, with their checkpoints beside them, and are resumed after an
    interruption. Stops at the first round that does not raise dev chrF. Raises DataError without in-domain sources.
    """
    if not sources:
        raise DataError(wanted="in-domain source text to translate", found="none")
    best, history = folder, [dev_chrf(load_translator(folder), dev)]
    for number in range(1, settings.n_rounds + 1):
        rng = np.random.default_rng([random_seed, number])
        own = own_pairs(load_translator(best), drawn(sources, settings.n_sources, rng), settings=settings, lm=lm)
        learnt = mixed(own, real_pairs, real_per_own=settings.real_per_own, rng=rng)
        folder_of_round = output / f"round-{number}"
        trained = train_further(best, learnt, dev, folder_of_round, settings=settings.training, random_seed=random_seed)
        history.append(dev_chrf(load_translator(trained.folder), dev))
        say(f"self-training round {number}: {len(own)} own pairs, dev chrF {history[-2]:.2f} -> {history[-1]:.2f}")
        if history[-1] <= max(history[:-1]):
            break
        best = trained.folder
    return SelfTrained(folder=best, dev_chrf=max(history), dev_chrf_by_round=tuple(history))


def own_pairs(
    translator: Translator, sources: Sequence[str], *, settings: SelfTrainingSettings, lm: SentenceLm | None = None
) -> list[SentencePair]:
    """Return the kept translations of ``sources`` as pairs, in the order of ``sources``."""
    nbests = list(translator.nbest(sources, n_best=settings.n_best))
    if lm is not None:
        nbests = list(rescored(with_lm(nbests, lm), settings.weights))
    selection = keep_confident(nbests, kept_fraction=settings.kept_fraction)
    return [_pair(nbests[position]) for position in np.sort(selection.positions)]


def keep_confident(nbests: Sequence[NBest], *, kept_fraction: float) -> Selection:
    """Keep the ``kept_fraction`` of lists whose first hypothesis is likeliest per word; never copies or empty ones."""
    scores = Scores(
        values=np.array([n.best.features[TRANSLATION_LOGP] / n.best.n_words for n in nbests], dtype=np.float64),
        name="translation log-probability per word",
        unit="natural log",
        missing=np.array([normalise(n.best.text) in ("", normalise(n.source)) for n in nbests], dtype=np.bool_),
    )
    kept: PositionArray = scores.best_first(int(len(nbests) * kept_fraction + 0.5))
    gains: FloatArray = scores.values[kept]
    return keep(kept, gains, n_rows=len(nbests), reason=f"not in the best {kept_fraction:g} by {scores.name}")


def mixed(
    own: Sequence[SentencePair], real_pairs: PairCorpus, *, real_per_own: float, rng: np.random.Generator
) -> PairCorpus:
    """Return ``own`` pairs with ``real_per_own`` times as many real ones drawn at random, all of them when too few."""
    real = real_pairs.table()
    n_real = min(round(len(own) * real_per_own), real.num_rows)
    drawn_rows = np.sort(rng.choice(real.num_rows, n_real, replace=False))
    own_batches = list(PairCorpus.from_pairs(own).batches())
    real_batches = real.take(drawn_rows).to_batches()
    return PairCorpus(lambda: iter([*own_batches, *real_batches]))


def drawn(sources: Sequence[str], n_sources: int, rng: np.random.Generator) -> list[str]:
    """Return ``n_sources`` of the texts, drawn at random, in order; all of them when 0 or too few."""
    if not 0 < n_sources < len(sources):
        return list(sources)
    return [sources[i] for i in np.sort(rng.choice(len(sources), n_sources, replace=False))]


def train_further(
    start: Path,
    pairs: PairCorpus,
    dev: Sequence[SentencePair],
    output: Path,
    *,
    settings: TrainingSettings,
    random_seed: int,
) -> TrainedTranslator:
    """Continue the training of the translator in ``start`` on ``pairs``, into ``output``, its checkpoints beside it."""
    return train_translator(
        pairs,
        dev,
        output,
        settings=settings.model_copy(update={"checkpoint": Checkpoint.at(start)}),
        checkpoints=output.with_name(f"{output.name}.checkpoints"),
        random_seed=random_seed,
    )


def _pair(nbest: NBest) -> SentencePair:
    return SentencePair(source=nbest.source, target=nbest.best.text, origin=OWN_ORIGIN)
