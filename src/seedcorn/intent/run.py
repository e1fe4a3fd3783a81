"""An intent run as a user starts it: the pipeline, then the report and the files that users take home."""

from pathlib import Path

from seedcorn.errors import require_all
from seedcorn.intent.pipeline import IntentConfig, run_intent
from seedcorn.intent.report import write_report
from seedcorn.runs import Run

_NEEDED = (("jinja2", "report"), ("altair", "report"), ("vl_convert", "report"))


def run_and_report(config: IntentConfig, *, run: Run) -> Path:
    """Run the stages that are not done yet and return the path of the report.

    Raises MissingExtraError now, not after the run, when a package is missing.
    """
    asks = config.generation is not None or config.labelling is not None
    require_all((*_NEEDED, *([("openai", "llm")] if asks else [])))
    return write_report(run_intent(config, run=run), run.folder)
