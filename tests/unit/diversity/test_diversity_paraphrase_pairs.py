"""Pairs are what their kind says, in exact shares, each once, and the same for the same random seed."""

from collections import Counter

import numpy as np
import pytest

from seedcorn.corpus.text import normalise, words
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.diversity.pair_drawing import PairMaterial
from seedcorn.diversity.paraphrase_pairs import (
    PairKind,
    PairShares,
    ParaphrasePair,
    domain_folds,
    paraphrase_pairs,
    split_by_domain,
)
from seedcorn.errors import ConfigError, DataError

ARTISTS = ("adele", "seal", "miles davis", "the kinks")
TIMES = ("five am", "noon", "ten past six")
PLAY = ("play {}", "i want to listen to {}", "play me something by {}", "i want something by {}", "listen to {}")
WAKE = ("wake me up at {}", "i want you to wake me up at {}", "at {} wake me up")
WHO = ("who is {}", "who is this {}", "tell me who {} is")
STOP = ("stop", "stop this", "i want you to stop this", "stop me", "this is something to stop", "up to you")


def made(text: str, value: str, slot_type: str, domain: str, intent: str) -> Utterance:
    start = text.index("{}")
    slots = (Slot(start, start + len(value), slot_type),)
    return Utterance(text=text.format(value), slots=slots, domain=domain, intent=intent)


def annotated() -> list[Utterance]:
    """Return requests of four intents; every literal word is in two templates or more, except those of "rare"."""
    return [
        *(made(text, value, "artist", "music", "play") for text in PLAY for value in ARTISTS),
        *(made(text, value, "time", "alarm", "wake") for text in WAKE for value in TIMES),
        *(made(text, value, "artist", "qa", "who") for text in WHO for value in ARTISTS),
        *(Utterance(text=text, domain="music", intent="stop") for text in STOP),
        made("hum {} backwards", "seal", "artist", "music", "play"),
    ]


def pairs_of(kind: PairKind, n_pairs: int = 40) -> list[ParaphrasePair]:
    shares = PairShares(**{k.value: float(k is kind) for k in PairKind})
    return list(paraphrase_pairs(annotated(), n_pairs=n_pairs, rng=np.random.default_rng(1), shares=shares))


def values_in(text: str) -> set[str]:
    return {value for value in (*ARTISTS, *TIMES) if value in text}


def without_values(text: str) -> str:
    for value in values_in(text):
        text = text.replace(value, "_")
    return text


def test_paraphrases_have_another_structure_and_the_same_values() -> None:
    for pair in pairs_of(PairKind.OTHER_STRUCTURE):
        assert values_in(pair.first) == values_in(pair.second) != set()
        assert without_values(pair.first) != without_values(pair.second)


def test_other_values_have_the_same_structure() -> None:
    for pair in pairs_of(PairKind.OTHER_VALUES):
        assert without_values(pair.first) == without_values(pair.second)
        assert not values_in(pair.first) & values_in(pair.second)


def test_other_both_differ_in_both() -> None:
    for pair in pairs_of(PairKind.OTHER_BOTH):
        assert without_values(pair.first) != without_values(pair.second)
        assert not values_in(pair.first) & values_in(pair.second)


def test_other_intents_share_a_word() -> None:
    intents = {u.text: u.intent for u in annotated()}
    for pair in pairs_of(PairKind.OTHER_INTENT):
        assert set(words(pair.first)) & set(words(pair.second))
        assert intents[pair.first] != intents.get(pair.second)


def test_slotless_requests_of_one_intent_are_paraphrases() -> None:
    for pair in pairs_of(PairKind.NO_VALUES, 10):
        assert pair.first in STOP
        assert pair.second in STOP
        assert pair.kind.is_paraphrase


def test_templates_with_a_word_of_their_own_are_left_out() -> None:
    templates = PairMaterial.of(annotated()).templates
    assert not any("hum" in template for known in templates.values() for template in known)


def test_order_of_utterances_does_not_matter() -> None:
    def stream(utterances: list[Utterance]) -> list[ParaphrasePair]:
        return list(paraphrase_pairs(utterances, n_pairs=50, rng=np.random.default_rng(7)))

    assert stream(annotated()) == stream(annotated()[::-1])


def test_shares_are_exact_and_pairs_distinct() -> None:
    shares = PairShares(other_structure=0.5, no_values=0.03, other_values=0.25, other_both=0.1, other_intent=0.12)
    pairs = list(paraphrase_pairs(annotated(), n_pairs=101, rng=np.random.default_rng(3), shares=shares))
    counts = Counter(pair.kind for pair in pairs)
    assert sum(counts.values()) == 101
    assert all(abs(counts[kind] - shares.of(kind) * 101) < 1 for kind in PairKind)
    keys = {tuple(sorted((normalise(pair.first), normalise(pair.second)))) for pair in pairs}
    assert len(keys) == 101
    assert all(first != second for first, second in keys)


def test_pairs_are_streamed() -> None:
    stream = paraphrase_pairs(annotated(), n_pairs=10_000_000, rng=np.random.default_rng(0))
    assert isinstance(next(stream), ParaphrasePair)


@pytest.mark.parametrize("shares", [{"other_structure": 0.9}, {"other_structure": -0.1, "no_values": 0.6}])
def test_shares_that_do_not_add_up_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="add up to 1"):
        PairShares(**shares)


def test_too_many_pairs_are_refused() -> None:
    with pytest.raises(DataError, match="no_values"):
        pairs_of(PairKind.NO_VALUES, 1_000)


@pytest.mark.parametrize("utterances", [[], [Utterance(text="stop", intent="stop")]])
def test_nothing_to_make_pairs_of_is_refused(utterances: list[Utterance]) -> None:
    with pytest.raises(DataError, match="enough distinct pairs"):
        list(paraphrase_pairs(utterances, n_pairs=5, rng=np.random.default_rng(0)))


def test_slotless_seed_makes_no_pairs_with_values() -> None:
    slotless = [u for u in annotated() if not u.slots]
    with pytest.raises(DataError, match="with slots"):
        list(paraphrase_pairs(slotless, n_pairs=10, rng=np.random.default_rng(0)))


def test_split_leaves_held_out_domains_unseen() -> None:
    train, test = split_by_domain(annotated(), ["alarm"])
    assert {u.domain for u in test} == {"alarm"}
    assert {u.domain for u in train} == {"music", "qa"}
    with pytest.raises(DataError, match="found sports"):
        split_by_domain(annotated(), ["sports"])
    with pytest.raises(DataError, match="not all"):
        split_by_domain(annotated(), ["alarm", "music", "qa"])


def test_folds_hold_each_domain_once() -> None:
    folds = domain_folds(annotated(), n_folds=2, rng=np.random.default_rng(0))
    assert sorted(domain for names in folds for domain in names) == ["alarm", "music", "qa"]
    with pytest.raises(ConfigError, match="2 to 3 folds"):
        domain_folds(annotated(), n_folds=4, rng=np.random.default_rng(0))
