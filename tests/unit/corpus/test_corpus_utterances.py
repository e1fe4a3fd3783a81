import pyarrow as pa
import pytest

from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.utterances import Corpus, Slot, Utterance, check_slots
from seedcorn.errors import DataError

UTTERANCES = [
    Utterance(id="1", text="play adele", intent="play_music", slots=(Slot(5, 10, "artist"),)),
    Utterance(id="2", text="hello"),
]


def test_a_corpus_can_be_read_again_and_keeps_order_and_slots() -> None:
    corpus = Corpus.from_utterances(UTTERANCES)
    assert corpus.utterances() == UTTERANCES
    assert corpus.utterances() == UTTERANCES
    assert corpus.count() == 2
    assert UTTERANCES[0].value(UTTERANCES[0].slots[0]) == "adele"


def test_absent_columns_are_added_and_extra_ones_kept() -> None:
    corpus = Corpus.from_table(pa.table({"partition": ["train"], "text": ["hi"]}))
    assert corpus.schema.names[-1] == "partition"
    assert corpus.utterances() == [Utterance(text="hi")]


def test_a_table_without_text_is_refused() -> None:
    with pytest.raises(DataError, match="wanted a column 'text'"):
        Corpus.from_table(pa.table({"sentence": ["hi"]}))


@pytest.mark.parametrize("slots", [[(0, 99, "x")], [(3, 3, "x")], [(0, 4, "x"), (2, 6, "y")], [(0, 4, "")]])
def test_impossible_slots_are_refused(slots: list[tuple[int, int, str]]) -> None:
    with pytest.raises(DataError):
        check_slots("play adele", [Slot(*s) for s in slots])


def test_pairs_keep_their_order() -> None:
    pairs = [SentencePair(source="a", target="b"), SentencePair(source="c", target="d", origin="x")]
    assert PairCorpus.from_pairs(pairs).pairs() == pairs
