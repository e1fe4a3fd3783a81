"""Run folders: stages, their results and records, one process at a time."""

from seedcorn.files import digest_of_json
from seedcorn.runs.engine import Result, Run
from seedcorn.runs.lock import open_run
from seedcorn.runs.record import (
    StageRecord,
    content_of,
    package_versions,
    read_record,
)
from seedcorn.runs.stage import Context, Stage, StageResult

__all__ = [
    "Context",
    "Result",
    "Run",
    "Stage",
    "StageRecord",
    "StageResult",
    "content_of",
    "digest_of_json",
    "open_run",
    "package_versions",
    "read_record",
]
