"""The last stages of the intent pipeline as a run executes them: teaching and measuring."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.evaluation.nlu import outcomes, outcomes_of_functionality
from seedcorn.nlu.linear import LinearNlu, save_linear
from seedcorn.nlu.model import NluModel
from seedcorn.pipelines.intent_measures import (
    CHANGES,
    ERROR_SCHEMA,
    errors_before_and_after,
    rates,
    read_predictions,
    reductions,
    round_row,
    write_decisions,
    write_predictions,
)
from seedcorn.pipelines.stage_files import Done, open_parquet, read_json, read_utterances, write_json
from seedcorn.pipelines.teaching import TeachingSettings, at_operating_point, knowledge_of, teach, train
from seedcorn.runs import Json, Run, StageFolder


def teaching(run: Run, data: Done, pool: Done, diverse: Done, settings: TeachingSettings) -> Done:
    """Train on seed and background, and self-train on what was selected; keep both models' test predictions."""

    def work(folders: StageFolder) -> dict[str, int]:
        sets = {
            name: read_utterances(data.folder / f"{name}.parquet") for name in ("seed", "background", "dev", "test")
        }
        intents = _intents(data)
        selected = pq.read_table(diverse.folder / "selected.parquet")
        labelled = [*sets["seed"], *sets["background"]]
        knowledge = knowledge_of(
            open_parquet(pool.folder / "pool.parquet").texts(), labelled, settings=settings, random_seed=run.random_seed
        )
        taught = teach(
            seed=sets["seed"],
            background=sets["background"],
            texts=selected.column("text").to_pylist(),
            dev=sets["dev"],
            intents=intents,
            settings=settings,
            random_seed=run.random_seed,
            knowledge=knowledge,
        )
        seed_only = train(labelled, intents=intents, settings=settings, random_seed=run.random_seed)
        texts = [u.text for u in sets["test"]]
        write_predictions(seed_only.predict(texts), texts, folders.output / "test-seed-only.parquet")
        grown = at_operating_point(
            taught.model, seed_only=seed_only, intents=intents, dev=sets["dev"], settings=settings
        )
        write_predictions(grown.predict(texts), texts, folders.output / "test-grown.parquet")
        save_model(grown, folders.output / "model")
        accepted = write_decisions(taught, selected, folders.output / "decisions.parquet")
        write_json({"rounds": [round_row(r) for r in taught.rounds]}, folders.output / "rounds.json")
        n_selected = selected.num_rows
        return {"n_in": n_selected, "n_kept": accepted, "n_rejected": n_selected - accepted}

    inputs = data.digest | pool.digest | diverse.digest
    record = run.stage("self-training", work, settings=settings.model_dump(mode="json"), inputs=inputs)
    return Done(record=record, folder=run.folder / "self-training")


def measures(run: Run, data: Done, taught: Done) -> Done:
    """Measure the seed-only and the grown model on test, with the paired bootstrap of their difference."""

    def work(folders: StageFolder) -> dict[str, int]:
        test = read_utterances(data.folder / "test.parquet")
        intents = _intents(data)
        before, after = (read_predictions(taught.folder / f"test-{name}.parquet") for name in ("seed-only", "grown"))
        measured = [outcomes_of_functionality(outcomes(test, found), intents) for found in (before, after)]
        rng = np.random.default_rng(run.random_seed)
        systems: list[Mapping[str, Json]] = [
            {"system": n, **rates(m)} for n, m in zip(("seed only", "grown"), measured, strict=True)
        ]
        report: dict[str, Json] = {"systems": systems, "reductions": reductions(*measured, rng=rng)}
        write_json(report, folders.output / "measures.json")
        errors = errors_before_and_after(test, before, after, intents)
        pq.write_table(pa.Table.from_pylist(errors, schema=ERROR_SCHEMA), folders.output / "errors.parquet")
        counts = {f"n_{change.replace(' ', '_')}": sum(row["change"] == change for row in errors) for change in CHANGES}
        return {"n_test": len(test), **counts}

    record = run.stage("measures", work, settings={"errors": list(CHANGES)}, inputs=data.digest | taught.digest)
    return Done(record=record, folder=run.folder / "measures")


def _intents(data: Done) -> list[str]:
    saved = read_json(data.folder / "intents.json")
    return [str(intent) for intent in saved["intents"]] if isinstance(saved, dict) else []


def save_model(model: NluModel, path: Path) -> None:
    """Save the model in its own format beside ``path``."""
    if isinstance(model, LinearNlu):
        save_linear(model, path.with_suffix(".npz"))
        return
    from seedcorn.nlu.neural import NeuralNlu, save_neural

    if isinstance(model, NeuralNlu):
        save_neural(model, path)
