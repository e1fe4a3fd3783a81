import pytest

from seedcorn.errors import DataError, MissingExtraError, at, nearest, require


def test_an_error_says_place_wanted_found_and_remedy() -> None:
    error = DataError(wanted="a number", found="'x'", where=at("a.tsv", 3), fix="Write a number.")
    assert str(error) == "a.tsv:3: wanted a number, found 'x'. Write a number."


def test_nearest_names_the_likely_key_or_all_of_them() -> None:
    assert nearest("randon_seed", ["random_seed", "data"]) == "Did you mean 'random_seed'?"
    assert nearest("zzz", ["b", "a"]) == "Known: a, b."


def test_a_missing_extra_names_the_install_line() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'seedcorn\[neural\]'"):
        require("a_package_nobody_wrote", extra="neural")


def test_require_returns_the_module() -> None:
    assert require("json", extra="neural").dumps(1) == "1"
