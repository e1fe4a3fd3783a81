"""Distillation: a translator learns from what a better engine made of a part of the in-domain source text.

Sequence-level knowledge distillation (Kim, Rush 2016, "Sequence-level knowledge distillation", section 3.2): the
student is trained on the teacher's own hypotheses. A large model, a service or a person translates what time or money
allows; the student takes over how they put it, and translates all the rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.errors import DataError
from seedcorn.progress import say
from seedcorn.translation.nbest import NBest
from seedcorn.translation.self_training import mixed, train_further
from seedcorn.translation.settings import DistillationSettings
from seedcorn.translation.translator import dev_chrf, load_translator

TAUGHT_ORIGIN = "distillation"


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """Where the better translator is, the student before or after, and the dev chrF of both."""

    folder: Path
    dev_chrf_by_round: tuple[float, float]


def distil(
    folder: Path,
    taught: Sequence[SentencePair],
    real_pairs: PairCorpus,
    dev: Sequence[SentencePair],
    output: Path,
    *,
    settings: DistillationSettings,
    random_seed: int,
) -> Distilled:
    """Continue the training of the translator in ``folder`` on ``taught`` pairs mixed with real ones.

    The student is written into ``output``, its checkpoints beside it, from which an interrupted training goes on; it is
    thrown away when it does not raise dev chrF. Raises DataError without taught pairs.
    """
    if not taught:
        raise DataError(wanted="translations of in-domain source text to learn from", found="none")
    rng = np.random.default_rng(random_seed)
    learnt = mixed(taught, real_pairs, real_per_own=settings.real_per_taught, rng=rng)
    trained = train_further(folder, learnt, dev, output, settings=settings.training, random_seed=random_seed)
    before, after = (dev_chrf(load_translator(where), dev) for where in (folder, trained.folder))
    say(f"distillation: {len(taught):,} taught pairs, dev chrF {before:.2f} -> {after:.2f}")
    return Distilled(folder=trained.folder if after > before else folder, dev_chrf_by_round=(before, after))


def taught_pairs(nbests: Iterable[NBest], *, n_hypotheses: int) -> list[SentencePair]:
    """Return each source with its first ``n_hypotheses`` distinct translations, normalised; no copies, none empty."""
    pairs = []
    for nbest in nbests:
        source, *targets = normalise_all([nbest.source, *(h.text for h in nbest.hypotheses)])
        distinct = [target for target in dict.fromkeys(targets) if target not in ("", source)]
        pairs += [
            SentencePair(source=source, target=target, origin=TAUGHT_ORIGIN) for target in distinct[:n_hypotheses]
        ]
    return pairs
