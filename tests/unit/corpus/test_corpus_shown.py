"""How a corpus shows itself: its length, its first rows, in a terminal and in a notebook."""

from seedcorn.corpus.utterances import Corpus, Slot, Utterance

ROWS = [Utterance(text=f"wake me at {n}", intent="alarm", slots=(Slot(11, 12, "time"),)) for n in range(7)]


def test_a_corpus_has_a_length_an_iteration_and_a_head() -> None:
    corpus = Corpus.from_utterances(ROWS)
    assert len(corpus) == 7
    assert list(corpus) == corpus.utterances() == ROWS
    assert corpus.head(2) == ROWS[:2]


def test_its_first_rows_are_shown_and_more_are_hinted_at() -> None:
    shown = repr(Corpus.from_utterances(ROWS))
    assert "'wake me at 4' alarm" in shown
    assert "wake me at 5" not in shown
    assert shown.endswith("...")
    assert not repr(Corpus.from_utterances(ROWS[:5])).endswith("...")


def test_a_notebook_shows_a_table_with_everything_escaped() -> None:
    html = Corpus.from_utterances([Utterance(text="<b>play</b>", intent="music")])._repr_html_()
    assert "&lt;b&gt;play&lt;/b&gt;" in html
    assert "<b>" not in html
