"""Any OpenAI-compatible server (vLLM, Ollama, llama.cpp, hosted): where it is asked, and its failures are named."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import AfterValidator, Field, ValidationInfo

from seedcorn.config import Settings
from seedcorn.errors import SeedcornError, require
from seedcorn.input_files import configuration_folder

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

    Ask: TypeAlias = Callable[[Sequence[ChatCompletionMessageParam], int], ChatCompletion]


def _from_its_configuration(path: Path, info: ValidationInfo) -> Path:
    return (configuration_folder(info) or Path()) / path


AnswersFolder: TypeAlias = Annotated[Path, AfterValidator(_from_its_configuration)]
"""Where answers are kept, from which other runs take them too; a relative path counts from its configuration."""


class ServerSettings(Settings):
    """Which model is asked at which server; ``api_key_variable`` names the environment variable that holds the key.

    Servers of one's own need no key. ``with_logps`` asks for token log-probabilities, which not every server has.
    Costs are of a million tokens.
    """

    model: str
    base_url: str = "http://localhost:8000/v1"
    api_key_variable: str = "OPENAI_API_KEY"
    temperature: float = Field(0.8, ge=0)
    n_tokens_max: int = Field(1000, ge=1)
    with_logps: bool = False
    n_retries: int = Field(5, ge=0)
    timeout_seconds: float = Field(120.0, gt=0)
    cost_of_prompt: float = Field(0.0, ge=0)
    cost_of_answer: float = Field(0.0, ge=0)

    def cost_of(self, n_prompt_tokens: int, n_answer_tokens: int) -> float:
        """Return what so many tokens cost."""
        return (n_prompt_tokens * self.cost_of_prompt + n_answer_tokens * self.cost_of_answer) / 1e6


def asking(settings: ServerSettings, *, wanted: str) -> "Ask":
    """Return the model of ``settings`` as a function from messages and a number of answers to a completion.

    Raises MissingExtraError without the extra `llm`; the function raises SeedcornError, which says what was ``wanted``,
    when the server does not answer after all retries.
    """
    openai = require("openai", extra="llm")
    client = openai.OpenAI(
        base_url=settings.base_url,
        # A server of one's own takes any key; the client wants one.
        api_key=os.environ.get(settings.api_key_variable) or "none",
        max_retries=settings.n_retries,
        timeout=settings.timeout_seconds,
    )

    def ask(messages: "Sequence[ChatCompletionMessageParam]", n_answers: int) -> "ChatCompletion":
        try:
            completion: ChatCompletion = client.chat.completions.create(
                model=settings.model,
                messages=list(messages),
                n=n_answers,
                temperature=settings.temperature,
                max_tokens=settings.n_tokens_max,
                logprobs=settings.with_logps,
            )
        except openai.OpenAIError as error:
            raise SeedcornError(
                wanted=wanted,
                found=f"{type(error).__name__}: {error}",
                where=settings.base_url,
                fix="Look at base_url, the model's name and the key; answers so far are kept.",
            ) from error
        return completion

    return ask
