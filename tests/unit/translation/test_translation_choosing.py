"""What is known of a domain, and which hypotheses become its text."""

import numpy as np
import pytest

from seedcorn.corpus.utterances import Utterance
from seedcorn.lm.domain_model import DomainModel, estimate_domain_model
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest
from seedcorn.translation.settings import NO_RESCORING, KeepSettings, RescoringWeights

pytest.importorskip("ctranslate2")

from seedcorn.translation.choosing import best_translations, keep_in_domain, tune_for_dev
from seedcorn.translation.entities import Candidates

TRANSCRIPTS = ["set an alarm for six", "set an alarm for seven", "play a song", "play some music", "stop the music"]
GENERAL = ["the train leaves at noon", "wake up at eight", "sing the song"]
DEV = ["set an alarm for eight", "play the song"]


def in_domain() -> DomainModel:
    return estimate_domain_model(TRANSCRIPTS, GENERAL, DEV, order=2)


def test_so_many_hypotheses_of_each_list_are_taken_best_first() -> None:
    logps = {"stop music": -1.0, "halt": -0.6, "stop the music": -2.5}
    hypotheses = tuple(Hypothesis(text=t, features={TRANSLATION_LOGP: p}) for t, p in logps.items())
    lists = [
        Candidates(
            utterance=Utterance(text="x", id="1", intent="stop"),
            nbest=NBest(source="x", hypotheses=hypotheses),
            slots=((), (), ()),
        )
    ]
    plain = best_translations(lists, in_domain(), NO_RESCORING, n_hypotheses=2, lang="en")
    assert [(u.text, u.intent, u.lang) for u in plain] == [("stop music", "stop", "en"), ("halt", "stop", "en")]
    rescored = best_translations(lists, in_domain(), RescoringWeights(lm=5.0), n_hypotheses=9, lang="en")
    assert len(rescored) == 3
    assert rescored[0].text == "stop the music"


def lists_of(*hypotheses: tuple[str, ...]) -> list[Candidates]:
    return [
        Candidates(
            utterance=Utterance(text="x", id="1"),
            nbest=NBest(
                source="x",
                hypotheses=tuple(
                    Hypothesis(text=t, features={TRANSLATION_LOGP: -0.1 * n}) for n, t in enumerate(texts)
                ),
            ),
            slots=((),) * len(texts),
        )
        for texts in hypotheses
    ]


def test_the_weights_that_rescore_are_those_best_for_dev() -> None:
    lists = lists_of(
        ("eight alarm an set", "set an alarm for eight"), ("song the play", "play the song"), ("qq", "play a song")
    )
    found = tune_for_dev(lists, in_domain(), n_hypotheses=1, n_tuning=10)
    assert found.lm > 0
    best = [u.text for u in best_translations(lists, in_domain(), found, lang="en")]
    assert best[:2] == ["set an alarm for eight", "play the song"]
    # With all hypotheses taken, their order brings nothing.
    assert tune_for_dev(lists, in_domain(), n_hypotheses=2, n_tuning=10) == NO_RESCORING


def test_in_domain_translations_are_kept_before_others() -> None:
    texts = ["the train leaves at noon", "set an alarm for eight"]
    kept = keep_in_domain(texts, in_domain(), KeepSettings(tuned=False, fraction=0.5))
    assert kept.positions.tolist() == [1]


def test_the_tuned_cut_off_rejects_what_hurts_dev() -> None:
    good, bad = [f"set an alarm for {n}" for n in ("eight", "nine", "ten")], ["qq ww", "ee rr", "tt yy", "uu ii"]
    kept = keep_in_domain([*bad, *good], in_domain(), KeepSettings(known_words_only=False))
    assert set(np.sort(kept.positions)) >= {4}
    assert len(kept.positions) < 7


def test_translations_with_words_that_no_text_has_are_rejected_unless_they_may_be_kept() -> None:
    texts = ["play the qqsong", "play the song", "wake up adele"]
    known = estimate_domain_model(TRANSCRIPTS, GENERAL, DEV, other_texts=[["call adele"]], order=2)
    strict, lenient = (
        KeepSettings(tuned=False, fraction=1.0),
        KeepSettings(tuned=False, fraction=1.0, known_words_only=False),
    )
    assert np.sort(keep_in_domain(texts, known, strict).positions).tolist() == [1, 2]
    assert len(keep_in_domain(texts, known, lenient).positions) == 3
    nothing = keep_in_domain(["qq ww"], known, KeepSettings())
    assert len(nothing.positions) == 0
    assert nothing.reason(0) == "a word that no known text has"


def test_one_cut_off_of_keep_or_reject_is_given() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        KeepSettings(tuned=True, fraction=0.5)
