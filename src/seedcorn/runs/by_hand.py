"""Stages whose fingerprints are still written by hand; goes when the last pipeline has stages of their own."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from seedcorn import __version__
from seedcorn.files import RECORD_NAME, Json, digest_of_folder, naming_the_place, write_text_whole
from seedcorn.progress import say
from seedcorn.runs.record import StageRecord, digest_of_json, package_versions, read_record


@dataclass(frozen=True, kw_only=True)
class StageFolder:
    """Where a running stage writes: ``output`` becomes the stage's folder, ``checkpoints`` survives interruptions."""

    output: Path
    checkpoints: Path


def stage_by_hand(
    run_folder: Path,
    random_seed: int,
    name: str,
    work: Callable[[StageFolder], Mapping[str, int]],
    settings: Mapping[str, Json],
    inputs: Mapping[str, str],
) -> StageRecord:
    """Return the record of stage ``name``, running ``work`` unless the stage is already done with this fingerprint."""
    from seedcorn.runs.engine import _replace_folder

    settings = json.loads(json.dumps(settings, ensure_ascii=False))
    fingerprint = digest_of_json(
        {
            "stage": name,
            "settings": settings,
            "inputs": dict(inputs),
            "random_seed": random_seed,
            "seedcorn": __version__,
        }
    )
    final = run_folder / name
    done = read_record(final)
    if done is not None and done.fingerprint == fingerprint:
        say(f"{name}: done before, kept")
        return done
    say(f"{name}: running")
    output = run_folder / f".{name}.partial"
    checkpoints = run_folder / f".{name}.checkpoints" / fingerprint[:16]
    shutil.rmtree(output, ignore_errors=True)
    if not checkpoints.exists():
        shutil.rmtree(checkpoints.parent, ignore_errors=True)
    output.mkdir(parents=True)
    checkpoints.mkdir(parents=True, exist_ok=True)
    with naming_the_place(final):
        counts = work(StageFolder(output=output, checkpoints=checkpoints))
    record = StageRecord(
        stage=name,
        fingerprint=fingerprint,
        output_digest=digest_of_folder(output),
        settings=settings,
        inputs=dict(inputs),
        versions=package_versions(),
        random_seed=random_seed,
        counts=dict(counts),
    )
    write_text_whole(output / RECORD_NAME, json.dumps(asdict(record), ensure_ascii=False, indent=1) + "\n")
    _replace_folder(output, final)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return record
