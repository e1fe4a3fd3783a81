"""A language model behind a loopback server: what it answers is read strictly, and asked for once."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_servers import answering
from seedcorn.chat_server import ServerSettings
from seedcorn.corpus.text import clean_text
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError, SeedcornError
from seedcorn.nlu.llm import GENERATED, Exchange, KeptChat, chat_with, generate, label, share_right

WORDS = [
    f"{ten} {one}"
    for ten in ("twenty", "thirty")
    for one in ("one", "two", "three", "four", "five", "six", "seven", "eight")
]
SEED = [
    Utterance(text="wake me at five", intent="alarm_set", slots=(Slot(11, 15, "time"),)),
    Utterance(text="alarm please", intent="alarm_set"),
]
ANSWER = """1. wake me at [time : six thirty]
- "set an alarm for [time : noon]"
wake me at [time : five]
wake me at [hour : five past]
set an alarm for [time : noon]
broken [time : bracket

ring at dawn"""


def test_generated_lines_are_read_once_and_only_where_they_are_well_formed() -> None:
    prompts: list[str] = []

    def chat(prompt: str) -> str:
        prompts.append(prompt)
        return ANSWER

    found = generate(SEED, chat=chat, n_requests=2)
    assert [u.text for u in found] == ["wake me at six thirty", "set an alarm for noon", "ring at dawn"]
    assert found[0].slots == (Slot(11, 21, "time"),)
    assert {(u.intent, u.origin) for u in found} == {("alarm_set", GENERATED)}
    assert len(set(prompts)) == 2
    assert all("wake me at [time : five]" in p for p in prompts)


def test_nothing_is_generated_without_a_seed() -> None:
    assert generate([], chat=lambda _: ANSWER) == []


@pytest.mark.parametrize(
    ("answer", "slots"),
    [
        ("get up at [time : six]", (Slot(10, 13, "time"),)),
        ("get up at six", ()),
        ("get up at [time : seven]", None),
        ("get up at [place : six]", None),
        ("", None),
    ],
)
def test_labels_are_the_same_words_with_known_types(answer: str, slots: tuple[Slot, ...] | None) -> None:
    (found,) = label(["get up at six"], SEED, chat=lambda _: answer)
    assert (None if found is None else found.slots) == slots


def test_an_answer_is_kept_with_its_prompt(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(prompt: str) -> Exchange:
        asked.append(prompt)
        return Exchange(prompt=prompt, answer=f"answer {len(asked)}", n_prompt_tokens=3, n_answer_tokens=2)

    first, again = KeptChat(ask, tmp_path, "model"), KeptChat(ask, tmp_path, "model")
    assert [first("what?"), first("what?"), again("what?")] == ["answer 1"] * 3
    assert [e.n_prompt_tokens for e in first.exchanges.values()] == [3]
    assert KeptChat(ask, tmp_path, "another")("what?") == "answer 2"
    assert {json.loads(p.read_text("utf-8"))["prompt"] for p in tmp_path.iterdir()} == {"what?"}


def test_a_damaged_answer_is_named(tmp_path: Path) -> None:
    def ask(prompt: str) -> Exchange:
        return Exchange(prompt=prompt, answer="", n_prompt_tokens=0, n_answer_tokens=0)

    KeptChat(ask, tmp_path)("what?")
    (path,) = tmp_path.iterdir()
    path.write_text('{"prompt": "what?"}', "utf-8")
    with pytest.raises(DataError, match="answer"):
        KeptChat(ask, tmp_path)("what?")


def test_the_share_of_the_seed_that_is_labelled_right_leaves_the_examples_out() -> None:
    seed = [Utterance(text=f"wake me at {word}", slots=(Slot(11, 11 + len(word), "time"),)) for word in WORDS]
    asked: list[str] = []

    def chat(prompt: str) -> str:
        text = prompt.splitlines()[-1]
        asked.append(text)
        return (
            text.replace(" at two", " at [time : two]") if len(asked) % 2 else text.replace("at ", "at [time : ") + "]"
        )

    assert share_right(seed, chat=chat) == pytest.approx(1 / 2)
    assert asked == [u.text for u in seed[12:]]
    assert share_right(seed[:12], chat=chat) == 0.0


def test_a_server_is_asked_once_for_each_prompt(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with answering(lambda _: ANSWER) as (url, asked):
        settings = ServerSettings(model="small", base_url=url, cost_of_prompt=2.0, cost_of_answer=5.0)
        chats = [chat_with(settings, tmp_path) for _ in range(2)]
        made = [generate(SEED, chat=chat, n_requests=3) for chat in chats]
    assert made[0] == made[1]
    assert len(asked) == 3
    assert {a["model"] for a in asked} == {"small"}
    assert [e.n_prompt_tokens for e in chats[1].exchanges.values()] == [100] * 3
    assert settings.cost_of(300, 30) == pytest.approx(0.00075)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    chat = chat_with(ServerSettings(model="small", base_url="http://127.0.0.1:9/v1", n_retries=0), tmp_path)
    with pytest.raises(SeedcornError, match="wanted an answer of 'small'"):
        generate(SEED, chat=chat, n_requests=1)
    assert list(tmp_path.iterdir()) == []


@given(answer=st.text(alphabet=st.sampled_from('ab [:]\n"-1.é\u0301\u200b\u00a0ẞ'), max_size=40) | st.text(max_size=40))
def test_whatever_a_model_answers_is_read_or_left_out(answer: str) -> None:
    for found in (*generate(SEED, chat=lambda _: answer, n_requests=1), *label(["a b"], SEED, chat=lambda _: answer)):
        if found is not None:
            assert found.text == clean_text(found.text)
            assert all(0 <= s.start < s.end <= len(found.text) and s.type == "time" for s in found.slots)
