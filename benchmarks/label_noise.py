"""Label noise found on ten intents of MASSIVE en-US.

Command: python benchmarks/label_noise.py

2, 5 and 10 % of the intents, and of the types of slots, are swapped in 500 training utterances of the intents;
precision is that of as many most suspicious labels as were swapped. With "dev", the development intents are measured,
and nothing is written.
"""

import sys
from collections.abc import Sequence
from functools import partial

import numpy as np

from growth_data import DEVELOPMENT, REPORTED, massive, shown, written
from seedcorn.files import Json
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.studies.growth_labels import noise_precision, spoil

FRACTIONS = (0.02, 0.05, 0.1)
N_NOISE = 500


def noise_rows(intents: Sequence[str]) -> list[dict[str, Json]]:
    """Return the precision by fraction of swapped labels."""
    rows = [u for u in massive("train") if u.intent in intents]
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:N_NOISE].tolist()]
    found = []
    for fraction in FRACTIONS:
        spoilt = spoil(rows, fraction=fraction, rng=np.random.default_rng(1))
        precision = noise_precision(
            partial(train_linear, settings=LinearSettings(n_crf_iterations=20)), spoilt, n_folds=3
        )
        found.append(shown({"measure": "label noise", "fraction": fraction, "n": len(rows), **precision}))
    return found


def main() -> None:
    """Measure, and write the results of the reported intents."""
    is_dev = sys.argv[1:] == ["dev"]
    rows = noise_rows(DEVELOPMENT if is_dev else REPORTED)
    summary: dict[str, Json] = {
        **{f"label_noise_precision_{round(100 * f)}": r["intents"] for f, r in zip(FRACTIONS, rows, strict=True)},
        **{f"slot_noise_precision_{round(100 * f)}": r["slots"] for f, r in zip(FRACTIONS, rows, strict=True)},
    }
    shown(summary)
    if not is_dev:
        written("growth-labels", rows, summary, {"fractions": list(FRACTIONS), "n": N_NOISE})


if __name__ == "__main__":
    main()
