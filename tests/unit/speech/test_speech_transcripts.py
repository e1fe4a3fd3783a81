"""Transcript readers."""

from pathlib import Path

import pytest

from seedcorn.errors import DataError
from seedcorn.speech.transcripts import TranscriptFormat, read_transcripts


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8"))
    return path


def test_kaldi_trn_and_json_lines_say_the_same(tmp_path: Path) -> None:
    expected = {"u1": "set an alarm", "u2": "", "u3": "मुझे जगा दो"}
    kaldi = write(tmp_path / "text", "\ufeffu1 set an alarm\r\nu2\n\nu3\tमुझे जगा  दो\n")
    trn = write(tmp_path / "h.trn", "set an alarm (u1)\n(u2)\nमुझे जगा दो (u3)\n")
    jsonl = write(
        tmp_path / "h.jsonl",
        '{"id": "u1", "text": "set an alarm"}\n{"id": "u2", "text": ""}\n{"id": "u3", "text": "मुझे जगा दो"}\n',
    )
    assert read_transcripts(kaldi) == read_transcripts(trn) == read_transcripts(jsonl) == expected
    assert list(read_transcripts(kaldi)) == list(expected)
    assert read_transcripts(write(tmp_path / "x.txt", "a b (u)"), format=TranscriptFormat.TRN) == {"u": "a b"}


def test_manifests_of_recordings_are_transcripts_too(tmp_path: Path) -> None:
    manifest = write(tmp_path / "m.jsonl", '{"audio": "wavs/u1.wav", "text": "a"}\n{"utt_id": 2, "text": "b"}\n')
    assert read_transcripts(manifest) == {"u1": "a", "2": "b"}


def test_only_new_lines_end_a_line(tmp_path: Path) -> None:
    assert read_transcripts(write(tmp_path / "text", "u1 one\u2028two\x85three\n")) == {"u1": "one two three"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("text", "u1 a\nu1 b\n", r"text:2: wanted each utterance id once, found 'u1' again"),
        ("h.trn", "ok (u1)\nno id here\n", r"h.trn:2: wanted 'words \(utterance-id\)'"),
        ("h.jsonl", '{"id": 1, "text": "a"}\n{oops\n', "h.jsonl:2: wanted a JSON object"),
        ("h.jsonl", '{"id": 1}\n', 'h.jsonl:1: wanted a JSON object with "text"'),
        ("h.jsonl", '{"text": "a"}\n', 'h.jsonl:1: wanted an "id"'),
        ("h.jsonl", "[1]\n", "wanted a JSON object"),
    ],
)
def test_bad_lines_are_refused_with_their_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_transcripts(write(tmp_path / name, text))


def test_other_encodings_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes("u1 caf\xe9".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        read_transcripts(tmp_path / "text")
    with pytest.raises(DataError, match="readable"):
        read_transcripts(tmp_path / "absent")
