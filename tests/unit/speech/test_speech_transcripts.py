"""Transcript readers."""

import gzip
from pathlib import Path

import pytest

from seedcorn.errors import DataError
from seedcorn.speech.transcripts import TranscriptFormat, have_no_ids, read_transcripts


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
    with pytest.raises(DataError, match="wanted (UTF-8 text|a file to read)"):
        read_transcripts(tmp_path / "absent")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(tmp_path: Path, line_end: str) -> None:
    for name, lines in {"text": ["u1 a b", "", "u2 c"], "h.trn": ["a b (u1)", ";; a remark", "c (u2)", ""]}.items():
        assert read_transcripts(write(tmp_path / name, line_end.join(lines))) == {"u1": "a b", "u2": "c"}


def test_compressed_transcripts_are_read(tmp_path: Path) -> None:
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"u1 a b\n"))
    assert read_transcripts(tmp_path / "text.gz") == {"u1": "a b"}


def test_json_lines_and_trn_are_told_under_another_name(tmp_path: Path) -> None:
    json_lines = write(tmp_path / "a.txt", '{"id": "u1", "text": "a b"}\n{"id": "u2", "text": "c"}\n')
    trn = write(tmp_path / "b.txt", "a b (u1)\nc (u2)\n")
    assert read_transcripts(json_lines) == read_transcripts(trn) == {"u1": "a b", "u2": "c"}
    assert not have_no_ids(trn, trn)
    text = write(tmp_path / "c.txt", "u1 a (laughs)\nu2 b (laughs)\n")
    assert read_transcripts(text) == {"u1": "a (laughs)", "u2": "b (laughs)"}


@pytest.mark.parametrize("name", ["a.csv", "a.ctm", "a.stm", "a.VTT"])
def test_other_kinds_of_transcripts_are_not_taken_for_kaldi_text(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, "u1,play jazz\nu2,stop\n")
    with pytest.raises(DataError, match="--transcript-format"):
        read_transcripts(path)
    assert read_transcripts(path, format=TranscriptFormat.LINES)["1"] == "u1,play jazz"
