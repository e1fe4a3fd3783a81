"""Which pairs are near to in-domain text, and which of their words are replaced by placeholders."""

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_pairs, builtin_requests
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.errors import DataError
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.relevance.embedding import fit_encoder, fit_encoder_to_stream
from seedcorn.selection import Scores
from seedcorn.translation.pair_selection import score_pairs, select_pairs
from seedcorn.translation.placeholders import add_placeholders
from seedcorn.translation.settings import PairMethod, PairSelectionSettings


def distances(pairs: PairCorpus, in_domain: list[str], *, minus_general: bool = True) -> Scores:
    settings = PairSelectionSettings(minus_general=minus_general)
    return score_pairs(pairs, in_domain=in_domain, settings=settings, random_seed=0)


def both_sides_of(pairs: PairCorpus, source: list[str], target: list[str]) -> Scores:
    settings = PairSelectionSettings(method=PairMethod.CROSS_ENTROPY)
    return score_pairs(pairs, in_domain=target, in_domain_source=source, settings=settings, random_seed=0)


def test_pairs_near_the_transcripts_score_best() -> None:
    requests = builtin_requests(160, lang="hi", random_seed=0).utterances()
    near = [SentencePair(source="x", target=u.text) for u in requests[80:]]
    pairs = PairCorpus.from_pairs([*builtin_pairs(200, random_seed=0).pairs(), *near])
    for minus_general in (True, False):
        scores = distances(pairs, [u.text for u in requests[:80]], minus_general=minus_general)
        assert len(scores) == 280
        assert (scores.best_first()[:80] >= 200).mean() > 0.5  # chance is 0.29
    with pytest.raises(DataError, match="in-domain text of the target language"):
        distances(pairs, ["", " "])


def test_pairs_that_are_in_domain_on_both_sides_score_best() -> None:
    source, target = (
        [u.text for u in builtin_requests(120, lang=lang, random_seed=0).utterances()] for lang in ("en", "hi")
    )
    general = builtin_pairs(500, random_seed=0).pairs()
    both = [SentencePair(source=s, target=t) for s, t in zip(source[100:], target[100:], strict=True)]
    target_only = [SentencePair(source=p.source, target=t) for p, t in zip(general, target[80:100], strict=False)]
    pairs = PairCorpus.from_pairs([*general, *both, *target_only, SentencePair(source="...", target="एक घर")])
    scores = both_sides_of(pairs, source[:80], target[:80])
    assert scores.missing is not None
    assert np.flatnonzero(scores.missing).tolist() == [540]
    same_source, target_only, both_sides = (slice(0, 20), slice(520, 540), slice(500, 520))
    means = [scores.values[part].mean() for part in (same_source, target_only, both_sides)]
    assert means == sorted(means)
    with pytest.raises(DataError, match="in-domain text of the source language"):
        both_sides_of(pairs, [" "], ["घर"])


def test_the_nearest_pair_is_selected_first() -> None:
    pairs = builtin_pairs(200, random_seed=1)
    targets = [p.target for p in pairs.pairs()]
    settings = PairSelectionSettings(minus_general=False, n_dimensions=16)
    scores = score_pairs(pairs, in_domain=[targets[7]], settings=settings, random_seed=1)
    selection = select_pairs(scores, Cutoff(n_kept=5))
    assert targets[selection.positions[0]] == targets[7]
    assert len(selection.positions) == 5
    assert len(select_pairs(scores, Cutoff(fraction=0.1)).positions) == 20
    near = select_pairs(scores, Cutoff(threshold=float(scores.values[selection.positions[2]])))
    assert near.positions.tolist() == selection.positions[:3].tolist()
    with pytest.raises(DataError, match="at least one pair"):
        select_pairs(scores, Cutoff(threshold=-9.0))


def test_one_cut_off_of_pairs_is_given() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Cutoff(fraction=0.5, n_kept=3)
    with pytest.raises(ValueError, match="pairs are cut by fraction"):
        PairSelectionSettings(cutoff=Cutoff(n_words=100))


def test_an_encoder_fitted_to_a_stream_is_the_one_fitted_to_the_texts() -> None:
    texts = [p.target for p in builtin_pairs(300, random_seed=1).pairs()]
    parts = [
        PairCorpus.from_pairs(SentencePair(source="", target=t) for t in texts[i : i + 70]) for i in range(0, 300, 70)
    ]

    def stream():
        return (batch.column("target") for part in parts for batch in part.batches())

    for n_fitted in (100, 1_000):
        whole = fit_encoder(texts, n_dimensions=8, n_buckets=1 << 10, random_seed=3, n_fitted_texts=n_fitted)
        streamed = fit_encoder_to_stream(
            stream, n_dimensions=8, n_buckets=1 << 10, random_seed=3, n_fitted_texts=n_fitted
        )
        assert np.array_equal(whole.bucket_vectors, streamed.bucket_vectors)


def test_placeholders_are_the_same_in_every_pass() -> None:
    pairs = builtin_pairs(200, random_seed=1)
    none = PairCorpus.from_pairs([])
    assert add_placeholders(pairs, none, pair_fraction=0, random_seed=1).pairs() == pairs.pairs()
    sides = [("i saw a cat", "मैंने बिल्ली देखी"), ("the cat sleeps", "बिल्ली सोती है")] * 20
    sentences = PairCorpus.from_pairs(
        SentencePair(source=f"{s} {n}", target=f"{t} {n}x") for n, (s, t) in enumerate(sides)
    )
    dictionary = PairCorpus.from_pairs(
        [SentencePair(source="saw", target="देखी"), SentencePair(source="sleeps", target="सोती")]
    )
    # The commonest words are never replaced: let others be commoner.
    common = PairCorpus.from_pairs(
        SentencePair(source=" ".join(f"w{n}" for n in range(200)), target="x") for _ in range(50)
    )
    together = PairCorpus(lambda: iter([*common.batches(), *sentences.batches()]))
    some = add_placeholders(together, dictionary, pair_fraction=0.5, random_seed=1)
    assert some.count() == 92
    assert some.pairs() == some.pairs()
    replaced = [pair for pair in some.pairs() if "<slot" in pair.source]
    assert 5 < len(replaced) < 40
    assert all("<slot1>" in pair.target for pair in replaced)
