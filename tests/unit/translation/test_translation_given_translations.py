"""Translations made elsewhere: four formats, by source id, with or without scores."""

import json
from pathlib import Path

import pytest

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.translation.nbest import TRANSLATION_LOGP

pytest.importorskip("ctranslate2")

from seedcorn.translation.given_translations import NOT_TRANSLATED, TranslationFormat, given_translations
from seedcorn.translation.rescoring import NO_RESCORING

UTTERANCES = [Utterance(id="a", text="good morning"), Utterance(id="b", text="light"), Utterance(id="c", text="no")]
LABEL_STUDIO = [
    {
        "data": {"id": "a"},
        "annotations": [{"result": [{"value": {"text": ["bonjour"]}}, {"value": {"text": "salut"}}]}],
    },
    {"data": {"id": "b"}, "annotations": [{"was_cancelled": True, "result": [{"value": {"text": ["x"]}}]}]},
]
FILES = {
    "t.tsv": "a\tbonjour\t-0.5\r\na\tsalut\t-2\n\n",
    "t.jsonl": '{"id": "a", "hypotheses": [{"text": "bonjour", "score": -0.5}, {"text": "salut", "score": -2}]}\n',
    "t.json": json.dumps(LABEL_STUDIO),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_translations(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILES[name], "utf-8")
    (found,), rejects = given_translations(tmp_path / name, UTTERANCES)
    assert found.utterance is UTTERANCES[0]
    assert [h.text for h in found.nbest.hypotheses] == ["bonjour", "salut"]
    scores = [h.features[TRANSLATION_LOGP] for h in found.nbest.hypotheses]
    assert scores == ([0.0, 0.0] if name == "t.json" else [-0.5, -2.0])
    assert [(r.utterance.id, r.reason) for r in rejects] == [("b", NOT_TRANSLATED), ("c", NOT_TRANSLATED)]
    assert found.chosen(NO_RESCORING, lang="fr").text == "bonjour"


def test_moses_counts_rows_and_its_total_is_the_score(tmp_path: Path) -> None:
    path = tmp_path / "out.nbest"
    path.write_text(
        "0 ||| a ||| d= -1 lm= -2 ||| -9\n0 ||| b ||| d= -5 ||| 1\n1 ||| c ||| ||| 0\n2 ||| d ||| ||| 0\n", "utf-8"
    )
    found, rejects = given_translations(path, UTTERANCES)
    assert [len(c.nbest.hypotheses) for c in found] == [2, 1, 1]
    assert found[0].nbest.best.features[TRANSLATION_LOGP] == -9
    assert rejects == []


def test_a_row_is_the_id_of_an_utterance_without_one(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("1\toui\n", "utf-8")
    (found,), _ = given_translations(tmp_path / "t.tsv", [Utterance(text="x"), Utterance(text="yes")])
    assert found.utterance.text == "yes"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.tsv", "a\n", r"t\.tsv:1.*1 fields"),
        ("t.tsv", "a\tb\nz\tc\n", r"t\.tsv:2.*found 'z'"),
        ("t.tsv", "a\tb\tmuch\n", r"finite score"),
        ("t.tsv", "a\tb\tnan\n", r"finite score"),
        ("t.tsv", "a\t \n", r"translation of 'a', found an empty one"),
        ("t.jsonl", "{\n", r"t\.jsonl:1.*JSON"),
        ("t.jsonl", '{"text": "b"}\n', r'"id"'),
        ("t.jsonl", '{"id": "a"}\n', r"a translation as text"),
        ("t.jsonl", '{"id": "a", "hypotheses": []}\n', r'"hypotheses"'),
        ("t.json", "{}", "list of tasks"),
        ("t.json", "[{}]", "task 1"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError, match=message):
        given_translations(tmp_path / name, UTTERANCES)


def test_an_unknown_format_is_refused_and_a_named_one_is_taken(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("a\tbonjour\n", "utf-8")
    with pytest.raises(ConfigError, match="Name the format"):
        given_translations(tmp_path / "t.txt", UTTERANCES)
    found, _ = given_translations(tmp_path / "t.txt", UTTERANCES, format=TranslationFormat.TSV)
    assert found[0].nbest.best.text == "bonjour"
