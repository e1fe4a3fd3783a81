"""Which pairs teach, and self-training rounds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_pairs, builtin_requests
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.errors import DataError
from seedcorn.translation.teaching_pairs import bilingual_scores, teaching_scores

pytest.importorskip("torch")

from seedcorn.translation import self_training
from seedcorn.translation.self_training import OWN_ORIGIN, SelfTrainingSettings, own_pairs, self_train


def test_pairs_near_the_transcripts_score_best() -> None:
    requests = builtin_requests(160, lang="hi", random_seed=0).utterances()
    near = [SentencePair(source="x", target=u.text) for u in requests[80:]]
    pairs = PairCorpus.from_pairs([*builtin_pairs(200, random_seed=0).pairs(), *near])
    for minus_general in (True, False):
        scores = teaching_scores(pairs, [u.text for u in requests[:80]], minus_general=minus_general)
        assert len(scores) == 280
        assert (scores.best_first()[:80] >= 200).mean() > 0.5  # chance is 0.29
    with pytest.raises(DataError, match="in-domain text of the target language"):
        teaching_scores(pairs, ["", " "])


def test_pairs_that_are_in_domain_on_both_sides_score_best() -> None:
    source, target = (
        [u.text for u in builtin_requests(120, lang=lang, random_seed=0).utterances()] for lang in ("en", "hi")
    )
    general = builtin_pairs(500, random_seed=0).pairs()
    both = [SentencePair(source=s, target=t) for s, t in zip(source[100:], target[100:], strict=True)]
    target_only = [SentencePair(source=p.source, target=t) for p, t in zip(general, target[80:100], strict=False)]
    pairs = PairCorpus.from_pairs([*general, *both, *target_only, SentencePair(source="...", target="एक घर")])
    scores = bilingual_scores(pairs, in_domain_source=source[:80], in_domain_target=target[:80])
    assert scores.missing is not None
    assert np.flatnonzero(scores.missing).tolist() == [540]
    same_source, target_only, both_sides = (slice(0, 20), slice(520, 540), slice(500, 520))
    means = [scores.values[part].mean() for part in (same_source, target_only, both_sides)]
    assert means == sorted(means)
    with pytest.raises(DataError, match="in-domain text of the source language"):
        bilingual_scores(pairs, in_domain_source=[" "], in_domain_target=["घर"])


@pytest.fixture
def chosen(settings) -> SelfTrainingSettings:
    further = replace(settings, n_target_tokens=400, learning_rate=1e-5, n_warmup_steps=1)
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

    plain = SelfTrainingSettings(n_best=5, kept_fraction=1.0, weights=replace(chosen.weights, lm=1.0))
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
