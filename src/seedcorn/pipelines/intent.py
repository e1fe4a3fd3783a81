"""A new intent: seed, background and pool -> contamination -> relevance -> diversity -> self-training -> measures."""

from pathlib import Path

from pydantic import Field

from seedcorn.config import Settings
from seedcorn.pipelines import intent_model_stages as model_stages
from seedcorn.pipelines import intent_stages as stages
from seedcorn.pipelines.diversity_stage import DiversityChoice
from seedcorn.pipelines.intent_data import IntentDataSettings
from seedcorn.pipelines.intent_report import write_report
from seedcorn.pipelines.relevance_stage import RelevanceSettings
from seedcorn.pipelines.teaching import TeachingSettings
from seedcorn.runs import Run


class IntentConfig(Settings):
    """The configuration file of ``seedcorn intent``; configs/intent-builtin.yaml explains every setting."""

    name: str = Field(min_length=1)
    random_seed: int = Field(1, ge=0)
    intents: tuple[str, ...] = Field(min_length=1)
    data: IntentDataSettings
    contamination: stages.ContaminationSettings = stages.ContaminationSettings()
    relevance: RelevanceSettings = RelevanceSettings()
    diversity: DiversityChoice = DiversityChoice()
    self_training: TeachingSettings = TeachingSettings()


def run_intent(config: IntentConfig, *, run: Run, relative_to: Path) -> Path:
    """Run the stages that are not done yet, and return the path of the report.

    Paths in ``config`` count from ``relative_to``. Raises SeedcornError for whatever a user can mend.
    """
    data = stages.data(run, config.data, intents=config.intents, relative_to=relative_to)
    pool = stages.contamination(run, data, config.contamination)
    relevant = stages.relevance(run, data, pool, config.relevance)
    diverse = stages.diversity(
        run, data, pool, relevant, config.diversity, config.self_training, relative_to=relative_to
    )
    taught = model_stages.teaching(run, data, pool, diverse, config.self_training)
    measured = model_stages.measures(run, data, taught)
    return write_report(run, config.name, (data, pool, relevant, diverse, taught, measured))
