"""Translations that are made elsewhere, as stages."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("transformers")

from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.language.data import LanguageData
from seedcorn.language.outside_translations import AskEndpoint
from seedcorn.language.pairs import CleanPairs, SelectedPairs
from seedcorn.runs import Context
from seedcorn.selection import Direction, Scores
from seedcorn.translation import endpoint

PAIRS = PairCorpus.from_pairs([SentencePair(source=text, target=f"fr {text}") for text in ("far", "near", "nearest")])
SCORES = Scores(values=np.array([0.9, 0.2, 0.1]), name="distance", direction=Direction.LOWER_IS_BETTER)
SOURCE = [Utterance(text="Play Adele!", id="1", slots=(Slot(5, 10, "artist"),)), Utterance(text="stop", id="2")]
DATA = LanguageData(
    source_lang="en", target_lang="fr", transcripts=[], source=SOURCE, dev=[], test=[], dev_source=[], oracle_target=[]
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[dict[str, str]]]:
    """Stands for a server that answers with what it was asked, twice; returns the messages that it gets."""
    messages_of: list[list[dict[str, str]]] = []

    def asking(*_: object, **__: object) -> Callable[[list[dict[str, str]], int], SimpleNamespace]:
        def ask(messages: list[dict[str, str]], n_answers: int) -> SimpleNamespace:
            messages_of.append(messages)
            text = messages[-1]["content"]
            choices = [
                SimpleNamespace(message=SimpleNamespace(content=f"{number} {text}"), logprobs=None)
                for number in range(n_answers)
            ]
            return SimpleNamespace(choices=choices, usage=None)

        return ask

    monkeypatch.setattr(endpoint, "asking", asking)
    return messages_of


def ask(answers: Path | None) -> list[tuple[str, ...]]:
    stage = AskEndpoint(
        model="m", source_language="English", target_language="French", n_best=2, n_examples=2, answers=answers
    )
    nearest = SelectedPairs(pairs=PAIRS, scores=SCORES, counts={})
    lists = stage(DATA, CleanPairs(pairs=PAIRS, dictionary=PAIRS, counts={}), nearest, context=Context())
    found = lists.candidates(DATA.source)
    assert [c.utterance for c in found] == SOURCE
    return [tuple(h.text for h in c.nbest.hypotheses) for c in found]


def test_texts_are_asked_as_they_are_written_with_the_nearest_pairs_as_examples(asked) -> None:
    assert ask(None) == [("0 Play Adele!", "1 Play Adele!"), ("0 stop", "1 stop")]
    (messages,) = [found for found in asked if found[-1]["content"] == "Play Adele!"]  # threads ask in any order
    shown = [message["content"] for message in messages[1:]]
    assert shown == ["near", "fr near", "nearest", "fr nearest", "Play Adele!"]


def test_a_folder_of_answers_is_for_other_runs_too(asked, tmp_path: Path) -> None:
    first = ask(tmp_path / "answers")
    assert ask(tmp_path / "answers") == first
    assert len(asked) == 2
