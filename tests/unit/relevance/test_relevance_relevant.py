"""The cut-offs that a configuration can name."""

from collections import Counter

import pyarrow as pa
import pytest
from pydantic import ValidationError

from seedcorn.corpus.utterances import Utterance
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.relevance.explain import nearest_intents
from seedcorn.relevance.relevant import RelevanceSettings, find_relevant

SEED = [
    *(Utterance(text=f"wake me up at {n}", intent="alarm") for n in ("six", "seven", "eight")),
    *(Utterance(text=f"play some {n}", intent="music") for n in ("jazz", "rock", "blues")),
]
BACKGROUND = [Utterance(text=f"what is the {n} today", intent="other") for n in ("weather", "date", "news", "time")]
POOL = [
    *(f"wake me at {n} please" for n in ("nine", "ten", "eleven", "noon", "dawn", "four")),
    *(f"play a {n} song" for n in ("sad", "happy", "slow")),
    *(f"tell me the {n}" for n in ("news", "score", "time", "way")),
]


def found(cutoff: Cutoff) -> list[str]:
    batches = [pa.array(POOL[:5]), pa.array(POOL[5:])]
    relevant = find_relevant(
        lambda: iter(batches),
        seed=SEED,
        background=BACKGROUND,
        settings=RelevanceSettings(n_pool_sample=4, cutoff=cutoff),
        random_seed=1,
    )
    return [POOL[row] for row in relevant.selection.positions]


def test_a_quota_holds_for_each_intent() -> None:
    nearest = dict(zip(POOL, nearest_intents(POOL, SEED).tolist(), strict=True))
    assert Counter(nearest[text] for text in found(Cutoff(n_per_intent=2))) == {"alarm": 2, "music": 2}


def test_the_best_of_an_intent_fill_its_quota() -> None:
    nearest = dict(zip(POOL, nearest_intents(POOL, SEED).tolist(), strict=True))
    ranked = [text for text in found(Cutoff(n_kept=len(POOL))) if nearest[text] == "alarm"]
    kept = [text for text in found(Cutoff(n_per_intent=3)) if nearest[text] == "alarm"]
    assert kept == ranked[:3]


def test_two_cutoffs_are_refused() -> None:
    with pytest.raises(ValidationError, match="exactly one of .*n_per_intent"):
        Cutoff(n_kept=3, n_per_intent=2)
