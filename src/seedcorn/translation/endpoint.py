"""Any OpenAI-compatible endpoint (vLLM, Ollama, llama.cpp, hosted) as a translator.

One request a distinct text, with the examples that are given in the prompt. Every answer is kept on disk by what was
asked, so that an interrupted run goes on where it was and a text is never paid for twice; requests and tokens are
counted.
"""

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, TypeAdapter, ValidationError

from seedcorn.chat_server import ServerSettings, asking
from seedcorn.corpus.pairs import SentencePair
from seedcorn.corpus.parallel import map_in_order
from seedcorn.corpus.text import clean_text
from seedcorn.errors import DataError, SeedcornError, at
from seedcorn.progress import say, track
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

    from seedcorn.chat_server import Ask

ANSWERS = "answers.jsonl"


class EndpointSettings(ServerSettings):
    """Which endpoint and model translates from which language into which, and how gently it is asked.

    Languages are named as in a sentence ("French"). ``n_requests_per_minute`` 0 means as fast as answers come, of
    ``n_parallel`` requests. Without ``with_logps`` all log-probabilities are 0.
    """

    source_language: str
    target_language: str
    domain: str = "requests that people say to a voice assistant"
    temperature: float = Field(0.7, ge=0)
    n_tokens_max: int = Field(200, ge=1)
    n_parallel: int = Field(4, ge=1)
    n_requests_per_minute: int = Field(0, ge=0)
    timeout_seconds: float = Field(60.0, gt=0)


@dataclass
class Usage:
    """What was asked so far: requests, texts answered from disk, tokens of prompts and answers, and their cost."""

    n_requests: int = 0
    n_from_disk: int = 0
    n_prompt_tokens: int = 0
    n_answer_tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True)
class _Answer:
    key: str
    texts: list[str]
    logps: list[float]
    n_prompt_tokens: int
    n_answer_tokens: int


@dataclass
class EndpointTranslator:
    """A translator as ``translator.Translator`` is one; ``folder`` keeps the answers, the prompt shows ``examples``."""

    settings: EndpointSettings
    folder: Path
    examples: Sequence[SentencePair] = ()
    usage: Usage = field(default_factory=Usage)

    def nbest(self, texts: Sequence[str], *, n_best: int = 10, beam_size: int = 0) -> Iterator[NBest]:
        """Yield the distinct translations of each text, at most ``n_best``, in order; there is no beam.

        Raises DataError on an empty text, SeedcornError when the endpoint does not answer after all retries or answers
        without a translation; what was answered until then is kept.
        """
        for row, text in enumerate(texts):
            if not text.strip():
                raise DataError(wanted="a sentence to translate", found=f"an empty one in row {row}")
        with _Answers(self.folder) as answers:
            gate = _Gate(self.settings.n_requests_per_minute)
            completion_of = self._asking(n_best)
            distinct = list(dict.fromkeys(texts))

            def ask(text: str) -> NBest:
                key = self._key(text, n_best)
                answer = answers.known.get(key)
                if answer is None:
                    gate.wait()
                    answer = _answer_of(completion_of(self._messages(text), n_best), key, text, self.settings)
                    answers.add(answer)
                with answers.lock:
                    self._count(answer, from_disk=key not in answers.added)
                return _nbest(text, answer)

            asked = map_in_order(ask, distinct, n_threads=self.settings.n_parallel)
            found = dict(zip(distinct, track(asked, "translating at the endpoint", total=len(distinct)), strict=True))
        say(f"endpoint: {self.usage}")
        yield from (found[text] for text in texts)

    def best(self, texts: Sequence[str], *, beam_size: int = 0) -> list[str]:
        """Return the first translation of each text, in order."""
        return [found.best.text for found in self.nbest(texts, n_best=1)]

    def _asking(self, n_best: int) -> "Ask":
        # A single answer is the likeliest one.
        settings = self.settings if n_best > 1 else self.settings.model_copy(update={"temperature": 0.0})
        return asking(settings, wanted=f"translations from '{settings.model}'")

    def _messages(self, text: str) -> "list[ChatCompletionMessageParam]":
        settings = self.settings
        asked = (
            f"Translate from {settings.source_language} to {settings.target_language}. "
            f"The texts are {settings.domain}. Answer with the translation only, "
            "in one line, as it would be said there, numbers in words."
        )
        messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": asked}]
        for pair in self.examples:
            messages += [{"role": "user", "content": pair.source}, {"role": "assistant", "content": pair.target}]
        return [*messages, {"role": "user", "content": text}]

    def _key(self, text: str, n_best: int) -> str:
        settings = self.settings
        decisive = [settings.model, n_best, settings.temperature, settings.with_logps, self._messages(text)]
        return hashlib.sha256(json.dumps(decisive, ensure_ascii=False).encode()).hexdigest()[:32]

    def _count(self, answer: _Answer, *, from_disk: bool) -> None:
        if from_disk:
            self.usage.n_from_disk += 1
            return
        self.usage.n_requests += 1
        self.usage.n_prompt_tokens += answer.n_prompt_tokens
        self.usage.n_answer_tokens += answer.n_answer_tokens
        self.usage.cost += self.settings.cost_of(answer.n_prompt_tokens, answer.n_answer_tokens)


class _Answers:
    """The answers on disk, one JSON line each; a line cut by an interruption is dropped."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.lock = folder / ANSWERS, threading.Lock()
        self.known: dict[str, _Answer] = {}
        self.added: set[str] = set()

    def __enter__(self) -> "_Answers":
        if self.path.exists():
            whole, _, cut = self.path.read_bytes().rpartition(b"\n")
            if cut:
                self.path.write_bytes(whole + b"\n" if whole else b"")
            self.known = {answer.key: answer for answer in self._read(whole)}
        self._file = self.path.open("a", encoding="utf-8", newline="\n")
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _read(self, kept: bytes) -> Iterator[_Answer]:
        for number, line in enumerate(kept.splitlines(), start=1):
            try:
                yield TypeAdapter(_Answer).validate_json(line)
            except ValidationError as error:
                raise DataError(
                    wanted="an answer of the endpoint as it was kept",
                    found=f"'{line.decode('utf-8', 'replace')[:60]}'",
                    where=at(self.path, number),
                    fix="Remove this line: what it answers is asked again.",
                ) from error

    def add(self, answer: _Answer) -> None:
        """Write the answer at once."""
        with self.lock:
            self._file.write(json.dumps(asdict(answer), ensure_ascii=False) + "\n")
            self._file.flush()
            self.known[answer.key] = answer
            self.added.add(answer.key)


class _Gate:
    """Lets one request pass at a time, so many a minute at most."""

    def __init__(self, n_per_minute: int) -> None:
        self._seconds = 60.0 / n_per_minute if n_per_minute else 0.0
        self._next, self._lock = time.monotonic(), threading.Lock()

    def wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            pause, self._next = max(self._next - now, 0.0), max(self._next, now) + self._seconds
        time.sleep(pause)


def _answer_of(completion: "ChatCompletion", key: str, text: str, settings: EndpointSettings) -> _Answer:
    """Return what is kept of a completion: its distinct one-line texts in order, each with its log-probability."""
    found: dict[str, float] = {}
    for choice in completion.choices or []:
        lines = [clean_text(line).strip('"') for line in (choice.message.content or "").splitlines() if line.strip()]
        tokens = (choice.logprobs.content if choice.logprobs is not None else None) or []
        if lines:
            found.setdefault(lines[0], float(sum(token.logprob for token in tokens)))
    if not found:
        raise SeedcornError(wanted=f"a translation of '{text[:60]}'", found="an empty answer", where=settings.base_url)
    usage = completion.usage
    return _Answer(
        key=key,
        texts=list(found),
        logps=list(found.values()),
        n_prompt_tokens=usage.prompt_tokens if usage else 0,
        n_answer_tokens=usage.completion_tokens if usage else 0,
    )


def _nbest(text: str, answer: _Answer) -> NBest:
    pairs = zip(answer.texts, answer.logps, strict=True)
    hypotheses = tuple(Hypothesis(text=found, features={TRANSLATION_LOGP: logp}) for found, logp in pairs)
    return NBest(source=text, hypotheses=hypotheses)
