"""Values in files of others: what Python would take for one is not always one."""

import pytest

from seedcorn.corpus.values import finite_number, json_object, json_value, whole_number
from seedcorn.errors import DataError


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "NaN", '"\\ud800"', '{"a": Infinity}', "{'a': 1}"])
def test_what_is_no_json_is_told_in_one_line(text: str) -> None:
    with pytest.raises(DataError, match="^a.txt:3: wanted"):
        json_value(text, where="a.txt:3")


def test_whole_numbers_longer_than_python_reads_are_text() -> None:
    digits = "9" * 5_000
    assert json_value(f'{{"a": -{digits}, "b": [{digits}, 12, "{digits}"]}}') == {
        "a": f"-{digits}",
        "b": [digits, 12, digits],
    }
    with pytest.raises(DataError, match="NaN, which is not JSON"):
        json_value(f"[{digits}, NaN]")


def test_a_list_is_no_object() -> None:
    assert json_object('{"a": [1, null]}') == {"a": [1, None]}
    with pytest.raises(DataError, match="wanted a JSON object"):
        json_object("[1]")


@pytest.mark.parametrize(("written", "number"), [("-1.5", -1.5), (".5", 0.5), ("1e3", 1000.0), (7, 7.0), (0.25, 0.25)])
def test_numbers_are_read(written: object, number: float) -> None:
    assert finite_number(written) == number


@pytest.mark.parametrize(
    "written", ["1_0", "inf", "nan", "", " 1", "१", "0x1", "1e999", True, None, [1], 10**400, -(10**400)]
)
def test_other_things_are_no_numbers(written: object) -> None:
    with pytest.raises(DataError, match="finite number"):
        finite_number(written)


def test_whole_numbers_have_a_bound() -> None:
    assert whole_number("007", wanted="a line number") == 7
    for text in ("", "-1", "1.0", "१", "9" * 5_000):
        with pytest.raises(DataError, match="a line number"):
            whole_number(text, wanted="a line number")
