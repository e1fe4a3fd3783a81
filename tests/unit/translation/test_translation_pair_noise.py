"""Pairs that are no translations of each other are noisier than those that are."""

import numpy as np
import pytest

from seedcorn.corpus.pairs import PairCorpus, SentencePair

pytest.importorskip("torch")

from seedcorn.corpus.pair_cleaning import swapped
from seedcorn.language.pair_noise import DropNoisyPairs
from seedcorn.language.pairs import SelectedPairs
from seedcorn.language.translators import TranslatorFolder
from seedcorn.runs import Context
from seedcorn.selection import Scores
from seedcorn.translation.nbest import TRANSLATION_LOGP
from seedcorn.translation.pair_noise import dual_cross_entropy
from seedcorn.translation.training import train_translator
from seedcorn.translation.translator import load_translator


@pytest.fixture(scope="module")
def reverse(pairs, settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reverse")
    turned, brief = swapped(pairs), settings.model_copy(update={"n_target_tokens": 8_000})
    return train_translator(
        turned, turned.pairs(), folder / "model", settings=brief, checkpoints=folder / "c", random_seed=1
    )


def test_the_score_of_a_translation_is_that_of_the_search(translator) -> None:
    sources = ["a red house", "door"]
    found = [nbest.best for nbest in translator.nbest(sources, n_best=1)]
    scored = translator.mean_logps(sources, [best.text for best in found])
    n_tokens = [len(translator.tokenizer(best.text, add_special_tokens=False).input_ids) + 1 for best in found]
    wanted = np.array([best.features[TRANSLATION_LOGP] for best in found]) / n_tokens
    np.testing.assert_allclose(scored, wanted, atol=0.05)  # int8, whose rounding depends on the batch


def test_wrong_pairs_are_noisier(translator, trained, reverse, pairs) -> None:
    back = load_translator(reverse.folder, n_threads=1)
    right = pairs.pairs()[:6]
    wrong = [SentencePair(source=a.source, target=b.target) for a, b in zip(right, right[3:] + right[:3], strict=True)]
    mixed = PairCorpus.from_pairs([*right, *wrong])
    scores = dual_cross_entropy(mixed, translator, back)
    assert max(scores.values[:6]) < min(scores.values[6:])
    assert set(scores.best_first()[:6].tolist()) == set(range(6))
    selected = SelectedPairs(pairs=mixed, scores=Scores(values=np.zeros(12), name="distance"), counts={})
    there, turned = (
        TranslatorFolder(folder=folder, counts={}, training={}) for folder in (trained.folder, reverse.folder)
    )
    kept = DropNoisyPairs(fraction=0.5)(selected, there, turned, context=Context())
    assert [(p.source, p.target) for p in kept.pairs.pairs()] == [(p.source, p.target) for p in right]
    assert kept.counts == {"n_in": 12, "n_kept": 6, "n_rejected": 6}


def test_without_pairs_there_are_no_scores(translator) -> None:
    assert len(dual_cross_entropy(PairCorpus.from_pairs([]), translator, translator)) == 0
