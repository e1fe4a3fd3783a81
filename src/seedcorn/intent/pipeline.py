"""A new intent: seed, background and pool -> contamination -> relevance -> diversity -> self-training -> evaluation.

What people decide next comes last: what to annotate, and whether the model may be deployed.
"""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import Field

from seedcorn.config import Settings
from seedcorn.engines.settings import EngineSettings
from seedcorn.intent.contamination import RemoveContamination
from seedcorn.intent.data import ReadIntentData
from seedcorn.intent.deployment import Certify, ChooseToAnnotate
from seedcorn.intent.diversity import SelectDiverse
from seedcorn.intent.measures import Evaluate
from seedcorn.intent.relevance import SelectRelevant
from seedcorn.intent.result import IntentResult
from seedcorn.intent.self_training import SelfTrain
from seedcorn.intent.training_folder import WriteTraining
from seedcorn.runs import Run, Stage, StageResult


class IntentRunSettings(Settings):
    """The settings of every stage but the data."""

    contamination: RemoveContamination = RemoveContamination()
    relevance: SelectRelevant = SelectRelevant()
    diversity: SelectDiverse = SelectDiverse()
    self_training: SelfTrain = SelfTrain()
    evaluation: Evaluate = Evaluate()
    training: WriteTraining = WriteTraining()


class IntentConfig(IntentRunSettings, EngineSettings):
    """The configuration file of ``seedcorn intent``; configs/intent-builtin.yaml explains every setting."""

    name: str = Field(min_length=1)
    random_seed: int = Field(1, ge=0)
    data: ReadIntentData
    annotation: ChooseToAnnotate | None = ChooseToAnnotate()
    certificate: Certify | None = Certify()

    def stages(self) -> Mapping[str, Stage[StageResult]]:
        """Return the stages by the names of their folders, in the order in which they run."""
        teacher = self.self_training.teacher
        stages: tuple[Stage[StageResult], ...] = (
            self.data,
            self.contamination,
            self.relevance,
            teacher,
            self.diversity,
            self.self_training,
            self.evaluation,
            self.training,
        )
        decided = [stage for stage in (self.annotation, self.certificate) if stage is not None]
        return {type(stage).stage_name: stage for stage in (*stages, *decided)}


def run_intent(config: IntentConfig, *, run: Run) -> IntentResult:
    """Run the stages that are not done yet. Raises SeedcornError for whatever a user can mend."""
    run = replace(run, n_threads=config.n_threads, mapper=config.mapper())
    data = run.do(config.data)
    pool = run.do(config.contamination, data)
    relevant = run.do(config.relevance, data, pool)
    teacher = run.do(config.self_training.teacher, data, pool)
    selected = run.do(config.diversity, data, relevant, teacher)
    trained = run.do(config.self_training, data, pool, selected, teacher)
    evaluated = run.do(config.evaluation, data, trained, teacher)
    training = run.do(config.training, trained)
    return IntentResult(
        name=config.name,
        random_seed=run.random_seed,
        data=data,
        clean_pool=pool,
        relevant=relevant,
        teacher=teacher,
        selected=selected,
        trained=trained,
        evaluated=evaluated,
        training=training,
        to_annotate=run.do(config.annotation, data, relevant, trained) if config.annotation else None,
        certificate=run.do(config.certificate, data, trained, evaluated) if config.certificate else None,
    )
