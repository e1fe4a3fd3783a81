"""Key terms: what the domain says and the general model does not expect, each word counted once."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.errors import DataError
from seedcorn.lm.interpolation import share_vocabulary
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.speech.key_terms import KeyTerm, _greedy, choose_key_terms, read_terms, write_phrase_lists
from seedcorn.speech.settings import KeyTermSettings

DOMAIN = ["play the song by adele", "play adele", "turn on the light", "play the light song by adele"] * 3
GENERAL = ["the house is by the river", "turn on the light", "he is on the river", "the song is old"] * 3


def chosen(**wanted: int) -> list[KeyTerm]:
    domain, general = share_vocabulary(
        [estimate([texts], order=2, fallback_discounts=FALLBACK_DISCOUNTS) for texts in (DOMAIN, GENERAL)]
    )
    return choose_key_terms(DOMAIN, domain=domain, general=general, settings=KeyTermSettings(**wanted))


def test_what_the_general_model_lacks_comes_first() -> None:
    terms = chosen(n_words_max=1)
    assert {terms[0].text, terms[1].text} == {"play", "adele"}
    assert terms[0].count == 9
    assert [t.gain for t in terms] == sorted((t.gain for t in terms), reverse=True)


def test_a_word_that_a_term_covers_is_not_paid_twice() -> None:
    texts = [t.text for t in chosen(n_words_max=3)]
    assert len(texts) == len(set(texts))
    covered = [t for t in texts if "adele" in t.split()]
    assert len(covered) <= 3


def test_terms_keep_to_their_limits() -> None:
    assert all(len(t.text) <= 6 for t in chosen(n_characters_max=6))
    assert len(chosen(n_terms=2)) == 2
    assert all(t.count >= 4 for t in chosen(count_min=4))
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        chosen(n_terms=0)


def test_no_text_is_refused() -> None:
    model = estimate([DOMAIN], order=2, fallback_discounts=FALLBACK_DISCOUNTS)
    with pytest.raises(DataError, match="in-domain text"):
        choose_key_terms([" "], domain=model, general=model, settings=KeyTermSettings())


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sets(st.integers(0, 7), min_size=1, max_size=4), min_size=1, max_size=6),
    st.lists(st.integers(0, 9), min_size=8, max_size=8),
    st.integers(1, 4),
)
def test_the_greedy_list_is_near_the_best_one(sets: list[set[int]], values: list[int], n_terms: int) -> None:
    places = {f"t{i}": np.array([[p] for p in sorted(some)]) for i, some in enumerate(sets)}
    weights = np.array(values, dtype=np.float64)

    def value(of: tuple[str, ...]) -> float:
        covered = {int(p) for name in of for p in places[name].ravel()}
        return float(sum(weights[list(covered)])) if covered else 0.0

    terms = _greedy(places, weights, n_terms)
    best = max(value(some) for n in range(n_terms + 1) for some in combinations(places, min(n, len(places))))
    found = value(tuple(t.text for t in terms))
    assert found == pytest.approx(sum(t.gain for t in terms))
    assert found >= (1 - 1 / np.e) * best - 1e-9


def test_phrase_lists_are_what_recognisers_read(tmp_path: Path) -> None:
    paths = write_phrase_lists([KeyTerm(text="play adele", count=3, gain=4.5)], tmp_path, boost=1.5)
    sherpa, nemo, vosk, table = (path.read_text("utf-8") for path in paths)
    assert sherpa == "play adele :1.5\n"
    assert nemo == "play adele\n"
    assert json.loads(vosk) == ["play adele", "[unk]"]
    assert table == "play adele\t3\t4.5000\n"
    assert read_terms(tmp_path) == [KeyTerm(text="play adele", count=3, gain=4.5)]
