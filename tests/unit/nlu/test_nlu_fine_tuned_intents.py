"""The fine-tuned classifier of intents: it learns, repeats itself, and learns too from what an utterance is not."""

from pathlib import Path

import numpy as np
import pytest

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.nlu.fine_tuned_intents import FineTunedIntents, IntentExample, train_fine_tuned_intents
from seedcorn.nlu.fine_tuning import FineTuningSettings
from three_intents import ROWS, TEXTS

pytest.importorskip("transformers")

QUICK = FineTuningSettings(n_epochs=30, learning_rate=5e-3, head_learning_rate=2e-2, batch_size=4, dropout=0.0)
INTENTS = ("alarm", "greet", "music")


@pytest.fixture(scope="module")
def classifier(encoder_checkpoint: Path) -> FineTunedIntents:
    return trained(encoder_checkpoint)


def trained(checkpoint: Path, rows: list[Utterance] = ROWS, *, random_seed: int = 0) -> FineTunedIntents:
    return train_fine_tuned_intents(
        [IntentExample(utterance=u) for u in rows],
        intents=INTENTS,
        checkpoint=str(checkpoint),
        excluded_intents=["music"],
        settings=QUICK,
        random_seed=random_seed,
    )


def test_it_learns_what_it_was_shown(classifier: FineTunedIntents) -> None:
    found = classifier.log_probabilities([u.text for u in ROWS]).argmax(axis=1)
    assert [INTENTS[i] for i in found] == [u.intent for u in ROWS]


def test_there_is_one_distribution_a_text(classifier: FineTunedIntents) -> None:
    rows = classifier.log_probabilities(TEXTS)
    assert rows.shape == (len(TEXTS), len(INTENTS))
    np.testing.assert_allclose(np.exp(rows).sum(axis=1), 1.0)
    assert classifier.log_probabilities([]).shape == (0, len(INTENTS))


def test_one_random_seed_gives_one_classifier(classifier: FineTunedIntents, encoder_checkpoint: Path) -> None:
    again, other = trained(encoder_checkpoint), trained(encoder_checkpoint, random_seed=1)
    assert all(np.array_equal(rows, again.tensors[name]) for name, rows in classifier.tensors.items())
    assert not all(np.array_equal(rows, other.tensors[name]) for name, rows in classifier.tensors.items())


def test_an_utterance_without_intent_speaks_against_the_excluded_ones_alone(encoder_checkpoint: Path) -> None:
    rows = [*ROWS, *[Utterance(text="play football")] * 4]
    probabilities = np.exp(trained(encoder_checkpoint, rows).log_probabilities(["play football"])[0])
    assert probabilities[INTENTS.index("music")] < 0.1


def test_nothing_to_learn_from_and_no_encoder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="utterances"):
        train_fine_tuned_intents([], intents=INTENTS, checkpoint="none")
    with pytest.raises(ConfigError, match="none"):
        trained(tmp_path / "none")
