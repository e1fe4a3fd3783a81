"""What is given out to be annotated, and how the error is expected to fall: a stage result of all pipelines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import JsonValue

from seedcorn.corpus.tables import read_utterances, write_utterances
from seedcorn.corpus.utterances import Utterance
from seedcorn.deployment.tasks import Task, TaskBatch, write_tasks
from seedcorn.evaluation.forecast import LearningCurve, forecast
from seedcorn.files import read_json, write_json
from seedcorn.nlu.learning_curve import FEWEST_LABELS, learning_curve_points
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.progress import say

_N_CRF_ITERATIONS = 40
_MOST_BACKGROUND = 500  # of other intents, in the trainings of a forecast


@dataclass(frozen=True, kw_only=True)
class _SavedBatch:
    name: str
    intents: tuple[str, ...]
    slot_types: tuple[str, ...]
    tasks: list[tuple[tuple[str, ...], float, str]]
    curve: Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class ToAnnotate:
    """What people should label next, and how the error will fall; ``curve`` is empty where no forecast was asked."""

    batch: TaskBatch
    curve: Mapping[str, JsonValue]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances are given out."""
        return {"n_tasks": len(self.batch.tasks)}

    def save(self, folder: Path) -> None:
        """Write the page, the tasks of Label Studio, and the tasks as JSON lines."""
        for name in ("annotate.html", "label-studio.json", "tasks.jsonl"):
            write_tasks(self.batch, folder / name)
        write_utterances([task.utterance for task in self.batch.tasks], folder / "tasks.parquet")
        saved = _SavedBatch(
            name=self.batch.name,
            intents=self.batch.intents,
            slot_types=self.batch.slot_types,
            tasks=[(t.intents, t.probability, t.why) for t in self.batch.tasks],
            curve=self.curve,
        )
        write_json(asdict(saved), folder / "batch.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        saved = read_json(folder / "batch.json", _SavedBatch)
        tasks = zip(read_utterances(folder / "tasks.parquet"), saved.tasks, strict=True)
        batch = TaskBatch(
            name=saved.name,
            tasks=tuple(
                Task(utterance=u, intents=intents, probability=probability, why=why)
                for u, (intents, probability, why) in tasks
            ),
            intents=saved.intents,
            slot_types=saved.slot_types,
        )
        return cls(batch=batch, curve=saved.curve)


def foretelling(
    labelled: Sequence[Utterance],
    *,
    intents: Sequence[str],
    dev: Sequence[Utterance],
    random_seed: int,
) -> Callable[[], dict[str, JsonValue]]:
    """Return what foretells how the error on utterances of ``intents`` in ``dev`` will fall with more labels of them.

    It is that of the model of annotated utterances alone, without an encoder, some five hundred of other intents beside
    them. Foretells ``{}``, and says why, where there is too little to do it by. The work needs nothing else, and may be
    done in another process. Cost: thirteen trainings.
    """
    own, held_out = ([u for u in rows if u.intent in intents] for rows in (labelled, dev))
    if len(own) < FEWEST_LABELS or not held_out:
        say(f"no forecast: it needs {FEWEST_LABELS} labels and some of dev, there are {len(own)} and {len(held_out)}")
        return dict
    rng = np.random.default_rng(random_seed)
    others = [u for u in labelled if u.intent and u.intent not in intents]
    drawn = [others[i] for i in sorted(rng.permutation(len(others))[:_MOST_BACKGROUND].tolist())]
    return partial(_foretold, own, held_out, drawn, intents=tuple(intents), rng=rng, random_seed=random_seed)


def _foretold(
    own: Sequence[Utterance],
    held_out: Sequence[Utterance],
    others: Sequence[Utterance],
    *,
    intents: tuple[str, ...],
    rng: np.random.Generator,
    random_seed: int,
) -> dict[str, JsonValue]:
    settings = LinearSettings(slot_intents=intents, n_crf_iterations=_N_CRF_ITERATIONS)
    points = learning_curve_points(
        partial(train_linear, settings=settings), own, held_out, background=others, random_seed=random_seed
    )
    return _as_json(forecast(points, rng=rng))


def _as_json(curve: LearningCurve) -> dict[str, JsonValue]:
    forecasts: list[JsonValue] = [asdict(f) for f in curve.forecasts]
    points_so_far: list[JsonValue] = [list(point) for point in curve.points]
    return {"points": points_so_far, "forecasts": forecasts, "stop_after": curve.stop_after}
