"""What is deployed: the model, what people labelled for it, what it labelled by itself, and the logs it has seen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from pydantic import JsonValue

from seedcorn import __version__
from seedcorn.corpus.formats import read_corpus
from seedcorn.corpus.tables import read_utterances, write_utterances
from seedcorn.corpus.utterances import Utterance, utterances_of
from seedcorn.deployment.batch import ToAnnotate
from seedcorn.deployment.tasks import with_ids
from seedcorn.errors import DataError
from seedcorn.files import read_json, write_json
from seedcorn.input_files import InputFile, digest_of_folder
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.saved_model import load_nlu, save_nlu
from seedcorn.runs import digest_of_json

CURRENT = "current"
ANNOTATION = "annotation"
_FORMAT = 1
_AGENT, _MODEL = "agent.json", "model"
_INTENT_RUN = Path("training")
_SETS = ("labelled", "self_labelled", "logs")


@dataclass(frozen=True, kw_only=True)
class _Described:
    format: int
    seedcorn: str
    intents: tuple[str, ...]
    round: int
    scope_threshold: float | None


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A deployed agent.

    ``intents`` are those that it was grown for; all others of ``labelled`` are its background. ``self_labelled`` are
    texts of earlier pools with the labels that the model gave them itself; ``logs`` the texts of all earlier pools.
    ``scope_threshold`` is the score below which a text is none of its intents, where one was set.
    """

    intents: tuple[str, ...]
    labelled: tuple[Utterance, ...]
    self_labelled: tuple[Utterance, ...]
    logs: tuple[Utterance, ...]
    model: LinearNlu
    round: int = 0
    scope_threshold: float | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances it was trained on, by whom they were labelled."""
        return {"n_labelled": len(self.labelled), "n_self_labelled": len(self.self_labelled)}

    def save(self, folder: Path) -> None:
        """Write the agent into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in _SETS:
            write_utterances(getattr(self, name), folder / f"{name}.parquet")
        save_nlu(self.model, folder / _MODEL)
        described = _Described(
            format=_FORMAT,
            seedcorn=__version__,
            intents=self.intents,
            round=self.round,
            scope_threshold=self.scope_threshold,
        )
        write_json(asdict(described), folder / _AGENT)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the agent that ``save`` wrote. Raises DataError for one of another version, or a damaged one."""
        version = read_json(folder / _AGENT, dict[str, JsonValue])
        if version.get("format") != _FORMAT:
            raise DataError(
                wanted=f"an agent as this version of seedcorn ({__version__}) writes it",
                found=f"one of version {version.get('seedcorn', 'unknown')}",
                where=folder,
                fix="Make the round again with this version, from the same labels.",
            )
        described = read_json(folder / _AGENT, _Described)
        sets = {name: tuple(read_utterances(folder / f"{name}.parquet")) for name in _SETS}
        return cls(
            intents=described.intents,
            model=_linear(load_nlu(folder / _MODEL), folder),
            round=described.round,
            scope_threshold=described.scope_threshold,
            **sets,
        )


class RunBefore(InputFile):
    """The folder of a finished ``grow`` or ``intent`` run, or of an agent; its digest is that of what a round takes."""

    @property
    def digest(self) -> str:
        """The SHA-256 of what the next round starts from, in hexadecimal."""
        agent, given_out = self.agent_folder, self.path / ANNOTATION
        of_agent = digest_of_folder(agent)
        return digest_of_json([of_agent, digest_of_folder(given_out)]) if given_out.is_dir() else of_agent

    @property
    def agent_folder(self) -> Path:
        """Where the agent is. Raises DataError when the run has none."""
        for folder in (self.path / CURRENT, self.path):
            if (folder / _AGENT).exists():
                return folder
        if (self.path / _INTENT_RUN / "training-set.jsonl").exists():
            return self.path / _INTENT_RUN
        raise DataError(
            wanted="the folder of a finished run of 'seedcorn intent' or 'seedcorn grow'",
            found="none of their files" if self.path.is_dir() else "no folder",
            where=self.path,
            fix="Let that run finish: the same command goes on where it stopped.",
        )

    def given_out(self) -> list[Utterance]:
        """Return what that run gave out to be annotated, without labels; whether it was promoted or not."""
        folder = self.path / ANNOTATION
        tasks = ToAnnotate.load(folder).batch.tasks if folder.is_dir() else ()
        return [replace(task.utterance, intent="", slots=()) for task in tasks]

    def agent(self) -> Agent:
        """Return the agent of the run before."""
        folder = self.agent_folder
        return Agent.load(folder) if (folder / _AGENT).exists() else _of_intent_run(folder)


def _of_intent_run(folder: Path) -> Agent:
    """Return the agent that an intent run made: its functionality is what the agent was grown for."""
    table = read_corpus(folder / "training-set.jsonl").table()
    if "set" not in table.column_names:
        raise DataError(
            wanted="a training set that says which set each utterance is of",
            found="no column 'set'",
            where=folder / "training-set.jsonl",
            fix="Run 'seedcorn intent' again with this version.",
        )
    rows = list(zip(utterances_of(table), table.column("set").to_pylist(), strict=True))
    return Agent(
        intents=tuple(sorted({u.intent for u, its_set in rows if its_set == "seed"})),
        labelled=tuple(u for u, its_set in rows if its_set != "pool"),
        self_labelled=tuple(u for u, its_set in rows if its_set == "pool"),
        logs=tuple(with_ids(u for u, its_set in rows if its_set == "pool")),
        model=_linear(load_nlu(folder / _MODEL), folder),
    )


def _linear(model: NluModel, where: Path) -> LinearNlu:
    if not isinstance(model, LinearNlu):
        raise DataError(
            wanted="a linear NLU model to grow on",
            found=type(model).__name__,
            where=where,
            fix="Run the intent pipeline with 'self_training.model: linear'.",
        )
    return model
