"""What cut-offs by estimated precision keep of unseen text: python benchmarks/precision_cutoff.py.

Five functionalities of MASSIVE en-US by five random seeds: 50 seed utterances and half of the other intents' train
utterances as background. Thresholds come from cross-validation on these, with the true share of relevant text. Printed
is what they keep of the dev partition, averaged over the cells where a threshold was found.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from seedcorn.corpus.settings import CorpusFile, open_corpus
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.input_files import InputFile
from seedcorn.relevance.methods import fit_method

MASSIVE = "${SEEDCORN_DATA}/massive/en-US.jsonl.gz"
FUNCTIONALITIES = (
    ("alarm_set",),
    ("play_music",),
    ("weather_query",),
    ("lists_createoradd", "lists_remove"),
    ("email_sendemail",),
)
PRECISIONS = (0.5, 0.7, 0.9)
RANDOM_SEEDS = range(1, 6)
N_SEED = 50


class Kept(NamedTuple):
    """The precision asked for, and precision and recall of what the threshold keeps."""

    wanted: float
    precision: float
    recall: float


def massive(partition: str) -> list[Utterance]:
    """Return a partition of MASSIVE en-US."""
    return open_corpus(CorpusFile(path=InputFile.at(MASSIVE), where={"partition": partition})).utterances()


def kept_of(
    intents: tuple[str, ...], train: list[Utterance], unseen: list[Utterance], random_seed: int
) -> Iterator[Kept]:
    """Yield what is kept at each precision for which cross-validation finds a threshold."""
    rng = np.random.default_rng(random_seed)
    own = rng.permutation([u.text for u in train if u.intent in intents]).tolist()
    others = rng.permutation([u.text for u in train if u.intent not in intents]).tolist()
    relevant = np.array([u.intent in intents for u in unseen])
    fitted = fit_method(
        "logistic",
        own[:N_SEED],
        others[: len(others) // 2],
        pa.array([], pa.string()),
        relevant_fraction=float(relevant.mean()),
        random_seed=random_seed,
    )
    scores = fitted.score(pa.array([u.text for u in unseen])).values
    for wanted in PRECISIONS:
        try:
            kept = scores >= fitted.threshold_for(wanted)
        except DataError:
            continue
        if kept.any():
            yield Kept(wanted, float(relevant[kept].mean()), float(kept[relevant].mean()))


def main() -> None:
    """Measure every functionality and random seed, and print the means."""
    train, unseen = massive("train"), massive("dev")
    found: defaultdict[float, list[Kept]] = defaultdict(list)
    for intents in FUNCTIONALITIES:
        for random_seed in RANDOM_SEEDS:
            for kept in kept_of(intents, train, unseen, random_seed):
                found[kept.wanted].append(kept)
    for wanted, cells in found.items():
        precision, recall = (
            float(np.mean([getattr(cell, name) for cell in cells])) for name in ("precision", "recall")
        )
        sys.stdout.write(f"{wanted}: precision {precision:.3f}, recall {recall:.3f} ({len(cells)} cells)\n")


if __name__ == "__main__":
    main()
