"""Placeholders in training pairs, packed batches, and pairs of own translations."""

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.errors import DataError
from seedcorn.translation.nbest import Hypothesis, NBest
from seedcorn.translation.placeholders import frequent_words, lexicon_of, with_placeholders
from seedcorn.translation.subwords import PLACEHOLDER

pytest.importorskip("torch")

from seedcorn.translation.batching import IGNORED_LABEL, EncoderDecoderBatches, pack, tokenise
from seedcorn.translation.self_training import drawn, keep_confident, mixed
from seedcorn.translation.subwords import texts_of, train_subwords


def pairs_of(*sides: tuple[str, str]) -> PairCorpus:
    return PairCorpus.from_pairs(SentencePair(source=source, target=target) for source, target in sides)


def replaced(pairs: PairCorpus, lexicon, *, seed: int = 0) -> list[tuple[str, str]]:
    found = with_placeholders(pairs, lexicon, pair_fraction=1.0, random_seed=seed).pairs()
    return [(pair.source, pair.target) for pair in found]


def test_words_with_one_translation_in_the_target_become_placeholders() -> None:
    lexicon = lexicon_of(pairs_of(("Monday", "सोमवार"), ("rain", "बारिश"), ("rain", "वर्षा"), ("a b c", "ग")).pairs())
    assert lexicon == {"monday": {"सोमवार"}, "rain": {"बारिश", "वर्षा"}}
    pairs = pairs_of(("it will rain on monday", "सोमवार को बारिश होगी"))
    assert replaced(pairs, lexicon) == [("it will <slot1> on <slot2>", "<slot2> को <slot1> होगी")]


def test_ambiguous_words_stay() -> None:
    lexicon = {"rain": frozenset({"बारिश", "वर्षा"})}
    pairs = pairs_of(("rain rain go away", "बारिश जाओ"), ("rain here", "वर्षा बारिश यहाँ"), ("rain", "बारिश"))
    assert replaced(pairs, lexicon) == [(p.source, p.target) for p in pairs.pairs()]


def test_words_that_are_equal_on_both_sides_need_no_lexicon() -> None:
    assert replaced(pairs_of(("call adele now", "adele को बुलाओ")), {}) == [("call <slot1> now", "<slot1> को बुलाओ")]


def test_both_sides_always_have_the_same_placeholders() -> None:
    pairs = builtin_pairs(200, random_seed=0)
    lexicon = {word: frozenset(p.target.split()) for p in pairs.pairs()[:60] for word in p.source.split()}
    found = replaced(pairs, lexicon)
    assert sum("<slot" in source for source, _ in found) > 20
    for source, target in found:
        assert sorted(PLACEHOLDER.findall(source)) == sorted(PLACEHOLDER.findall(target))


def test_frequent_words_are_counted_on_the_source_side() -> None:
    assert frequent_words(pairs_of(("The cat", "x"), ("the dog", "y")), n_words=1) == {"the"}


def test_every_pair_is_in_one_batch_and_no_batch_is_too_large() -> None:
    pairs = builtin_pairs(300, random_seed=0)
    tokenizer = train_subwords((t for p in pairs.pairs() for t in (p.source, p.target)), n_subwords=300)
    tokenised = tokenise(pairs, tokenizer, max_length=64)
    batches = pack(tokenised, tokens_per_batch=400, rng=np.random.default_rng(0))
    assert sorted(np.concatenate(batches).tolist()) == list(range(300))
    for batch in batches:
        longest = tokenised.source.lengths[batch].max() + tokenised.target.lengths[batch].max()
        assert len(batch) == 1 or len(batch) * longest <= 400
    padded = sum(len(b) * (tokenised.source.lengths[b].max() + tokenised.target.lengths[b].max()) for b in batches)
    assert padded < 1.25 * (tokenised.source.lengths.sum() + tokenised.target.lengths.sum())


def test_a_batch_shifts_its_labels_right() -> None:
    pairs = pairs_of(("a b", "c d"), ("a", "c"))
    tokenizer = train_subwords(["a b c d"] * 3, n_subwords=40)
    tokenised = tokenise(pairs, tokenizer, max_length=64)
    batch = EncoderDecoderBatches(tokenised, [np.array([0, 1])], padding_id=tokenizer.pad_token_id, decoder_start_id=7)[
        0
    ]
    labels, inputs = batch["labels"].numpy(), batch["decoder_input_ids"].numpy()
    assert (inputs[:, 0] == 7).all()
    assert (labels[1] == IGNORED_LABEL).any()
    ignored = labels[:, :-1] == IGNORED_LABEL
    assert (inputs[:, 1:][~ignored] == labels[:, :-1][~ignored]).all()
    assert (inputs[:, 1:][ignored] == tokenizer.pad_token_id).all()


def test_subwords_round_trip_and_keep_placeholders_whole() -> None:
    tokenizer = train_subwords(["wake me up at nine", "मुझे नौ बजे जगा दो"] * 3, n_subwords=120)
    for text in ("wake me up", "मुझे <slot1> जगा दो <slot2>"):
        tokens = tokenizer.convert_ids_to_tokens(tokenizer(text).input_ids)
        assert texts_of(tokenizer, [tokens, tokens]) == [text, text]
        assert sum(token.startswith("<slot") for token in tokens) == text.count("<slot")
    with pytest.raises(DataError, match="learn subwords"):
        train_subwords([], n_subwords=100)


def nbest(source: str, text: str, logp: float) -> NBest:
    return NBest(source=source, hypotheses=(Hypothesis(text=text, features={"translation_logp": logp}),))


def test_confident_translations_are_kept_never_copies() -> None:
    lists = [nbest("a", "क", -3.0), nbest("b", "ख ग", -2.0), nbest("c", "C", -0.1), nbest("d", "", -0.1)]
    assert keep_confident(lists, kept_fraction=0.5).positions.tolist() == [1, 0]
    assert keep_confident(lists, kept_fraction=0.25).positions.tolist() == [1]


def test_own_pairs_are_mixed_with_real_ones() -> None:
    own = [SentencePair(source=f"own {i}", target="x") for i in range(3)]
    real = pairs_of(*((f"real {i}", "y") for i in range(10)))
    sources = [p.source for p in mixed(own, real, real_per_own=2.0, rng=np.random.default_rng(0)).pairs()]
    assert sources[:3] == ["own 0", "own 1", "own 2"]
    assert len(set(sources[3:])) == 6
    assert mixed(own, real, real_per_own=9.0, rng=np.random.default_rng(0)).count() == 13


def test_sources_are_drawn_in_order() -> None:
    some = drawn(list("abcdefgh"), 3, np.random.default_rng(0))
    assert len(some) == 3
    assert some == sorted(some)
    assert drawn(list("ab"), 0, np.random.default_rng(0)) == ["a", "b"]
