"""The four treatments of slot values, with a translator that follows a table."""

import numpy as np
import pytest

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.translation.entities import (
    NO_CATALOGUE,
    PLACEHOLDERS_LOST,
    catalogue_of,
    translate_utterances,
)
from seedcorn.translation.nbest import Hypothesis, NBest
from seedcorn.translation.settings import NO_RESCORING, EntitySettings, Lost, Treatment

WAKE = Utterance(
    text="wake me at five am", intent="alarm_set", domain="alarm", lang="en", slots=(Slot(11, 18, "time"),), id="1"
)
PLAY = Utterance(
    text="play adele at five am", intent="play_music", slots=(Slot(5, 10, "artist"), Slot(14, 21, "time")), id="2"
)
STOP = Utterance(text="stop", intent="alarm_stop", id="3")


class TableTranslator:
    """Known texts have their translations; others come back marked as unknown."""

    def __init__(self, **table: list[str]) -> None:
        self.table = {
            "wake me at five am": ["मुझे जगा दो", "मुझे सुबह पाँच बजे जगा दो"],
            "wake me at <slot1>": ["मुझे जगा दो", "मुझे <slot1> जगा दो"],
            "five am": ["सुबह पाँच बजे", "पाँच बजे"],
            "adele": ["अडेल"],
            "play <slot1> at <slot2>": ["<slot2> <slot2> बजाओ", "<slot2> <slot1> बजाओ"],
            "play <slot1> at five am": ["पाँच बजे <slot1> बजाओ"],
            "wake me at": ["मुझे जगाओ"],
            "play": ["बजाओ"],
            "at": ["पर"],
            "stop": ["रुको"],
        } | table

    def nbest(self, texts, *, n_best=10, beam_size=0):
        for text in texts:
            found = self.table.get(text, ["???"])[:n_best]
            yield NBest(
                source=text,
                hypotheses=tuple(
                    Hypothesis(text=t, features={"translation_logp": -1.0 - i}) for i, t in enumerate(found)
                ),
            )


def translated(*utterances: Utterance, translator=None, n_best=10, catalogue=None, lexicon=None, **settings):
    return translate_utterances(
        utterances,
        translator or TableTranslator(),
        settings=EntitySettings(**settings),
        rng=np.random.default_rng(0),
        catalogue=catalogue,
        lexicon=lexicon,
        n_best=n_best,
    )


def best(candidates) -> Utterance:
    return candidates.chosen(NO_RESCORING, lang="hi")


def values(utterance: Utterance) -> dict[str, str]:
    return {slot.type: utterance.value(slot) for slot in utterance.slots}


def test_translated_in_place_from_the_first_hypothesis_that_has_the_value() -> None:
    ((wake, stop), rejects) = translated(WAKE, STOP)
    assert rejects == []
    assert best(wake) == Utterance(
        text="मुझे सुबह पाँच बजे जगा दो",
        intent="alarm_set",
        domain="alarm",
        lang="hi",
        slots=(Slot(5, 18, "time"),),
        id="1",
        origin="translation",
    )
    assert (best(stop).text, best(stop).slots) == ("रुको", ())


def test_a_value_that_is_not_found_is_translated_by_itself_into_its_placeholder() -> None:
    ((wake,), _) = translated(WAKE, translator=TableTranslator(**{"wake me at five am": ["मुझे जगा दो"]}))
    assert best(wake).text == "मुझे सुबह पाँच बजे जगा दो"
    assert values(best(wake)) == {"time": "सुबह पाँच बजे"}


def test_placeholders_are_counted_and_the_next_hypothesis_is_used() -> None:
    catalogue = {"artist": ("किशोर कुमार",), "time": ("सुबह नौ बजे",)}
    ((play,), rejects) = translated(PLAY, default=Treatment.CATALOGUE, catalogue=catalogue)
    assert rejects == []
    assert best(play).text == "सुबह नौ बजे किशोर कुमार बजाओ"
    assert values(best(play)) == {"time": "सुबह नौ बजे", "artist": "किशोर कुमार"}
    assert best(play).slots == tuple(sorted(best(play).slots))


def test_kept_in_latin_and_transliterated_by_slot_type() -> None:
    by_type = {"artist": Treatment.LATIN, "time": Treatment.TRANSLATE}
    ((play,), _) = translated(PLAY, by_type=by_type)
    assert best(play).text == "पाँच बजे adele बजाओ"
    assert values(best(play)) == {"time": "पाँच बजे", "artist": "adele"}
    ((play,), _) = translated(PLAY, by_type=by_type | {"artist": Treatment.TRANSLITERATE}, lexicon={"adele": "अडेल"})
    assert values(best(play))["artist"] == "अडेल"


def test_lost_placeholders_are_copied_around_or_rejected() -> None:
    losing = TableTranslator(**{"wake me at <slot1>": ["मुझे जगा दो", "<slot1> <slot1>"]})
    ((wake,), rejects) = translated(WAKE, default=Treatment.LATIN, translator=losing)
    assert rejects == []
    assert best(wake).text == "मुझे जगाओ five am"
    assert values(best(wake)) == {"time": "five am"}
    found, rejects = translated(WAKE, STOP, default=Treatment.LATIN, translator=losing, lost=Lost.REJECT)
    assert [best(c).id for c in found] == ["3"]
    assert [(r.position, r.utterance.id, r.reason) for r in rejects] == [(0, "1", PLACEHOLDERS_LOST)]


def test_what_the_catalogue_does_not_know_is_rejected_with_the_slot_type() -> None:
    found, rejects = translated(PLAY, WAKE, default=Treatment.CATALOGUE, catalogue={"time": ("पाँच बजे",)})
    assert [c.utterance.id for c in found] == ["1"]
    assert [(r.position, r.reason) for r in rejects] == [(0, f"{NO_CATALOGUE} 'artist'")]
    with pytest.raises(ConfigError, match="a catalogue of slot values"):
        translated(PLAY, default=Treatment.CATALOGUE)


def test_too_many_slots_and_empty_translations_have_reasons() -> None:
    many = Utterance(text=" ".join("abcdefghi"), slots=tuple(Slot(2 * i, 2 * i + 1, "letter") for i in range(9)))
    silent = TableTranslator(stop=[""])
    found, rejects = translated(many, STOP, WAKE, translator=silent)
    assert [c.utterance.id for c in found] == ["1"]
    assert [(r.position, r.reason) for r in rejects] == [(0, "more than 8 slots"), (1, "empty translation")]


def test_an_utterance_without_words_is_rejected_and_does_not_stop_the_others() -> None:
    found, rejects = translated(Utterance(text="?!", id="4"), STOP)
    assert [c.utterance.id for c in found] == ["3"]
    assert [(r.position, r.reason) for r in rejects] == [(0, "no words to translate")]


def test_a_value_without_words_stays_as_it_is() -> None:
    odd = Utterance(text="play ?!", slots=(Slot(5, 7, "artist"),))
    translator = TableTranslator(**{"play <slot1>": ["<slot1> बजाओ"]})
    for treatment in (Treatment.TRANSLITERATE, Treatment.LATIN, Treatment.TRANSLATE):
        ((candidates,), _) = translated(odd, translator=translator, default=treatment)
        assert values(best(candidates)) == {"artist": "?!"}


def test_every_utterance_is_either_translated_or_rejected() -> None:
    unknown = Utterance(text="what is this", slots=(Slot(8, 12, "thing"),))
    found, rejects = translated(WAKE, unknown, PLAY, STOP)
    assert len(found) + len(rejects) == 4
    for candidates in found:
        for hypothesis, slots in zip(candidates.nbest.hypotheses, candidates.slots, strict=True):
            assert len(slots) == len(candidates.utterance.slots)
            assert all(hypothesis.text[slot.start : slot.end].strip() for slot in slots)


def test_a_catalogue_is_made_of_the_seeds_own_values() -> None:
    assert catalogue_of([WAKE, PLAY, STOP]) == {"artist": ("adele",), "time": ("five am",)}


def test_there_are_eight_placeholders() -> None:
    from seedcorn.translation.subwords import placeholder

    with pytest.raises(DataError, match="at most 8"):
        placeholder(9)


def test_punctuation_and_case_do_not_reach_a_translator_of_spoken_text() -> None:
    loud = Utterance(text="Wake me, at Five AM!", slots=(Slot(12, 19, "time"),))
    ((wake,), _) = translated(loud)
    assert best(wake).text == "मुझे सुबह पाँच बजे जगा दो"
    ((wake,), _) = translated(loud, default=Treatment.LATIN)
    assert best(wake).text == "मुझे Five AM जगा दो"
    ((wake,), _) = translated(loud, default=Treatment.LATIN, spoken=False)
    assert best(wake).text == "??? Five AM"


def test_slot_types_without_catalogue_values_are_translated() -> None:
    settings = EntitySettings(default=Treatment.CATALOGUE, by_type={"artist": Treatment.LATIN})
    found = settings.where_known({"time"}, {"time", "place", "artist"})
    assert found.by_type == {
        "artist": Treatment.LATIN,
        "place": Treatment.TRANSLATE,
        "time": Treatment.CATALOGUE,
    }
