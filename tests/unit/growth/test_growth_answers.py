import json
from pathlib import Path

import pytest

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.growth.answers import read_answers, read_renames, with_renames

ASKED = [Utterance(id="a", text="wake me at five"), Utterance(id="b", text="play jazz"), Utterance(text="no id")]
INTENTS = ("alarm_set", "play_music")


def file_of(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def answer(id: str, text: str, intent: str, **more: object) -> dict[str, object]:
    return {"id": id, "text": text, "intent": intent, **more}


def test_labels_come_back_with_their_slots_and_unsure_ones_apart(tmp_path: Path) -> None:
    slots = [{"start": 11, "end": 15, "type": "time"}]
    path = file_of(
        tmp_path / "answers.jsonl",
        answer("a", "wake me at five", "alarm_set", slots=slots, annotator="ada"),
        answer("b", "play jazz", "", answer="unsure", annotator="ada"),
        {"text": "no id", "intent": "out_of_scope", "annotator": "ada"},
    )
    answers = read_answers([path], asked=ASKED, intents=INTENTS)
    assert [(u.id, u.intent, u.slots) for u in answers.labels] == [
        ("a", "alarm_set", (Slot(11, 15, "time"),)),
        ("", "out_of_scope", ()),
    ]
    assert [u.id for u in answers.unsure] == ["b"]
    assert not answers.conflicts


def annotation(who: int, intent: str) -> dict[str, object]:
    span = {"start": 11, "end": 15, "text": "five", "labels": ["time"]}
    return {
        "completed_by": who,
        "result": [
            {"from_name": "slots", "to_name": "text", "type": "labels", "value": span},
            {"from_name": "intent", "to_name": "text", "type": "choices", "value": {"choices": [intent]}},
        ],
    }


def test_an_export_of_label_studio_comes_back_and_keeps_what_annotators_disagree_on(tmp_path: Path) -> None:
    one, two = ({"id": id, "text": text} for id, text in (("a", "wake me at five"), ("b", "play jazz")))
    tasks: list[dict[str, object]] = [
        {"id": 1, "data": one, "annotations": [annotation(7, "alarm_set"), annotation(8, "alarm_set")]},
        {"id": 2, "data": two, "annotations": [{"completed_by": 7, "was_cancelled": True, "result": []}]},
        {"id": 3, "data": {"id": "c", "text": "not annotated"}, "predictions": [annotation(0, "play_music")]},
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), "utf-8")
    answers = read_answers([path], asked=ASKED, intents=INTENTS)
    assert [(u.id, u.intent, u.slots) for u in answers.labels] == [("a", "alarm_set", (Slot(11, 15, "time"),))]
    assert [u.id for u in answers.unsure] == ["b"]
    tasks[0]["annotations"] = [annotation(7, "alarm_set"), annotation(8, "play_music")]
    path.write_text(json.dumps(tasks), "utf-8")
    (conflict,) = read_answers([path], asked=ASKED, intents=INTENTS).conflicts
    assert [who for _, who in conflict.labels] == [("annotator 7",), ("annotator 8",)]


@pytest.mark.parametrize("annotations", [True, {"a": 1}, [[]], ["x"]])
def test_annotations_that_are_none_are_named_with_their_task(tmp_path: Path, annotations: object) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps([{"data": {"text": "play jazz"}, "annotations": annotations}]), "utf-8")
    with pytest.raises(DataError, match=r"export.json, task 1: wanted a list of annotations"):
        read_answers([path], asked=ASKED, intents=INTENTS)


def test_contradictory_labels_are_shown_and_not_resolved(tmp_path: Path) -> None:
    paths = [
        file_of(tmp_path / f"{who}.jsonl", answer("a", "wake me at five", intent, annotator=who))
        for who, intent in (("ada", "alarm_set"), ("bob", "play_music"), ("eve", "alarm_set"))
    ]
    answers = read_answers(paths, asked=ASKED, intents=INTENTS)
    assert not answers.labels
    (conflict,) = answers.conflicts
    assert [(label.intent, who) for label, who in conflict.labels] == [
        ("alarm_set", ("ada", "eve")),
        ("play_music", ("bob",)),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (answer("zzz", "wake me at five", "alarm_set"), "unknown id 'zzz'"),
        (answer("a", "wake me at six", "alarm_set"), "the text 'wake me at five'"),
        (answer("a", "wake me at five", "alarm_sett"), "Did you mean 'alarm_set'"),
    ],
)
def test_answers_about_something_else_are_refused_with_their_place(
    tmp_path: Path, row: dict[str, object], message: str
) -> None:
    path = file_of(tmp_path / "answers.jsonl", answer("b", "play jazz", "play_music"), row)
    with pytest.raises(DataError, match=message) as refused:
        read_answers([path], asked=ASKED, intents=INTENTS)
    assert "answers.jsonl, row 2" in str(refused.value)


def test_renamed_intents_keep_their_utterances_and_split_ones_ask_for_new_labels(tmp_path: Path) -> None:
    path = tmp_path / "renames.yaml"
    path.write_text("alarm_set: alarm_create\nplay_music: [play_song, play_album]\n", "utf-8")
    renames = read_renames(path, intents=INTENTS)
    renamed = with_renames(
        [Utterance(text="wake me", intent="alarm_set"), Utterance(text="play jazz", intent="play_music")], renames
    )
    assert [u.intent for u in renamed.utterances] == ["alarm_create"]
    assert [(u.text, u.intent) for u in renamed.to_annotate] == [("play jazz", "")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alarm: x", "an intent of the run before"),
        ("- a", "mapping of intents"),
        ("alarm_set: []", "the new name"),
        ("a: [", "wanted YAML"),
    ],
)
def test_a_mapping_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "renames.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=message):
        read_renames(path, intents=INTENTS)
