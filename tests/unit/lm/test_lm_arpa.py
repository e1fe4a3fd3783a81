import gzip
import math
import re
from pathlib import Path

import numpy as np
import pytest

from language_models import SENTENCES, distribution_sums, ngrams_of, small_model
from seedcorn.errors import DataError, SeedcornWarning
from seedcorn.lm import arpa_lines, arpa_writing
from seedcorn.lm.arpa import read_arpa
from seedcorn.lm.arpa_lines import parse_number
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.model_file import read_model

LN10 = math.log(10)
SMALL = """\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-1.0\t<unk>
-99\t<s>\t-0.3
-0.5\t</s>
-0.25\ta\t-0.1

\\2-grams:
-0.2\t<s> a
-0.1\ta </s>

\\end\\
"""


def written(tmp_path: Path, text: str, name: str = "model.arpa") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["model.arpa", "model.arpa.gz"])
@pytest.mark.parametrize("order", [1, 3, 4])
def test_what_is_written_is_read(name: str, order: int, tmp_path: Path) -> None:
    model = small_model(order=order)
    write_arpa(model, tmp_path / name)
    read = read_arpa(tmp_path / name)
    before, after = ngrams_of(model), ngrams_of(read)
    assert before.keys() == after.keys()
    np.testing.assert_allclose(list(before.values()), [after[k] for k in before], atol=1e-6)
    np.testing.assert_allclose(read.sentence_logps(SENTENCES), model.sentence_logps(SENTENCES), atol=1e-5)


def test_gzip_bytes_depend_on_the_model_only(tmp_path: Path) -> None:
    for name in ("a.arpa.gz", "b.arpa.gz"):
        write_arpa(small_model(), tmp_path / name)
    assert (tmp_path / "a.arpa.gz").read_bytes() == (tmp_path / "b.arpa.gz").read_bytes()


def test_small_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_arpa(small_model(), tmp_path / "whole.arpa")
    monkeypatch.setattr(arpa_writing, "_BYTES_PER_BLOCK", 1)
    monkeypatch.setattr(arpa_lines, "_BYTES_PER_BLOCK", 7)
    write_arpa(small_model(), tmp_path / "pieces.arpa")
    assert (tmp_path / "whole.arpa").read_bytes() == (tmp_path / "pieces.arpa").read_bytes()
    assert ngrams_of(read_arpa(tmp_path / "pieces.arpa")) == ngrams_of(read_arpa(tmp_path / "whole.arpa"))


def test_numbers_of_other_tools_are_read(tmp_path: Path) -> None:
    text = SMALL.replace("-0.25\ta\t-0.1", "-2.5e-1 a -1E-1  ").replace("-99", "-inf").replace("\n", "\r\n")
    model = ngrams_of(read_arpa(written(tmp_path, text)))
    assert model["a",] == pytest.approx((-0.25 * LN10, -0.1 * LN10))
    assert model["<s>",][0] == -math.inf


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1.5", -1.5),
        ("0", 0.0),
        ("+.5", 0.5),
        ("1e-7", 1e-7),
        ("2E+2", 200.0),
        ("-inf", -math.inf),
        ("7.", 7.0),
        ("-1e18446744073709551617", -math.inf),
    ],
)
def test_numbers(text: str, value: float) -> None:
    raw = np.frombuffer(text.encode(), dtype=np.uint8)
    assert parse_number(raw, 0, len(raw)) == pytest.approx(value)


@pytest.mark.parametrize("text", ["-inf3", "infinitely", "", "-", "a", "1.2.3", "1e", "1e-", "e5", "1x", "nan"])
def test_what_is_no_number(text: str) -> None:
    raw = np.frombuffer(text.encode(), dtype=np.uint8)
    assert math.isnan(parse_number(raw, 0, len(raw)))


def test_missing_unknown_word_is_all_but_impossible(tmp_path: Path) -> None:
    model = read_arpa(written(tmp_path, SMALL.replace("-1.0\t<unk>\n", "").replace("1=4", "1=3")))
    assert model.score(["zebra"]).oov_logps[0] == pytest.approx((-100 - 0.3) * LN10)


def test_missing_contexts_are_added_with_what_backing_off_gives(tmp_path: Path) -> None:
    text = SMALL.replace("ngram 2=2", "ngram 2=2\nngram 3=1").replace(
        "\\end\\", "\\3-grams:\n-0.05\ta a </s>\n\n\\end\\"
    )
    model = read_arpa(written(tmp_path, text))
    assert ngrams_of(model)["a", "a"][0] == pytest.approx((-0.1 - 0.25) * LN10)
    assert ngrams_of(model)["a", "a", "</s>"][0] == pytest.approx(-0.05 * LN10)


@pytest.mark.parametrize(
    ("old", "new", "line", "wanted"),
    [
        ("\\data\\", "hello there", 1, "an ARPA language model"),
        ("ngram 2=2", "ngram 3=2", 3, "ngram 2=N"),
        ("-0.25\ta", "x.25\ta", 9, "a log10 probability"),
        ("-0.25\ta\t-0.1", "-0.25\ta\t-0.1\t3", 9, "at most one number more"),
        ("-0.25\ta\t-0.1", "-0.25\ta\tx", 9, "a log10 probability"),
        ("-0.25\ta", "0.25\ta", 9, "at most 0"),
        ("-0.25\ta", "-0.25\t</s>", 9, "each 1-gram once"),
        ("<s> a", "<s> b", 12, "among the 1-grams"),
        ("a </s>", "<s> a", 13, "each n-gram once"),
        ("-0.1\ta </s>", "-0.1\ta", 13, "as many words"),
        ("-0.1\ta </s>\n", "", 13, "2 2-grams"),
        ("\\2-grams:", "\\3-grams:", 11, r"\\2-grams:"),
        ("\\end\\", "-0.1\ta a", 15, r"\\end\\"),
        ("\\end\\\n", "", 15, r"\\end\\"),
        ("-0.5\t</s>", "-0.5\tb", 6, "</s> among the 1-grams"),
    ],
)
def test_errors_name_the_line(old: str, new: str, line: int, wanted: str, tmp_path: Path) -> None:
    assert old in SMALL
    with pytest.raises(DataError, match=rf"model\.arpa:{line}: .*{wanted}"):
        read_arpa(written(tmp_path, SMALL.replace(old, new)))


def test_cut_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.arpa.gz"
    path.write_bytes(gzip.compress(SMALL.encode())[:-10])
    with pytest.raises(DataError, match="gzip"):
        read_arpa(path)


def test_read_models_still_sum_to_one(tmp_path: Path) -> None:
    write_arpa(small_model(), tmp_path / "model.arpa")
    np.testing.assert_allclose(distribution_sums(read_arpa(tmp_path / "model.arpa")), 1, atol=1e-5)


UPPER = (
    "\\data\\\nngram 1=5\nngram 2=2\n\n\\1-grams:\n-1.0\t<UNK>\t-0.1\n-99\t<s>\t-0.3\n-0.7\t</s>\n-0.6\tjazz\t-0.2\n"
    "-0.5\tplay\t-0.2\n\n\\2-grams:\n-0.2\t<s> play\n-0.4\tplay <UNK>\n\n\\end\\\n"
)


def test_the_unknown_word_may_be_written_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "a.arpa").write_text(UPPER, encoding="utf-8")
    model = read_model(tmp_path / "a.arpa")
    assert model.words.count("<unk>") == 1
    assert "<UNK>" not in model.words
    scores = model.score(["play rock"])
    assert scores.n_oov.tolist() == [1]
    assert scores.logps[0] / math.log(10) == pytest.approx(-0.2 - 0.4 - 0.1 - 0.7, abs=1e-5)


def test_a_model_without_unknown_word_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.arpa").write_text(UPPER.replace("<UNK>", "rock"), encoding="utf-8")
    with pytest.warns(SeedcornWarning, match="no <unk> in the model"):
        read_model(tmp_path / "a.arpa")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("jazz\t-0.2", "jazz\tinf", "wanted a finite log10 back-off weight"),
        ("jazz\t-0.2", "jazz\t-inf", "wanted a finite log10 back-off weight"),
        ("ngram 1=5", "ngram 1=99999999999", "found a file too short for 99,999,999,999"),
    ],
)
def test_numbers_that_no_model_has_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "a.arpa").write_text(UPPER.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_model(tmp_path / "a.arpa")


@pytest.mark.parametrize("before", ["", "\n\n", "# Copyright\n\nThis file is in the ARPA-standard format.\n", "a\r\n"])
def test_lines_before_the_counts_are_a_licence(tmp_path: Path, before: str) -> None:
    assert read_arpa(written(tmp_path, before + SMALL)).vocabulary.words == ["<unk>", "<s>", "</s>", "a"]


@pytest.mark.parametrize("before", ["iARPA\n\n", "qARPA 2 256 256\n"])
def test_other_forms_of_arpa_are_named(tmp_path: Path, before: str) -> None:
    with pytest.raises(DataError, match="compile-lm"):
        read_arpa(written(tmp_path, before + SMALL))


@pytest.mark.parametrize(("word", "composed"), [("cafe\u0301", "café"), ("\u0958", "\u0915\u093c")])
def test_words_are_found_whatever_their_normal_form(
    tmp_path: Path, word: str, composed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = read_arpa(written(tmp_path, re.sub(r"\ba\b", composed, SMALL)))
    given = written(tmp_path, re.sub(r"\ba\b", word, SMALL))
    for n_bytes in (7, 1 << 20):
        monkeypatch.setattr(arpa_lines, "_BYTES_PER_BLOCK", n_bytes)
        found = read_arpa(given)
        assert found.vocabulary.words == wanted.vocabulary.words
        np.testing.assert_array_equal(found.arrays.logps, wanted.arrays.logps)


def test_words_that_are_no_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.arpa"
    path.write_bytes(SMALL.replace("\ta", "\t\xe9").encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.arpa:9: wanted words in UTF-8, found the byte 0xe9"):
        read_arpa(path)
