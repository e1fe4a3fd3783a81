"""An OpenAI-compatible server on the loopback address as translator."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seedcorn.corpus.pairs import SentencePair
from seedcorn.errors import DataError, SeedcornError
from seedcorn.translation.nbest import TRANSLATION_LOGP

pytest.importorskip("openai")

from seedcorn.translation.endpoint import ANSWERS, EndpointSettings, EndpointTranslator


@dataclass
class Server:
    url: str = ""
    asked: list[dict] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    answer: str = "fr: {text}"


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.asked.append(body)
            status = state.refusals.pop(0) if state.refusals else 200
            text = body["messages"][-1]["content"]
            choices = [
                {
                    "index": i,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": state.answer.format(text=text) + "!" * (i // 2)},
                    "logprobs": {"content": [{"token": "a", "logprob": -1.5, "bytes": None, "top_logprobs": []}] * 2}
                    if body.get("logprobs")
                    else None,
                }
                for i in range(body["n"])
            ]
            answer = {
                "id": "1", "object": "chat.completion", "created": 0, "model": body["model"], "choices": choices,
                "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
            } if status == 200 else {"error": {"message": "later"}}  # fmt: skip
            encoded = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{httpd.server_port}/v1"
    yield state
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def translator(server: Server, tmp_path: Path) -> EndpointTranslator:
    settings = EndpointSettings(
        model="m",
        source_language="English",
        target_language="French",
        base_url=server.url,
        cost_of_prompt=2.0,
        cost_of_answer=4.0,
    )
    return EndpointTranslator(settings, tmp_path, [SentencePair(source="yes", target="oui")])


def changed(translator: EndpointTranslator, **settings: object) -> EndpointSettings:
    return translator.settings.model_copy(update=settings)


def test_texts_are_translated_in_order_and_each_asked_once(translator: EndpointTranslator, server: Server) -> None:
    texts = [f"text {i}" for i in range(9)] + ["text 3"]
    assert translator.best(texts) == [f"fr: {text}" for text in texts]
    assert len(server.asked) == 9
    assert [m["content"] for m in server.asked[0]["messages"][1:3]] == ["yes", "oui"]
    assert "from English to French" in server.asked[0]["messages"][0]["content"]
    assert (translator.usage.n_requests, translator.usage.n_prompt_tokens) == (9, 90)
    assert translator.usage.cost == pytest.approx((90 * 2 + 27 * 4) / 1e6)


def test_several_hypotheses_are_distinct_and_have_log_probabilities(
    translator: EndpointTranslator, server: Server
) -> None:
    translator.settings = changed(translator, with_logps=True)
    (found,) = translator.nbest(["hello"], n_best=4)
    assert [h.text for h in found.hypotheses] == ["fr: hello", "fr: hello!"]
    assert found.best.features[TRANSLATION_LOGP] == -3.0


def test_answers_are_kept_and_a_cut_line_is_asked_again(translator: EndpointTranslator, server: Server) -> None:
    translator.best(["one", "two"])
    path = translator.folder / ANSWERS
    path.write_bytes(path.read_bytes()[:-20])
    again = EndpointTranslator(translator.settings, translator.folder, translator.examples)
    assert again.best(["one", "two", "one"]) == ["fr: one", "fr: two", "fr: one"]
    assert (again.usage.n_from_disk, again.usage.n_requests) == (1, 1)
    assert len(server.asked) == 3
    other = EndpointTranslator(changed(translator, model="n"), translator.folder, translator.examples)
    other.best(["one"])
    assert len(server.asked) == 4


@pytest.mark.parametrize("line", ["{}", "[1]", "not JSON", '{"key": 1, "texts": "a"}', "\xff"])
def test_kept_answers_that_were_changed_are_refused_with_their_line(translator: EndpointTranslator, line: str) -> None:
    (translator.folder / ANSWERS).write_bytes(line.encode("latin-1") + b"\n")
    with pytest.raises(DataError, match=rf"{ANSWERS}:1: wanted an answer of the endpoint"):
        list(translator.nbest(["play some jazz"]))


def test_a_busy_server_is_asked_again(translator: EndpointTranslator, server: Server) -> None:
    server.refusals += [429, 503]
    assert translator.best(["one"]) == ["fr: one"]
    assert len(server.asked) == 3


def test_refusals_and_empty_answers_are_told_and_earlier_answers_kept(
    translator: EndpointTranslator, server: Server
) -> None:
    translator.settings = changed(translator, n_retries=0, n_parallel=1)
    translator.best(["one"])
    server.refusals += [401]
    with pytest.raises(SeedcornError, match=r"127\.0\.0\.1.*AuthenticationError"):
        translator.best(["one", "two"])
    server.answer = "  "
    with pytest.raises(SeedcornError, match="an empty answer"):
        translator.best(["three"])
    assert len((translator.folder / ANSWERS).read_text("utf-8").splitlines()) == 1


def test_no_text_asks_nothing_and_leaves_a_folder_to_go_on_from(translator: EndpointTranslator) -> None:
    assert list(translator.nbest([])) == []
    assert translator.best(["one"]) == ["fr: one"]


def test_an_empty_text_is_refused_with_its_row(translator: EndpointTranslator, server: Server) -> None:
    with pytest.raises(DataError, match="row 1"):
        translator.best(["a", " "])
    assert server.asked == []
