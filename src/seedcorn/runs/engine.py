"""Runs: a stage is its settings plus a call, done only when its recorded fingerprint matches, resumable at any moment.

A stage knows nothing of folders of others, of clocks or of completion; that is all here. Its result is written into a
hidden folder that is renamed once, after its record: a killed run leaves either a whole stage or none. Records hold no
times and no paths, so an interrupted and an uninterrupted run end with the same bytes.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Generic, cast

from filelock import FileLock
from threadpoolctl import threadpool_limits

from seedcorn import __version__
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.files import RECORD_NAME, Json, digest_of_json, naming_the_place, read_json, write_text_whole
from seedcorn.input_files import digest_of_folder
from seedcorn.processes import beside
from seedcorn.progress import say
from seedcorn.runs.record import StageRecord, content_of, package_versions, read_record
from seedcorn.runs.stage import Context, Stage, StageResult, T
from seedcorn.tensor_files import reading_saved

_SHOWN_OF_FINGERPRINT = 16
_REMEDY = "Remove this folder and run the same command again."


@dataclass(frozen=True)
class Result(Generic[T]):
    """A finished stage: its record, and its value, which is read on first use."""

    name: str
    folder: Path
    record: StageRecord
    type: type[T]

    @cached_property
    def value(self) -> T:
        """The value of the stage, always as it was written, whether it was made now or before."""
        wanted = f"the result of the stage '{self.name}' as it was written"
        with reading_saved(self.folder, wanted=wanted, fix=_REMEDY):
            if digest_of_folder(self.folder) != self.record.output_digest:
                raise ValueError("other bytes than were written")
            return self.type.load(self.folder)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run folder and the random seed that everything in it follows from.

    With a ``store`` finished stages are kept there under their fingerprints, and shared by all runs that have it.
    ``starts_processes`` is for programs whose main module can be imported by a new process, as the command line's.
    """

    folder: Path
    random_seed: int
    store: Path | None = None
    n_threads: int = 1
    mapper: Mapper = map_in_order
    starts_processes: bool = False

    @property
    def n_processes(self) -> int:
        """How many processes may work at a time: as many as threads, where processes may be started."""
        return min(self.n_threads, os.cpu_count() or 1) if self.starts_processes else 1

    def do(self, stage: Stage[T], *results: Result[StageResult], name: str = "") -> Result[T]:
        """Return the result of ``stage`` on the values of ``results``, running it unless that is recorded.

        ``name`` is the stage's folder (by default the name of its class of stages). The fingerprint digests the content
        of the settings, the outputs of ``results`` and the random seed.
        """
        unfinished = self._unfinished(stage, results, name)
        name, place = unfinished.stage, self._place(unfinished)
        with self._alone_at(place):
            record = read_record(place)
            if record is not None and record.fingerprint == unfinished.fingerprint:
                say(f"{name}: done before, kept")
                # A kill came before they were removed.
                _remove_checkpoints(_checkpoints_of(place, unfinished.fingerprint))
            else:
                call = cast("Callable[..., T]", stage)
                values = [result.value for result in results]
                record = self._make(name, place, lambda context: call(*values, context=context), unfinished)
        return Result(name=name, folder=place, record=record, type=stage.result_type())

    def ahead(
        self, stage: Stage[StageResult], *results: Result[StageResult], name: str = ""
    ) -> AbstractContextManager[None]:
        """Return a block during which ``stage`` is made in a process of its own, where that may be and pays.

        It is for what takes long and is asked for late: ``do`` finds it done after the block, or fails as it did there.
        """
        unfinished = self._unfinished(stage, results, name)
        record = read_record(self._place(unfinished))
        is_done = record is not None and record.fingerprint == unfinished.fingerprint
        if is_done or self.n_processes == 1:
            return contextlib.nullcontext()
        say(f"{unfinished.stage}: begun beside what comes next")
        alone = replace(self, n_threads=1, mapper=map_in_order)
        without_values = [replace(result) for result in results]
        return beside(partial(alone.do, stage, *without_values, name=name))

    def _unfinished(self, stage: Stage[StageResult], results: Sequence[Result[StageResult]], name: str) -> StageRecord:
        """Return the record that the stage will have, but for what it makes."""
        inputs = {result.name: result.record.output_digest for result in results}
        random_seed = self.random_seed if stage.is_random else 0
        fingerprint = digest_of_json(
            {
                "stage": type(stage).__name__,
                "settings": content_of(stage),
                "inputs": list(inputs.values()),
                "random_seed": random_seed,
                "seedcorn": __version__,
            }
        )
        return StageRecord(
            stage=name or type(stage).stage_name,
            fingerprint=fingerprint,
            output_digest="",
            settings=_written(stage),
            inputs=inputs,
            versions=package_versions(),
            random_seed=random_seed,
            counts={},
        )

    def to_be_redone(self, stages: Mapping[str, Stage[StageResult]]) -> list[str]:
        """Return which of the finished ``stages``, in their order, have other settings now, or inputs that have."""
        redone: list[str] = []
        for name, stage in stages.items():
            record = read_record(self.folder / name)
            if record is not None and (
                record.settings != json.loads(json.dumps(_written(stage))) or set(redone) & set(record.inputs)
            ):
                redone.append(name)
        return redone

    def _place(self, record: StageRecord) -> Path:
        if self.store is None:
            return self.folder / record.stage
        return self.store / f"{record.stage}-{record.fingerprint[:_SHOWN_OF_FINGERPRINT]}"

    @contextlib.contextmanager
    def _alone_at(self, place: Path) -> Iterator[None]:
        """Let one process make a result of the store; the others wait and find it."""
        if self.store is None:
            yield
            return
        self.store.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_name(f".{place.name}.lock")):
            yield

    def _make(self, name: str, place: Path, work: Callable[[Context], T], unfinished: StageRecord) -> StageRecord:
        say(f"{name}: running")
        started = time.monotonic()
        output = place.with_name(f".{place.name}.partial")
        checkpoints = _checkpoints_of(place, unfinished.fingerprint)
        shutil.rmtree(output, ignore_errors=True)
        if not checkpoints.exists():  # those of other settings are of no use any more
            shutil.rmtree(checkpoints.parent, ignore_errors=True)
        output.mkdir(parents=True)
        with (
            contextlib.ExitStack() as at_the_end,
            naming_the_place(place),
            threadpool_limits(1, user_api="blas"),  # sums depend on how many there are
        ):
            at_the_end.callback(shutil.rmtree, output, ignore_errors=True)  # of what failed nothing stays
            result = work(
                Context(
                    random_seed=unfinished.random_seed,
                    checkpoints=checkpoints,
                    n_threads=self.n_threads,
                    n_processes=self.n_processes,
                    mapper=self.mapper,
                )
            )
            result.save(output)
            finished = StageRecord(
                **{
                    **unfinished.__dict__,
                    "output_digest": digest_of_folder(output),
                    "counts": dict(result.counts),
                }
            )
            write_text_whole(output / RECORD_NAME, json.dumps(asdict(finished), ensure_ascii=False, indent=1) + "\n")
            _replace_folder(output, place)
        shutil.rmtree(checkpoints.parent, ignore_errors=True)
        seconds = time.monotonic() - started
        self._note_seconds(name, seconds)
        say(f"{name}: {', '.join(f'{k} {v:,}' for k, v in finished.counts.items())} ({seconds:.1f} s)")
        return finished

    def _note_seconds(self, name: str, seconds: float) -> None:
        path = self.folder / "seconds.json"
        with FileLock(self.folder / ".seconds.lock"):  # stages made ahead note theirs too
            noted = read_json(path, dict[str, float]) if path.exists() else {}
            write_text_whole(path, json.dumps({**noted, name: round(seconds, 2)}, indent=1) + "\n")


def _checkpoints_of(place: Path, fingerprint: str) -> Path:
    return place.with_name(f".{place.name}.checkpoints") / fingerprint[:_SHOWN_OF_FINGERPRINT]


def _remove_checkpoints(checkpoints: Path) -> None:
    """Remove the checkpoints of a finished stage; those of other settings, if any, are still of use."""
    shutil.rmtree(checkpoints, ignore_errors=True)
    with contextlib.suppress(OSError):  # not there, or not empty
        checkpoints.parent.rmdir()


def _written(stage: Stage[StageResult]) -> Mapping[str, Json]:
    """Return the settings as a configuration has them, and the contents of the files that they name."""
    return {**stage.model_dump(mode="json"), "content": digest_of_json(content_of(stage))}


def _replace_folder(new: Path, final: Path) -> None:
    """Put ``new`` in the place of ``final``; a kill in between leaves no ``final``, never a mixed one."""
    old = final.with_name(f".{final.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)
