"""Which components a mixture needs: they enter one by one while held-out dev perplexity falls beyond chance.

Forward selection over the components of a linear mixture. Each mixture is measured on dev sentences that its weights
were not fitted on (cross-fitting), because weights that are fitted and measured on the same few sentences never get
worse by one more component. A component enters when the 95 % interval of what it brings, by paired bootstrap over
dev sentences, is clear of zero: what cannot show on dev that it helps is not in the model.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import ConfigError, DataError
from seedcorn.evaluation.bootstrap import Reduction, paired_bootstrap
from seedcorn.lm.interpolation import Mixture, em_weights, fit_mixture, share_vocabulary
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.selection import FloatArray

N_FOLDS = 5
_STEP = 1e-4  # of EM while choosing: weights to four digits, in a tenth of the iterations


@dataclass(frozen=True, kw_only=True)
class ComponentStep:
    """One component as it was weighed up: dev perplexity with it, and the relative reduction that it brings."""

    name: str
    dev_perplexity: float
    reduction: Reduction
    entered: bool


@dataclass(frozen=True, kw_only=True)
class ChosenComponents:
    """The mixture, the names of its components in the order they entered, and every component's step.

    ``first_perplexity`` is the held-out dev perplexity of the components that were required, or of the first one.
    """

    names: tuple[str, ...]
    mixture: Mixture
    first_perplexity: float
    steps: tuple[ComponentStep, ...]


def choose_components(
    models: Mapping[str, NgramModel],
    dev_texts: Sequence[str],
    *,
    required: Collection[str] = (),
    n_folds: int = N_FOLDS,
    rng: np.random.Generator,
) -> ChosenComponents:
    """Return the mixture of those ``models`` that lower the perplexity of ``dev_texts`` (words) beyond chance.

    The ``required`` ones are in it from the start (without any: the best single one); of the others the one with the
    lowest perplexity is asked next, ties by order. The steps of those left out say what each would have brought.
    Weights are by EM on all dev sentences. Cost: one scoring of dev a model, then EM on dev times the folds, the
    models left and the components. Raises ConfigError for unknown required names, DataError for fewer sentences than
    folds.
    """
    names = list(models)
    unknown = [name for name in required if name not in models]
    if unknown or not names:
        raise ConfigError(wanted="required components among the models", found=", ".join(unknown) or "no models")
    if len(dev_texts) < n_folds:
        raise DataError(wanted=f"at least {n_folds} dev sentences", found=f"{len(dev_texts)}")
    shared = share_vocabulary([models[name] for name in names])
    dev = _Dev.of(shared, dev_texts, n_folds, rng)
    chosen = [names.index(name) for name in names if name in required] or [
        min(range(len(names)), key=lambda row: dev.perplexity([row]))
    ]
    first, steps = dev.perplexity(chosen), list[ComponentStep]()
    while len(chosen) < len(names):
        left = [row for row in range(len(names)) if row not in chosen]
        tried = {row: dev.step(names[row], chosen, row, rng) for row in left}
        best = min(left, key=lambda row: tried[row].dev_perplexity)
        if not tried[best].entered:
            steps += [tried[row] for row in left]
            break
        steps.append(tried[best])
        chosen.append(best)
    return ChosenComponents(
        names=tuple(names[row] for row in chosen),
        mixture=fit_mixture([shared[row] for row in chosen], [list(dev_texts)]),
        first_perplexity=first,
        steps=tuple(steps),
    )


@dataclass(frozen=True)
class _Dev:
    """What each model gives each dev word, (n_models, n_words), which sentence and which fold each word is in."""

    probabilities: FloatArray
    sentence_of: NDArray[np.int64]
    fold_of: NDArray[np.int64]
    n_words: FloatArray

    @staticmethod
    def of(models: Sequence[NgramModel], texts: Sequence[str], n_folds: int, rng: np.random.Generator) -> "_Dev":
        scores = [model.word_scores(list(texts)) for model in models]
        lengths = np.diff(scores[0].sentence_ends)
        folds = rng.permutation(len(texts)) % n_folds
        return _Dev(
            probabilities=np.exp(np.stack([s.logps for s in scores])),
            sentence_of=np.repeat(np.arange(len(texts)), lengths),
            fold_of=np.repeat(folds, lengths),
            n_words=lengths.astype(np.float64),
        )

    def perplexity(self, rows: Sequence[int]) -> float:
        return float(_perplexity(self._held_out(rows).sum(axis=0, keepdims=True))[0])

    def step(self, name: str, chosen: Sequence[int], row: int, rng: np.random.Generator) -> ComponentStep:
        """Return what the model in ``row`` brings to the ``chosen`` ones."""
        before, after = self._held_out(chosen), self._held_out([*chosen, row])
        found = paired_bootstrap(before, after, rng=rng, rate=_perplexity)
        perplexity = float(_perplexity(after.sum(axis=0, keepdims=True))[0])
        return ComponentStep(name=name, dev_perplexity=perplexity, reduction=found, entered=found.low > 0)

    def _held_out(self, rows: Sequence[int]) -> FloatArray:
        """Return minus log probability and words of each sentence, (n, 2), under weights fitted on the other folds."""
        chosen = self.probabilities[list(rows)]
        logps = np.zeros(chosen.shape[1])
        for fold in range(int(self.fold_of.max()) + 1):
            held_out = self.fold_of == fold
            weights = em_weights(chosen[:, ~held_out], smallest_step=_STEP)
            logps[held_out] = np.log(weights @ chosen[:, held_out])
        sums = np.bincount(self.sentence_of, weights=-logps, minlength=len(self.n_words))
        return np.stack([sums, self.n_words], axis=1)


def _perplexity(sums: FloatArray) -> FloatArray:
    return np.exp(sums[:, 0] / np.maximum(sums[:, 1], 1.0))
