from pathlib import Path

import pytest

from seedcorn.errors import DataError, SeedcornWarning
from seedcorn.evaluation.wer import character_errors, word_errors
from seedcorn.speech.transcript_pairs import paired_transcripts
from seedcorn.speech.transcripts import TranscriptFormat, alternatives_of


def two_files(folder: Path, references: str, hypotheses: str, suffix: str = ".txt") -> tuple[Path, Path]:
    paths = folder / f"ref{suffix}", folder / f"hyp{suffix}"
    for path, content in zip(paths, (references, hypotheses), strict=True):
        path.write_text(content, encoding="utf-8")
    return paths


def test_lines_without_ids_are_paired_by_line_and_it_is_said(tmp_path: Path):
    files = two_files(tmp_path, "turn it on\nturn it off\n", "turn it on\nturn it of\n")
    with pytest.warns(SeedcornWarning, match="no utterance ids, paired line by line"):
        assert paired_transcripts(*files).said == ["turn it on", "turn it of"]
    files = two_files(tmp_path, "turn it on\nstop\n", "turn it on\n")
    with pytest.raises(DataError, match="a line for each of the 2 references"):
        paired_transcripts(*files, format=TranscriptFormat.LINES)
    paired = paired_transcripts(*files, format=TranscriptFormat.LINES, missing_is_empty=True)
    assert paired == (["1", "2"], ["turn it on", "stop"], ["turn it on", ""])


def test_ids_are_told_from_words_by_digits_or_by_another_order(tmp_path: Path):
    files = two_files(tmp_path, "u1 stop\nu2 go\n", "u2 go\nu1 stop\n")
    assert paired_transcripts(*files).said == ["stop", "go"]
    files = two_files(tmp_path, "anna stop\nbert go\n", "bert go\nanna stop\n")
    assert paired_transcripts(*files).said == ["stop", "go"]


@pytest.mark.parametrize("missing_is_empty", [False, True])
def test_first_words_are_not_taken_for_ids_where_lines_are_missing(tmp_path: Path, missing_is_empty: bool):
    files = two_files(tmp_path, "play some jazz\nwake me up\n", "play sam jazz\n")
    with pytest.raises(DataError, match="1 lines beside 2.*--transcript-format lines or kaldi"):
        paired_transcripts(*files, missing_is_empty=missing_is_empty)
    files = two_files(tmp_path, "u1 play jazz\nu2 stop\n", "u1 play\n")
    assert paired_transcripts(*files, missing_is_empty=True).said == ["play", ""]


def test_manifests_of_hypotheses_give_what_was_predicted(tmp_path: Path):
    row = '{"audio_filepath": "a/u1.wav", "text": "turn it on", "pred_text": "turn on"}\n'
    files = two_files(tmp_path, row, row, ".jsonl")
    assert paired_transcripts(*files) == (["u1"], ["turn it on"], ["turn on"])


def test_of_alternatives_the_nearest_counts(tmp_path: Path):
    assert alternatives_of("{ uh / @ } two { apples / pears }") == [
        "uh two apples",
        "uh two pears",
        "two apples",
        "two pears",
    ]
    files = two_files(tmp_path, "{ uh / @ } two { apples / pears } (u1)\n", "two pears (u1)\n", ".trn")
    assert paired_transcripts(*files).meant == ["two pears"]
    with pytest.raises(DataError, match="at most 1,000 readings"):
        alternatives_of("{ a / b } " * 10)


def test_characters_are_those_of_the_text_as_written():
    assert character_errors(["今天天气好"], ["今天天汽好"]).total().rate == 0.2
    assert character_errors(["สวัสดีครับ"], ["สวัสดีคับ"]).total().rate == 0.1
    assert character_errors(["a bc"], ["ab c"], with_spaces=False).total().errors == 0


def test_joiners_case_and_numbers():
    assert word_errors(["कर्\u200dता İSTANBUL"], ["कर्ता istanbul"]).total().errors == 0
    assert word_errors(["it cost 1,000.50"], ["it cost 1000.50"]).total().errors == 1
    assert word_errors(["ISPARTA"], ["ısparta"], lang="tr").total().errors == 0
    assert "lang:tr" in word_errors(["ISPARTA"], ["ısparta"], lang="tr").signature
