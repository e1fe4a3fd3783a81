"""Components enter a mixture only when they lower held-out dev perplexity beyond chance."""

import numpy as np
import pytest

from seedcorn.errors import ConfigError, DataError
from seedcorn.lm.component_choice import ChosenComponents, choose_components
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel

THINGS = ("light", "lamp", "heating", "radio", "alarm", "music", "oven", "fan")
PLACES = ("kitchen", "bedroom", "hall", "garden", "office", "bath")


def model(texts: list[str]) -> NgramModel:
    return estimate([texts], order=2, fallback_discounts=FALLBACK_DISCOUNTS)


def requests(verbs: tuple[str, ...], rng: np.random.Generator, n: int) -> list[str]:
    return [f"{verbs[rng.integers(len(verbs))]} the {rng.choice(THINGS)} in the {rng.choice(PLACES)}" for _ in range(n)]


@pytest.fixture
def found() -> ChosenComponents:
    rng = np.random.default_rng(0)
    dev = requests(("open", "close", "start", "stop"), rng, 60)
    models = {
        "transcripts": model(requests(("open", "close"), rng, 30)),
        "other verbs": model(requests(("start", "stop"), rng, 60)),
        "the same again": model(requests(("open", "close"), rng, 30)),
        "noise": model([" ".join(rng.choice(["tax", "river", "king", "of", "a"], 5)) for _ in range(60)]),
    }
    return choose_components(models, dev, required=["transcripts"], rng=rng)


def test_what_helps_enters_and_what_does_not_stays_out(found: ChosenComponents) -> None:
    assert found.names[:2] == ("transcripts", "other verbs")
    assert "noise" not in found.names
    assert len(found.mixture.models) == len(found.names)
    assert sum(found.mixture.weights) == pytest.approx(1)


def test_every_candidate_has_a_step_that_says_what_it_brought(found: ChosenComponents) -> None:
    steps = {step.name: step for step in found.steps}
    assert set(steps) == {"other verbs", "the same again", "noise"}
    assert steps["other verbs"].entered
    assert steps["other verbs"].reduction.low > 0
    assert steps["other verbs"].dev_perplexity < found.first_perplexity
    assert not steps["noise"].entered
    assert steps["noise"].reduction.low <= 0
    entered = [step.dev_perplexity for step in found.steps if step.entered]
    assert entered == sorted(entered, reverse=True)


def test_without_required_ones_the_best_is_first() -> None:
    rng = np.random.default_rng(1)
    dev = requests(("open", "close"), rng, 40)
    models = {"noise": model(["the king of the river"]), "good": model(requests(("open", "close"), rng, 80))}
    assert choose_components(models, dev, rng=rng).names == ("good",)


def test_wrong_names_and_too_little_dev_text_are_refused() -> None:
    rng, models = np.random.default_rng(0), {"one": model(["a b", "b a"])}
    with pytest.raises(ConfigError, match="two"):
        choose_components(models, ["a"] * 9, required=["two"], rng=rng)
    with pytest.raises(DataError, match="5 dev sentences"):
        choose_components(models, ["a"] * 4, rng=rng)
