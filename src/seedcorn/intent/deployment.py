"""What an intent run ends with: what to annotate next, how far more labels lead, and whether anything got worse."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from pydantic import Field

from seedcorn.corpus.utterances import Utterance, utterances_of
from seedcorn.deployment.batch import ToAnnotate, foretelling
from seedcorn.deployment.certificate import Certificate, Judged, certify
from seedcorn.deployment.proposals import propose
from seedcorn.deployment.tasks import Task, TaskBatch, tasks_of, with_ids
from seedcorn.diversity.annotate import AnnotationSettings
from seedcorn.intent.data import IntentData
from seedcorn.intent.measures import WITH_POOL, WITHOUT_POOL, Evaluated
from seedcorn.intent.relevance import RelevantPool
from seedcorn.intent.self_training import SelfTrained
from seedcorn.processes import with_another
from seedcorn.runs import Context, Stage


class ChooseToAnnotate(AnnotationSettings, Stage[ToAnnotate]):
    """Choose the relevant pool rows whose labels are worth most to the model with the pool.

    ``with_forecast`` also trains on subsets of the seed, and foretells the error on dev after more labels.
    """

    stage_name: ClassVar[str] = "annotation"

    with_forecast: bool = True

    def __call__(
        self, data: IntentData, relevant: RelevantPool, trained: SelfTrained, *, context: Context
    ) -> ToAnnotate:
        """Return the batch."""
        rows = with_ids(utterances_of(relevant.rows))
        choose = partial(
            propose,
            [u.text for u in rows],
            model=trained.model,
            labelled=data.labelled,
            intents=data.intents,
            settings=self,
            random_seed=context.random_seed,
        )
        if not self.with_forecast:
            return ToAnnotate(batch=_batch(tasks_of(choose(), rows), data), curve={})
        foretell = foretelling(data.labelled, intents=data.intents, dev=data.dev, random_seed=context.random_seed)
        batch, curve = with_another(choose, foretell, n_processes=context.n_processes)
        return ToAnnotate(batch=_batch(tasks_of(batch, rows), data), curve=curve)


def _batch(tasks: tuple[Task, ...], data: IntentData) -> TaskBatch:
    return TaskBatch(
        name="-".join(data.intents),
        tasks=tasks,
        intents=tuple(sorted({u.intent for u in data.labelled} - {""})),
        slot_types=tuple(sorted({slot.type for u in data.seed for slot in u.slots})),
    )


class Certify(Stage[Certificate]):
    """Compare the models without and with the pool on test: did the pool make anything worse by more than ``margin``?

    The intents are those of the functionality, and all others as one group, of which they must not take more.
    """

    stage_name: ClassVar[str] = "certificate"
    is_random: ClassVar[bool] = False

    margin: float = Field(0.05, gt=0, lt=1)

    def __call__(
        self, data: IntentData, trained: SelfTrained, evaluated: Evaluated, *, context: Context
    ) -> Certificate:
        """Return the certificate."""
        return certify(
            Judged(
                test=data.test,
                before=evaluated.predictions[WITHOUT_POOL],
                after=evaluated.predictions[WITH_POOL],
            ),
            old_intents=data.intents,
            new_intents=(),
            margin=self.margin,
            trained_before=_with_origins(data.labelled),
            trained_after=_with_origins(utterances_of(trained.training_set)),
        )


def _with_origins(utterances: Sequence[Utterance]) -> list[Utterance]:
    return [u if u.origin else replace(u, origin="not told") for u in utterances]
