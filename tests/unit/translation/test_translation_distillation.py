"""A translator learns from translations of another engine."""

from pathlib import Path

import pytest

from seedcorn.errors import DataError

pytest.importorskip("torch")

from seedcorn.corpus.pairs import SentencePair
from seedcorn.translation import distillation
from seedcorn.translation.distillation import TAUGHT_ORIGIN, distil, taught_pairs
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest
from seedcorn.translation.settings import DistillationSettings


def listed(source: str, *targets: str) -> NBest:
    hypotheses = tuple(Hypothesis(text=text, features={TRANSLATION_LOGP: -1.0}) for text in targets)
    return NBest(source=source, hypotheses=hypotheses)


@pytest.fixture
def brief(settings) -> DistillationSettings:
    further = settings.model_copy(update={"n_target_tokens": 400, "learning_rate": 1e-5, "n_warmup_steps": 1})
    return DistillationSettings(training=further)


def test_the_first_distinct_hypotheses_are_taught_but_copies_and_empty_ones() -> None:
    nbests = [listed("A red  house", "लाल घर", "लाल  घर", "a red house", "", "वह लाल घर"), listed("door", "door")]
    assert [(p.source, p.target) for p in taught_pairs(nbests, n_hypotheses=2)] == [
        ("a red house", "लाल घर"),
        ("a red house", "वह लाल घर"),
    ]
    assert {p.origin for p in taught_pairs(nbests, n_hypotheses=1)} == {TAUGHT_ORIGIN}


def test_what_a_student_says_after_its_lesson(trained, pairs, settings, tmp_path: Path) -> None:
    taught = [SentencePair(source="a red house", target="बड़ा दरवाज़ा")] * 40
    lesson = settings.model_copy(update={"n_target_tokens": 12_000, "learning_rate": 3e-3, "n_warmup_steps": 1})
    found = distil(
        trained.folder,
        taught,
        pairs,
        taught[:1],
        tmp_path / "student",
        settings=DistillationSettings(real_per_taught=0, training=lesson),
        random_seed=0,
    )
    before, after = found.dev_chrf_by_round
    assert after > before
    assert found.folder == tmp_path / "student"


def test_a_lesson_that_does_not_help_is_thrown_away(trained, pairs, brief, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(distillation, "dev_chrf", lambda translator, dev: 50.0)
    found = distil(
        trained.folder, pairs.pairs()[:2], pairs, pairs.pairs(), tmp_path / "student", settings=brief, random_seed=0
    )
    assert found.folder == trained.folder
    assert found.dev_chrf_by_round == (50.0, 50.0)


def test_nothing_to_learn_from_is_refused(trained, pairs, brief, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="in-domain source text to learn from"):
        distil(trained.folder, [], pairs, pairs.pairs(), tmp_path / "student", settings=brief, random_seed=0)
