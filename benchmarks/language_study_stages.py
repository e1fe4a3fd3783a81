"""Make the long stages of a language study at once, each in a process of its own: for many cores, or a GPU.

Run: python benchmarks/language_study_stages.py CONFIG --run-dir FOLDER --threads 8

They go into the store of the study, so that `seedcorn study CONFIG --run-dir FOLDER` finds them and makes the rest.
Processes that need the same stage wait for the one that makes it.
"""

import argparse
from multiprocessing import get_context
from pathlib import Path

from seedcorn.config import dump_config, load_config
from seedcorn.language.config import LanguagePipeline
from seedcorn.language.pipeline import listen, translate
from seedcorn.language.texts import Materials
from seedcorn.language.translator_training import train_translators
from seedcorn.language.translators import TranslatorName
from seedcorn.progress import ProgressMode, showing_progress
from seedcorn.runs import Run, open_run
from seedcorn.studies.language import LanguageStudyConfig, cells_of

SPEECH, REVERSE = "speech", "reverse"


def make(config_path: Path, folder: Path, stage: str, n_threads: int) -> None:
    """Make what ``stage`` names: the posteriors, the reverse translator, or a translator and its translations."""
    config = load_config(config_path, LanguageStudyConfig)
    first = cells_of(config)[0]
    run = Run(
        folder=folder / f"stages-{stage}", random_seed=first.random_seed, store=folder / "store", n_threads=n_threads
    )
    run.folder.mkdir(parents=True, exist_ok=True)
    cell = config.of_cell(first, n_threads=n_threads)
    with showing_progress(ProgressMode.LINES, source=f"{config.name} {stage}"):
        data, pairs = run.do(cell.data), run.do(cell.pair_cleaning)
        transcripts = run.do(cell.transcripts, data)
        nearest = run.do(cell.pair_selection, data, transcripts, pairs)
        domain = run.do(cell.domain_model, data, transcripts, pairs, nearest)
        known = Materials(data=data, transcripts=transcripts, pairs=pairs, nearest=nearest, domain=domain)
        if stage == SPEECH and cell.recogniser is not None:
            listen(run, cell.recogniser, known)
        elif stage == REVERSE:
            run.do(cell.translators.training_of_reverse(), data, pairs, nearest)
        else:
            of_one = only(cell, TranslatorName(stage))
            translate(run, of_one, known, train_translators(run, of_one, known))


def only(config: LanguagePipeline, translator: TranslatorName) -> LanguagePipeline:
    """Return ``config`` with the systems that need no other translator than ``translator``."""
    systems = {
        name: system
        for name, system in config.systems.items()
        if all(wanted.translator is translator for source in system for wanted in source.translation_sets())
    }
    return config.model_copy(update={"systems": systems})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    config = load_config(options.config, LanguageStudyConfig)
    stages = [SPEECH, *sorted({wanted.translator.value for wanted in config.translation_sets()})]
    if TranslatorName.BACK_TRANSLATED.value in stages:
        stages.append(REVERSE)
    spawn = get_context("spawn")
    processes = {
        stage: spawn.Process(target=make, args=(options.config, options.run_dir, stage, options.threads))
        for stage in stages
    }
    with open_run(options.run_dir, random_seed=0, resolved_config=dump_config(config)):
        for process in processes.values():
            process.start()
        for process in processes.values():
            process.join()
    failed = [stage for stage, process in processes.items() if process.exitcode]
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
