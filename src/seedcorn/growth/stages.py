"""The stages of a round of growth: each is its section of the configuration and a call."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, JsonValue

from seedcorn.corpus.contamination import CopySettings, screen_pool
from seedcorn.corpus.tables import read_utterances, write_utterances
from seedcorn.corpus.utterances import ROWS_PER_BATCH, Utterance
from seedcorn.deployment.batch import ToAnnotate, foretelling
from seedcorn.deployment.certificate import Certificate, Judged, certify
from seedcorn.deployment.proposals import propose
from seedcorn.deployment.tasks import Task, TaskBatch, tasks_of
from seedcorn.diversity.annotate import AnnotationSettings
from seedcorn.errors import DataError
from seedcorn.files import Json, read_json, write_json
from seedcorn.growth.agent import ANNOTATION, Agent
from seedcorn.growth.data import GrowthData
from seedcorn.growth.drift import drift
from seedcorn.growth.rounds import RoundSettings, divided, grow, in_scope_first, next_labelled, trainer_for
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE, fit_scope_gate, held_out_scope_scores, scope_scores
from seedcorn.runs import Context, Stage


@dataclass(frozen=True, kw_only=True)
class NewLogs:
    """The logs that are new: neither repeated, nor labelled already, nor too near to dev or test."""

    logs: Sequence[Utterance]
    counts: Mapping[str, int]

    def save(self, folder: Path) -> None:
        """Write the logs."""
        write_utterances(self.logs, folder / "logs.parquet")
        write_json(self.counts, folder / "counts.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(
            logs=read_utterances(folder / "logs.parquet"), counts=read_json(folder / "counts.json", dict[str, int])
        )


class ScreenLogs(CopySettings, Stage[NewLogs]):
    """Remove logs that repeat each other, are labelled already, or are nearly equal to dev or test."""

    stage_name: ClassVar[str] = "contamination"
    is_random: ClassVar[bool] = False

    def __call__(self, data: GrowthData, *, context: Context) -> NewLogs:
        """Return the new logs. Raises DataError when there are none."""
        import pyarrow as pa

        held_out = [u.text for u in (*data.dev, *data.test)]
        texts = pa.array([u.text for u in data.logs], pa.string())
        batches = (texts[start : start + ROWS_PER_BATCH] for start in range(0, len(texts), ROWS_PER_BATCH))
        screening = screen_pool(batches, held_out, threshold=self.similarity, mapper=context.mapper)
        labelled = {u.text for u in (*data.agent.labelled, *data.labels, *data.new_seed)}
        kept = [data.logs[i] for i in sorted(screening.selection.positions.tolist())]
        new = [u for u in kept if u.text not in labelled]
        if not new:
            raise DataError(
                wanted="new text since the run before",
                found=f"none: all {len(data.logs):,} rows are labelled already, or in dev or test",
                where="data.pool",
                fix="Give logs of users since then.",
            )
        n_in = len(data.logs)
        counts = {"n_in": n_in, "n_kept": len(new), "n_rejected": n_in - len(new), "n_labelled": len(kept) - len(new)}
        return NewLogs(logs=new, counts=counts)


@dataclass(frozen=True, kw_only=True)
class Drifted:
    """What users say now that they did not say before, as JSON: divergence, unknown words, new words, new groups."""

    content: Mapping[str, Json]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many new words and groups are named."""
        return {f"n_{name}": len(value) for name, value in self.content.items() if isinstance(value, list | tuple)}

    def save(self, folder: Path) -> None:
        """Write drift.json."""
        write_json(self.content, folder / "drift.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(content=read_json(folder / "drift.json", dict[str, JsonValue]))


class MeasureDrift(Stage[Drifted]):
    """Compare the new logs with the earlier ones, or with what the agent was trained on where there were none."""

    stage_name: ClassVar[str] = "drift"

    n_groups: int = Field(30, ge=1)

    def __call__(self, data: GrowthData, logs: NewLogs, *, context: Context) -> Drifted:
        """Return what is new."""
        before = [u.text for u in (data.agent.logs or data.agent.labelled)]
        found = drift(before, [u.text for u in logs.logs], n_groups=self.n_groups, random_seed=context.random_seed)
        return Drifted(content=asdict(found))


class GrowModel(RoundSettings, Stage[Agent]):
    """Train the next model on the replayed labels, the new ones, and what the model can label by itself."""

    stage_name: ClassVar[str] = "model"

    most_false_alarms: float = Field(0.05, gt=0, lt=1)
    """Which share of ``data.out_of_scope`` may pass as some intent; without such text no threshold is set."""

    def __call__(self, data: GrowthData, logs: NewLogs, *, context: Context) -> Agent:
        """Return the agent of this round."""
        labelled = next_labelled(data.agent.labelled, data.labels, data.new_seed, settings=self)
        known = {u.text for u in labelled}
        like = data.agent.model
        grown = grow(labelled, [], intents=data.intents, settings=self, like=like, random_seed=context.random_seed)
        # What the model of before labelled by itself is looked at anew, together with the new logs.
        texts = [u for u in (*data.agent.self_labelled, *logs.logs) if u.text not in known]
        if self.n_rounds and texts:
            grown = grow(
                labelled,
                in_scope_first(texts, grown.model, data.intents),
                intents=data.intents,
                settings=self,
                dev=data.dev,
                like=like,
                random_seed=context.random_seed,
            )
        agent = Agent(
            intents=data.intents,
            labelled=tuple(labelled),
            self_labelled=tuple(u for u in grown.pseudo_labelled if u.intent),
            logs=(*data.agent.logs, *logs.logs),
            model=grown.model,
            round=data.agent.round + 1,
        )
        return replace(agent, scope_threshold=self._threshold(agent, data, context.random_seed))

    def _threshold(self, agent: Agent, data: GrowthData, random_seed: int) -> float | None:
        if not data.out_of_scope:
            return None
        seed, background = divided(agent.labelled, agent.intents)
        train = trainer_for(agent.intents, self, like=agent.model)
        scores = held_out_scope_scores(
            train,
            [*seed, *background],
            intents=agent.intents,
            n_folds=self.n_calibration_folds,
            random_seed=random_seed,
        )
        outside = scope_scores(agent.model, [u.text for u in data.out_of_scope], intents=agent.intents)
        return fit_scope_gate(scores[: len(seed)], outside, most_false_alarms=self.most_false_alarms).threshold


class ChooseToAnnotate(AnnotationSettings, Stage[ToAnnotate]):
    """Choose the logs whose labels are worth most to the new model; first what nobody's label holds for any more.

    ``with_forecast`` also trains on subsets of what is labelled, and foretells the error on dev after more labels;
    without dev there is no forecast.
    """

    stage_name: ClassVar[str] = ANNOTATION

    with_forecast: bool = True

    def __call__(self, data: GrowthData, logs: NewLogs, agent: Agent, *, context: Context) -> ToAnnotate:
        """Return the batch."""
        again = [
            Task(utterance=u, intents=(), probability=0.0, why="its label does not hold any more, or was unsure")
            for u in data.to_relabel
        ]
        batch = propose(
            [u.text for u in logs.logs],
            model=agent.model,
            labelled=agent.labelled,
            intents=agent.intents,
            settings=self,
            random_seed=context.random_seed,
        )
        own_slots = {slot.type for u in agent.labelled if u.intent in agent.intents for slot in u.slots}
        return ToAnnotate(
            batch=TaskBatch(
                name=f"round-{agent.round}",
                tasks=(*again, *tasks_of(batch, logs.logs)),
                intents=tuple(sorted({u.intent for u in agent.labelled} - {"", OUT_OF_SCOPE})),
                slot_types=tuple(sorted(own_slots)),
            ),
            curve=self._foretold(agent, data, context) if self.with_forecast else {},
        )

    def _foretold(self, agent: Agent, data: GrowthData, context: Context) -> Mapping[str, JsonValue]:
        return foretelling(agent.labelled, intents=agent.intents, dev=data.dev, random_seed=context.random_seed)()


class Certify(Stage[Certificate]):
    """Compare the models of before and after on test, and say whether anything got worse by more than ``margin``."""

    stage_name: ClassVar[str] = "certificate"
    is_random: ClassVar[bool] = False

    margin: float = Field(0.05, gt=0, lt=1)

    def __call__(self, data: GrowthData, agent: Agent, *, context: Context) -> Certificate:
        """Return the certificate."""
        texts = [u.text for u in data.test]
        before = data.agent
        return certify(
            Judged(test=data.test, before=before.model.predict(texts), after=agent.model.predict(texts)),
            old_intents=before.intents,
            new_intents=[intent for intent in agent.intents if intent not in before.intents],
            margin=self.margin,
            trained_before=[*before.labelled, *before.self_labelled],
            trained_after=[*agent.labelled, *agent.self_labelled],
        )
