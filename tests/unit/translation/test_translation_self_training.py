"""Self-training rounds."""

from pathlib import Path

import numpy as np
import pytest

from seedcorn.errors import DataError

pytest.importorskip("torch")

from seedcorn.translation import self_training
from seedcorn.translation.self_training import OWN_ORIGIN, own_pairs, self_train
from seedcorn.translation.settings import RescoringWeights, SelfTrainingSettings


@pytest.fixture
def chosen(settings) -> SelfTrainingSettings:
    further = settings.model_copy(update={"n_target_tokens": 400, "learning_rate": 1e-5, "n_warmup_steps": 1})
    return SelfTrainingSettings(n_best=3, kept_fraction=0.5, training=further, n_rounds=2)


def test_own_pairs_are_the_surest_and_say_what_they_are(translator, chosen) -> None:
    sources = ["a red house", "door", "a white <slot1>", "house car red a a"]
    own = own_pairs(translator, sources, settings=chosen)
    assert len(own) == 2
    assert {pair.origin for pair in own} == {OWN_ORIGIN}
    assert [pair.source for pair in own] == [s for s in sources if s in {pair.source for pair in own}]
    assert "house car red a a" not in {pair.source for pair in own}


def test_a_language_model_has_its_say(translator, chosen) -> None:
    class Blue:
        def sentence_logps(self, texts):
            return np.array([0.0 if "नीला" in text else -900.0 for text in texts])

    plain = SelfTrainingSettings(n_best=5, kept_fraction=1.0, weights=RescoringWeights(lm=1.0))
    (own,) = own_pairs(translator, ["a blue house"], settings=plain, lm=Blue())
    assert "नीला" in own.target


def test_rounds_stop_when_dev_does_not_gain(trained, pairs, chosen, tmp_path: Path) -> None:
    found = self_train(
        trained.folder, ["a red house", "a blue car"], pairs, pairs.pairs(), tmp_path, settings=chosen, random_seed=0
    )
    # By heart already: the first round cannot gain, and is thrown away.
    assert found.folder == trained.folder
    assert len(found.dev_chrf_by_round) == 2
    assert found.dev_chrf == max(found.dev_chrf_by_round)
    with pytest.raises(DataError, match="in-domain source text"):
        self_train(trained.folder, [], pairs, pairs.pairs(), tmp_path, settings=chosen, random_seed=0)


def test_a_round_that_gains_is_kept(trained, pairs, chosen, tmp_path: Path, monkeypatch) -> None:
    gains = iter([10.0, 20.0, 15.0])
    monkeypatch.setattr(self_training, "dev_chrf", lambda translator, dev: next(gains))
    found = self_train(
        trained.folder, ["a red house", "door"], pairs, pairs.pairs(), tmp_path, settings=chosen, random_seed=0
    )
    assert found.folder == tmp_path / "round-1"
    assert found.dev_chrf_by_round == (10.0, 20.0, 15.0)
    assert (found.folder / "model.safetensors").exists()
