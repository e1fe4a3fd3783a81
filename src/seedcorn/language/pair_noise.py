"""The stage that leaves noisy pairs out of what translators go on learning from."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from seedcorn.corpus.pair_cleaning import take_pairs
from seedcorn.language.pairs import SelectedPairs
from seedcorn.language.translators import TranslatorFolder
from seedcorn.runs import Context, Stage


class DropNoisyPairs(Stage[SelectedPairs]):
    """Leave out the noisiest ``fraction`` of the selected pairs, by the scores of both translators trained on them."""

    stage_name: ClassVar[str] = "drop-noisy-pairs"
    is_random: ClassVar[bool] = False

    fraction: float = Field(0.1, gt=0, lt=1)

    def __call__(
        self, selected: SelectedPairs, translator: TranslatorFolder, reverse: TranslatorFolder, *, context: Context
    ) -> SelectedPairs:
        """Return the other pairs in their order; of equally noisy ones the first stay."""
        from seedcorn.translation.pair_noise import dual_cross_entropy
        from seedcorn.translation.translator import load_translator

        here, back = (load_translator(one.folder, n_threads=context.n_threads) for one in (translator, reverse))
        scores = dual_cross_entropy(selected.pairs, here, back)
        n_kept = len(scores) - round(self.fraction * len(scores))
        return SelectedPairs(
            pairs=take_pairs(selected.pairs, np.sort(scores.best_first(n_kept))),
            scores=scores,
            counts={"n_in": len(scores), "n_kept": n_kept, "n_rejected": len(scores) - n_kept},
        )
