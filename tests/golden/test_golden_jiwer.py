"""Word and character error rates equal those of jiwer on plain text."""

import jiwer
import numpy as np
import pytest

from seedcorn.evaluation.wer import Normaliser, character_errors, word_errors

VOCABULARY = ["set", "the", "alarm", "for", "five", "a", "clock", "मुझे", "जगा", "दो", "play", "song"]


def random_texts(n: int, rng: np.random.Generator) -> list[str]:
    return [" ".join(rng.choice(VOCABULARY, size=rng.integers(1, 12))) for _ in range(n)]


@pytest.mark.parametrize("random_seed", range(5))
def test_rates_equal_jiwer(random_seed: int) -> None:
    rng = np.random.default_rng(random_seed)
    references, hypotheses = random_texts(40, rng), random_texts(40, rng)
    plain = Normaliser.WHITE_SPACE
    ours = word_errors(references, hypotheses, normaliser=plain).total()
    theirs = jiwer.process_words(references, hypotheses)
    assert ours.rate == pytest.approx(theirs.wer, abs=1e-12)
    assert ours.reference_length == theirs.hits + theirs.substitutions + theirs.deletions
    assert ours.insertions - ours.deletions == theirs.insertions - theirs.deletions
    characters = character_errors(references, hypotheses, normaliser=plain).total()
    assert characters.rate == pytest.approx(jiwer.cer(references, hypotheses), abs=1e-12)
