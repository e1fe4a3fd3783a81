"""A new intent: seed, background and pool -> contamination -> relevance -> diversity -> self-training -> evaluation.

What people decide next comes last: what to annotate, and whether the model may be deployed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Self

from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.engines.settings import EngineSettings
from seedcorn.intent.contamination import RemoveContamination
from seedcorn.intent.data import ReadIntentData
from seedcorn.intent.deployment import Certify, ChooseToAnnotate
from seedcorn.intent.diversity import SelectDiverse
from seedcorn.intent.generation import GenerateUtterances
from seedcorn.intent.labelling import LabelTexts
from seedcorn.intent.measures import Evaluate
from seedcorn.intent.relevance import SelectRelevant
from seedcorn.intent.result import IntentResult
from seedcorn.intent.self_training import SelfTrain
from seedcorn.intent.training_folder import WriteTraining
from seedcorn.runs import Run, Stage, StageResult


class IntentRunSettings(Settings):
    """The settings of every stage but the data.

    A large language model is one more source of pool text with ``generation``, and with ``labelling`` one more view of
    the slots that the tagger fine-tuned from ``self_training.encoder`` learns.
    """

    contamination: RemoveContamination = RemoveContamination()
    relevance: SelectRelevant = SelectRelevant()
    diversity: SelectDiverse = SelectDiverse()
    self_training: SelfTrain = SelfTrain()
    generation: GenerateUtterances | None = None
    labelling: LabelTexts | None = None
    evaluation: Evaluate = Evaluate()
    training: WriteTraining = WriteTraining()

    @model_validator(mode="after")
    def _labels_are_learnt(self) -> Self:
        if self.labelling is not None and not (self.self_training.encoder and self.self_training.fine_tune_slots):
            raise ValueError(
                "labelling needs self_training.encoder with fine_tune_slots: their tagger learns the slots"
            )
        return self


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
        stages: tuple[Stage[StageResult] | None, ...] = (
            self.data,
            self.generation,
            self.contamination,
            self.relevance,
            teacher,
            self.diversity,
            self.labelling,
            self.self_training,
            self.evaluation,
            self.training,
            self.annotation,
            self.certificate,
        )
        return {type(stage).stage_name: stage for stage in stages if stage is not None}


def run_intent(config: IntentConfig, *, run: Run) -> IntentResult:
    """Run the stages that are not done yet. Raises SeedcornError for whatever a user can mend."""
    run = replace(run, n_threads=config.n_threads, mapper=config.mapper())
    data = run.do(config.data)
    generated = [run.do(config.generation, data)] if config.generation else []
    pool = run.do(config.contamination, data, *generated)
    relevant = run.do(config.relevance, data, pool)
    teacher = run.do(config.self_training.teacher, data, pool)
    selected = run.do(config.diversity, data, relevant, teacher)
    labelled = [run.do(config.labelling, data, selected, teacher)] if config.labelling else []
    trained = run.do(config.self_training, data, pool, selected, teacher, *generated, *labelled)
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
        answers=(*generated, *labelled),
        to_annotate=run.do(config.annotation, data, relevant, trained) if config.annotation else None,
        certificate=run.do(config.certificate, data, trained, evaluated) if config.certificate else None,
    )
