"""A run of the language pipeline with its report."""

from pathlib import Path

from seedcorn.language.pipeline import LanguageConfig, run_language
from seedcorn.language.report import language_page
from seedcorn.report.saved import write_page
from seedcorn.runs import Run


def run_and_report(config: LanguageConfig, *, run: Run) -> Path:
    """Run the stages that are not done yet, write the report, and return its path."""
    return write_page(language_page(config, run_language(config, run=run)), run.folder)
