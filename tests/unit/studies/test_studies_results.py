"""What studies say of reductions in words."""

from seedcorn.studies.results import fewer_in_words


def test_a_negative_reduction_is_said_as_more() -> None:
    assert fewer_in_words(0.186) == "19% fewer"
    assert fewer_in_words(-1 / 3, n_decimals=1) == "33.3% more"
