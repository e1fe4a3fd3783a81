"""What the language models of the systems are made of, and how translations are chosen for them."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from seedcorn.corpus.utterances import Utterance
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.pipelines.language_systems import (
    LanguageModelSettings,
    System,
    TranslatorName,
    best_translations,
    borrowed,
    default_systems,
    estimated,
    in_domain_of,
    interpolated,
    keep_in_domain,
    own_words,
    pruned,
    translations_of,
    tuned_weights,
    vocabulary_of,
)
from seedcorn.pipelines.language_translation import EntityChoice, EntityTreatment, KeepChoice, TranslatorSettings
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest
from seedcorn.translation.rescoring import NO_RESCORING, RescoringWeights

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates

TRANSCRIPTS = ["set an alarm for six", "set an alarm for seven", "play a song", "play some music", "stop the music"]
GENERAL = ["the train leaves at noon", "wake up at eight", "sing the song"]
DEV = ["set an alarm for eight", "play the song"]


def in_domain():
    return in_domain_of(TRANSCRIPTS, GENERAL, DEV, order=2)


def test_only_systems_with_a_translator_can_choose_translations() -> None:
    with pytest.raises(ValueError, match="need a translator"):
        System(rescored=True)
    with pytest.raises(ValueError, match="need a translator"):
        System(n_hypotheses=2)


def test_so_many_hypotheses_of_each_list_are_taken_best_first() -> None:
    pytest.importorskip("ctranslate2")
    from seedcorn.translation.entities import Candidates

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


def lists_of(*hypotheses: tuple[str, ...]) -> list["Candidates"]:
    from seedcorn.translation.entities import Candidates

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
    pytest.importorskip("ctranslate2")
    lists = lists_of(
        ("eight alarm an set", "set an alarm for eight"), ("song the play", "play the song"), ("qq", "play a song")
    )
    found = tuned_weights(lists, in_domain(), n_hypotheses=1, n_tuning=10, order=2)
    assert found.lm > 0
    best = [u.text for u in best_translations(lists, in_domain(), found, lang="en")]
    assert best[:2] == ["set an alarm for eight", "play the song"]
    # With all hypotheses taken, their order brings nothing.
    assert tuned_weights(lists, in_domain(), n_hypotheses=2, n_tuning=10, order=2) == NO_RESCORING


def test_general_text_adds_the_words_that_transcripts_lack() -> None:
    alone = in_domain_of(TRANSCRIPTS, [], DEV, order=2)
    assert len(alone.model.models) == 1
    assert in_domain().model.sentence_logps(["wake up"]) > alone.model.sentence_logps(["wake up"])


def test_each_set_of_translations_is_made_once() -> None:
    assert translations_of(default_systems().values()) == [
        (TranslatorName.SELECTED, False),
        (TranslatorName.SELECTED, True),
        (TranslatorName.SELF_TRAINED, False),
        (TranslatorName.SELF_TRAINED, True),
    ]


def test_the_better_of_two_texts_gets_more_weight_on_dev() -> None:
    near, far = (
        estimated(texts, order=2, vocabulary=None) for texts in (TRANSCRIPTS, ["the cat sat", "a dog ran", "rain fell"])
    )
    model, weights = interpolated([near, far], DEV)
    assert weights[0] > weights[1]
    assert set(own_words(model)) == set(own_words(near)) | set(own_words(far))
    assert measure_perplexity(model, [DEV]).n_oov < measure_perplexity(near, [DEV]).n_oov + 1


def test_a_single_text_is_not_interpolated() -> None:
    model = estimated(TRANSCRIPTS, order=2, vocabulary=None)
    assert interpolated([model], DEV) == (model, (1.0,))


def test_models_are_pruned_to_the_size_asked_for() -> None:
    model = estimated(TRANSCRIPTS, order=3, vocabulary=None)
    smaller = pruned(model, LanguageModelSettings(n_ngrams=model.n_ngrams[0] + 3))
    assert sum(smaller.n_ngrams) == model.n_ngrams[0] + 3
    assert pruned(model, LanguageModelSettings()) is model


def test_a_vocabulary_is_sorted_and_has_each_word_once() -> None:
    assert vocabulary_of([["b a"], ["a c"]]) == ["a", "b", "c"]


def test_in_domain_translations_are_kept_before_others() -> None:
    texts = ["the train leaves at noon", "set an alarm for eight"]
    kept = keep_in_domain(texts, in_domain(), KeepChoice(tuned=False, fraction=0.5), order=2)
    assert kept.positions.tolist() == [1]


def test_the_tuned_cut_off_rejects_what_hurts_dev() -> None:
    good, bad = [f"set an alarm for {n}" for n in ("eight", "nine", "ten")], ["qq ww", "ee rr", "tt yy", "uu ii"]
    kept = keep_in_domain([*bad, *good], in_domain(), KeepChoice(known_words_only=False), order=2)
    assert set(np.sort(kept.positions)) >= {4}
    assert len(kept.positions) < 7


def test_translations_with_words_that_no_text_has_are_rejected_unless_they_may_be_kept() -> None:
    texts = ["play the qqsong", "play the song", "wake up adele"]
    known = in_domain_of(TRANSCRIPTS, GENERAL, DEV, other_texts=[["call adele"]], order=2)
    strict, lenient = (
        KeepChoice(tuned=False, fraction=1.0),
        KeepChoice(tuned=False, fraction=1.0, known_words_only=False),
    )
    assert np.sort(keep_in_domain(texts, known, strict, order=2).positions).tolist() == [1, 2]
    assert len(keep_in_domain(texts, known, lenient, order=2).positions) == 3
    nothing = keep_in_domain(["qq ww"], known, KeepChoice(), order=2)
    assert len(nothing.positions) == 0
    assert nothing.reason(0) == "a word that no known text has"


def test_source_text_is_borrowed_where_a_table_leads_to_the_script_of_the_language() -> None:
    assert borrowed(["play the song"], target_lang="hi-IN") == ["प्ले थे सोंग"]
    assert borrowed(["play the song"], target_lang="ta") == []


def test_one_cut_off_of_keep_or_reject_is_given() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        KeepChoice(tuned=True, fraction=0.5)


def test_slot_types_without_catalogue_values_are_translated() -> None:
    pytest.importorskip("ctranslate2")
    choice = EntityChoice(by_type={"artist": EntityTreatment.LATIN})
    settings = choice.settings({"time"}, {"time", "place", "artist"})
    assert {name: treatment.value for name, treatment in settings.by_type.items()} == {
        "artist": "latin",
        "place": "translate",
        "time": "catalogue",
    }


def test_translator_settings_reach_the_training() -> None:
    pytest.importorskip("transformers")
    training = TranslatorSettings(width=64, n_heads=2, n_target_tokens=5, checkpoint_target_lang="hi_IN").training()
    assert (training.shape.width, training.shape.n_heads) == (64, 2)
    assert (training.n_target_tokens, training.target_lang) == (5, "hi_IN")
