"""A language model behind a loopback server: what it answers is read strictly, and asked for once."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seedcorn.chat_server import ServerSettings
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import SeedcornError
from seedcorn.nlu.llm import GENERATED, chat_with, generate, kept_answers, label

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

    def chat(prompt: str) -> str:
        asked.append(prompt)
        return f"answer {len(asked)}"

    first, again = (kept_answers(chat, tmp_path, about="model")("what?") for _ in range(2))
    assert first == again == "answer 1"
    assert kept_answers(chat, tmp_path, about="another")("what?") == "answer 2"
    assert {json.loads(p.read_text("utf-8"))["prompt"] for p in tmp_path.iterdir()} == {"what?"}


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, object]]]]:
    asked: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            message = {"role": "assistant", "content": ANSWER}
            answer = {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            }
            encoded = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *_: object) -> None:
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_address[1]}/v1", asked
    served.shutdown()
    served.server_close()


def test_a_server_is_asked_once_for_each_prompt(server: tuple[str, list[dict[str, object]]], tmp_path: Path) -> None:
    pytest.importorskip("openai")
    url, asked = server
    settings = ServerSettings(model="small", base_url=url)
    made = [generate(SEED, chat=chat_with(settings, tmp_path), n_requests=3) for _ in range(2)]
    assert made[0] == made[1]
    assert len(asked) == 3
    assert {a["model"] for a in asked} == {"small"}


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    chat = chat_with(ServerSettings(model="small", base_url="http://127.0.0.1:9/v1", n_retries=0), tmp_path)
    with pytest.raises(SeedcornError, match="wanted an answer of 'small'"):
        generate(SEED, chat=chat, n_requests=1)
    assert list(tmp_path.iterdir()) == []
