"""A record of nothing but strings is read in a shorter way, and as any other."""

from hypothesis import given
from hypothesis import strategies as st

from seedcorn.corpus.columns import USUAL_NAMES, ColumnChoice
from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.records import plain_row, utterance_row
from seedcorn.corpus.formats.rows import UTTERANCE_NAMES, Row, core_row
from seedcorn.corpus.values import Value
from seedcorn.errors import DataError

NAMES = st.sampled_from(
    [*UTTERANCE_NAMES, *(name for names in USUAL_NAMES.values() for name in names), "Text", " text", "tokens", "labels"]
    + ["annot_utt", "_task_hash", "answer", "cats", "data", "other"]
)
VALUES: st.SearchStrategy[Value] = st.one_of(st.text("ab", max_size=2), st.none(), st.integers(0, 1))


def as_any_other(record: Row) -> Row | str:
    try:
        return core_row(utterance_row(record, BadRows()))
    except DataError as error:
        return error.wanted


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_plain_row_is_read_as_any_other(record: Row) -> None:
    found = plain_row(record, ColumnChoice())
    assert found is None or list(found.items()) == list(as_any_other(record).items())  # type: ignore[union-attr]


@given(st.dictionaries(st.sampled_from(["id", "query", "lang", "other"]), st.text("ab", max_size=2), max_size=4))
def test_records_of_strings_are_plain_where_they_have_a_text(record: dict[str, str]) -> None:
    assert plain_row({**record, "text": "a"}, ColumnChoice()) is not None
    assert (plain_row(dict(record), ColumnChoice()) is not None) == ("query" in record)
    assert plain_row({**record, "text": "a"}, ColumnChoice(text="text")) is None
