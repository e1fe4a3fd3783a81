"""Where text comes from: the sources of a system, what they need, and what they are called."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.language.config import LanguagePipeline
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.nbest_lists import TranslationSet
from seedcorn.language.sources import (
    OracleTarget,
    SlotVariants,
    SourceText,
    TranscribedText,
    Translations,
    TransliteratedSourceText,
)
from seedcorn.language.systems import AnySource, System, default_systems
from seedcorn.language.texts import Texts, transliterated
from seedcorn.language.translators import TranslatorName
from seedcorn.runs import Context
from seedcorn.translation.settings import KeepSettings

SELECTED, SELF_TRAINED = TranslatorName.SELECTED, TranslatorName.SELF_TRAINED


def system(*sources: object) -> tuple[AnySource, ...]:
    return TypeAdapter(System).validate_python(list(sources))


def pipeline(**changes: object) -> LanguagePipeline:
    builtin = {"path": "builtin:requests", "lang": "hi", "n_rows": 10}
    data = {
        "source_lang": "en",
        "target_lang": "hi",
        "transcripts": builtin,
        "source": [builtin],
        "pairs": [{"path": "builtin:pairs"}],
        "dev": builtin,
        "test": builtin,
    }
    return LanguagePipeline.model_validate({"data": data, **changes})


def test_a_name_stands_for_a_source_as_it_is_by_default() -> None:
    assert system("transcripts", {"source": "slot_variants", "n_variants": 3}) == (
        TranscribedText(),
        SlotVariants(n_variants=3),
    )
    with pytest.raises(ValueError, match="at least 1"):
        system()
    with pytest.raises(ValueError, match="'songs'"):
        system("songs")


def test_kept_is_a_setting_or_yes_or_no() -> None:
    kept = [
        system({"source": "translations", "kept": value})[0] for value in (True, False, {"known_words_only": False})
    ]
    assert kept == [
        Translations(kept=KeepSettings()),
        Translations(),
        Translations(kept=KeepSettings(known_words_only=False)),
    ]


def test_each_source_has_a_folder_of_its_own() -> None:
    different = [
        Translations(),
        Translations(rescored=True),
        Translations(kept=KeepSettings()),
        Translations(kept=KeepSettings(known_words_only=False)),
        Translations(kept=KeepSettings(tuned=False, fraction=0.5)),
        Translations(translator=SELF_TRAINED, n_hypotheses=5),
        SlotVariants(),
        SlotVariants(n_variants=3),
    ]
    names = [source.name for source in different]
    assert len(set(names)) == len(names)
    assert names[0] == "text-translations"
    assert names[3] == "text-translations-kept.known_words_only=False"
    assert names[5] == "text-translations-translator=self_trained-n_hypotheses=5"


def test_each_set_of_translations_is_made_once() -> None:
    made = pipeline(systems=default_systems())
    assert made.translation_sets() == [
        TranslationSet(SELECTED, False),
        TranslationSet(SELECTED, True),
        TranslationSet(SELF_TRAINED, False),
        TranslationSet(SELF_TRAINED, True),
    ]
    assert made.rescored_sets() == [(TranslationSet(SELECTED, False), 1), (TranslationSet(SELF_TRAINED, True), 1)]
    n_sources = sum(map(len, made.systems.values()))
    assert len(made.sources()) < n_sources


def test_an_oracle_needs_true_translations_and_roles_name_systems() -> None:
    with pytest.raises(ValueError, match=r"'b' with oracle_target needs data\.oracle_target"):
        pipeline(systems={"a": ["transcripts"], "b": ["oracle_target"]})
    with pytest.raises(ValueError, match="reported: 'best' is not one of the systems"):
        pipeline(reported="best")
    with pytest.raises(ValueError, match="names that differ"):
        pipeline(systems={"a/b": ["transcripts"], "a?b": ["general"]})
    roles = pipeline(systems={"a": ["transcripts"], "b": ["general"]})
    assert (roles.baseline_name, roles.reported_name) == ("a", "b")


def test_translations_made_elsewhere_have_to_be_there_and_have_no_entities() -> None:
    for name in ("given", "endpoint"):
        systems = {"a": ["transcripts"], "b": [{"source": "translations", "translator": name}]}
        with pytest.raises(ValueError, match=f"need translators.{name}"):
            pipeline(systems=systems)
        with pytest.raises(ValueError, match="leave entities out"):
            system({"source": "translations", "translator": name, "entities": True})


def data_of(*texts: str) -> LanguageData:
    rows = [Utterance(text=text, id=str(n)) for n, text in enumerate(texts)]
    return LanguageData(
        source_lang="en",
        target_lang="hi-IN",
        transcripts=[],
        source=rows,
        dev=[],
        test=[],
        dev_source=[],
        oracle_target=rows[:1],
    )


def test_source_text_is_transliterated_where_a_table_leads_to_the_script_of_the_language() -> None:
    data, context = data_of("Play the song!"), Context()
    assert SourceText()(data, context=context).normalised == ["play the song"]
    assert TransliteratedSourceText()(data, context=context).normalised == ["प्ले थे सोंग"]
    assert OracleTarget()(data, context=context).normalised == ["play the song"]
    assert transliterated(["play the song"], target_lang="ta") == []


def test_slot_values_are_resampled_from_all_of_their_type(tmp_path) -> None:
    rows = [
        Utterance(text="play adele", slots=(Slot(5, 10, "artist"),)),
        Utterance(text="call mohan", slots=(Slot(5, 10, "artist"),)),
        Utterance(text="stop"),
    ]
    texts = SlotVariants(n_variants=10)(Transcripts(utterances=rows), context=Context(random_seed=1))
    assert set(texts.normalised) == {"play adele", "play mohan", "call adele", "call mohan"}
    assert len(texts.normalised) == 20
    texts.save(tmp_path)
    assert Texts.load(tmp_path) == texts


def test_values_of_the_source_text_are_said_in_variants() -> None:
    pytest.importorskip("num2words")
    pytest.importorskip("babel")
    rows = [Utterance(text="रात दस बजे जगा दो", slots=(Slot(0, 10, "time"),))]
    data = replace(data_of(), source=[Utterance(text="wake me at 7:30 pm", slots=(Slot(11, 18, "time"),))])
    said = "शाम सात बजकर तीस मिनट जगा दो"
    for spoken, expected in ((False, {"रात दस बजे जगा दो"}), (True, {"रात दस बजे जगा दो", said})):
        source = SlotVariants(n_variants=20, spoken_values=spoken)
        further = (data,) if spoken else ()
        found = source(Transcripts(utterances=rows), *further, context=Context(random_seed=1))
        assert {u.text for u in found.utterances} == expected
