"""NBest and Moses n-best files."""

import gzip
from pathlib import Path

import pytest

from seedcorn.errors import DataError
from seedcorn.translation.nbest import Hypothesis, NBest, read_moses, write_moses

LISTS = [
    NBest(
        source="wake me up",
        hypotheses=(
            Hypothesis(text="मुझे जगा दो", features={"translation_logp": -1.25, "lm_logp": -10.5}),
            Hypothesis(text="", features={"translation_logp": -7.0, "lm_logp": -2.0}),
        ),
    ),
    NBest(source="stop", hypotheses=(Hypothesis(text="रुको", features={"translation_logp": -0.5, "lm_logp": -3.0}),)),
]


def moses(folder: Path, text: str) -> Path:
    path = folder / "nbest.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert write_moses(LISTS, tmp_path / "nbest.txt") == 2
    first = (tmp_path / "nbest.txt").read_text("utf-8").splitlines()[0]
    assert first == "0 ||| मुझे जगा दो ||| translation_logp= -1.25 lm_logp= -10.5 ||| -11.75"
    assert list(read_moses(tmp_path / "nbest.txt", [n.source for n in LISTS])) == LISTS


def test_features_with_several_values_are_numbered(tmp_path: Path) -> None:
    path = moses(tmp_path, "0 ||| a b ||| LM= -1.5 TM= -1 -2 ||| -4.5 ||| 0-0 1-1\n")
    (found,) = read_moses(path, ["x"])
    assert dict(found.best.features) == {"LM": -1.5, "TM_0": -1.0, "TM_1": -2.0, "translation_logp": -4.5}


@pytest.mark.parametrize(
    ("text", "sources", "message"),
    [
        ("0 ||| a ||| f= 1 ||| 1\nnonsense\n", ["x"], r"nbest\.txt:2: wanted a line"),
        ("0 ||| a ||| f= one ||| 1\n", ["x"], r"nbest\.txt:1: wanted features"),
        ("0 ||| a ||| 1.5 ||| 1\n", ["x"], r"nbest\.txt:1: wanted features"),
        ("0 ||| a ||| f= nan ||| 1\n", ["x"], r"nbest\.txt:1: wanted features .* finite"),
        ("0 ||| a ||| f= -inf ||| 1\n", ["x"], r"nbest\.txt:1: wanted features .* finite"),
        (
            "0 ||| a ||| f= 1 ||| 1\n2 ||| b ||| f= 1 ||| 1\n",
            ["x", "y", "z"],
            "hypotheses of sentence 1, found sentence 2",
        ),
        ("1 ||| a ||| f= 1 ||| 1\n", ["x"], "sentence 0"),
        ("0 ||| a ||| f= 1 ||| 1\n1 ||| a ||| f= 1 ||| 1\n", ["x"], "only 1 sources"),
        ("0 ||| a ||| f= 1 ||| 1\n", ["x", "y"], "hypotheses for all 2 sources, found for the first 1"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, text: str, sources: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_moses(moses(tmp_path, text), sources))


def test_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "nbest.txt").write_bytes(b"0 ||| a ||| f= 1 ||| 1\n0 ||| caf\xe9 ||| f= 1 ||| 1\n")
    with pytest.raises(DataError, match=r"nbest\.txt:2: wanted UTF-8 text"):
        list(read_moses(tmp_path / "nbest.txt", ["x"]))


def test_a_list_is_never_empty_and_an_empty_hypothesis_counts_as_a_word() -> None:
    with pytest.raises(DataError, match="at least one hypothesis"):
        NBest(source="x", hypotheses=())
    assert [h.n_words for h in LISTS[0].hypotheses] == [3, 1]


def test_a_text_that_holds_the_separator_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    broken = NBest(source="x", hypotheses=(Hypothesis(text="a ||| b", features={"f": 1.0}),))
    with pytest.raises(DataError, match="list 1"):
        write_moses([LISTS[0], broken], tmp_path / "nbest.txt")
    assert not list(tmp_path.iterdir())


def test_the_score_is_the_named_feature_or_the_total(tmp_path: Path):
    path = tmp_path / "marian.nbest"
    path.write_text(
        "0 ||| a ||| F0= -1.7 WordScores= -1.5 -0.2 ||| -0.73\n0 |||  ||| F0= -1 ||| -0.1\n", encoding="utf-8"
    )
    (found,) = read_moses(path, ["x"])
    assert [h.features["translation_logp"] for h in found.hypotheses] == [-0.73, -0.1]
    assert [h.text for h in found.without_empty().hypotheses] == ["a"]
    (found,) = read_moses(path, ["x"], score_feature="F0")
    assert found.best.features["translation_logp"] == -1.7
    with pytest.raises(DataError, match="wanted the feature 'F1'"):
        list(read_moses(path, ["x"], score_feature="F1"))
    path.write_text("0 ||| a ||| F0= 1_0 ||| 1\n", encoding="utf-8")
    with pytest.raises(DataError, match="finite numbers, found '1_0'"):
        list(read_moses(path, ["x"]))


@pytest.mark.parametrize("features", ["d= -1 lm= -2 -3", "d: -1 lm: -2 -3", "d=-1 lm=-2 lm=-3"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n\n"])
def test_features_as_other_decoders_write_them(tmp_path: Path, features: str, line_end: str) -> None:
    lines = [f"{i} ||| a b ||| {features} ||| -6" for i in range(2)]
    for found in read_moses(moses(tmp_path, line_end.join([*lines, ""])), ["x", "y"]):
        assert found.best.features == {"d": -1, "lm_0": -2, "lm_1": -3, "translation_logp": -6}


def test_compressed_lists_are_read(tmp_path: Path) -> None:
    (tmp_path / "n.gz").write_bytes(gzip.compress(b"0 ||| a ||| ||| -1\n"))
    assert [n.best.text for n in read_moses(tmp_path / "n.gz", ["x"])] == ["a"]
