"""``PYTHONPATH=tests python tests/fuzz/kills.py``: kills of pipelines and studies, each resumed to the same bytes.

Runs take turns: one is killed at every border of a stage, as soon as one more stage is there; the next at random
moments. Each run in the end finishes, and has to hold the bytes of one that was never killed. Ends with 1 if one does
not, or fails. ``--results`` keeps the counts, and the same command goes on from them.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path

from run_folders import run_bytes
from seedcorn.cli import run
from small_runs import GROWTH, GROWTH_STUDY, INTENT, INTENT_STUDY, LANGUAGE, LANGUAGE_STUDY

KILLS_AT_RANDOM = 6
_SECONDS_BETWEEN_LOOKS = 0.005
JOBS = {
    "intent": (INTENT, ("intent",), ()),
    "growth": (GROWTH, ("grow",), ()),
    "language": (LANGUAGE, ("language",), ()),
    "study": (INTENT_STUDY, ("study",), ("--workers", "1")),
    "study, two workers": (INTENT_STUDY, ("study",), ("--workers", "2")),
    "growth study": (GROWTH_STUDY, ("study",), ("--workers", "1")),
    "language study": (LANGUAGE_STUDY, ("study",), ("--workers", "1")),
}


@dataclass(kw_only=True)
class Counts:
    """The kills of a job so far, and what went wrong."""

    n_at_borders: int = 0
    n_at_random: int = 0
    n_runs: int = 0
    findings: list[str] = field(default_factory=list)


def main() -> int:
    """Kill and resume, and return the exit code."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = arguments.results or folder / "counts.json"
        counts = {n: Counts(**c) for n, c in json.loads(results.read_text("utf-8")).items()} if results.exists() else {}
        jobs = [Job(name, folder) for name in JOBS if arguments.only in name]
        until, turn = time.time() + 60 * arguments.minutes, 0
        while time.time() < until and sum(c.n_at_borders + c.n_at_random for c in counts.values()) < arguments.n_kills:
            for job in jobs:
                own = counts.setdefault(job.name, Counts())
                job.take_turn(own, at_borders=turn % 2 == 0, rng=random.Random(f"{job.name} {own.n_runs}"))
                results.write_text(json.dumps({n: asdict(c) for n, c in counts.items()}, indent=1) + "\n", "utf-8")
                sys.stdout.write(f"{job.name}: {own}\n")
                sys.stdout.flush()
            turn += 1
    return int(any(own.findings for own in counts.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n_kills", nargs="?", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=1e6, help="when to stop")
    parser.add_argument("--results", type=Path, help="where the counts are kept")
    parser.add_argument("--only", default="", help="part of the names of jobs")
    return parser.parse_args()


class Job:
    """A command on a configuration; its processes are forked, which saves the seconds of the imports."""

    def __init__(self, name: str, folder: Path) -> None:
        config, before, after = JOBS[name]
        written = folder / f"{name}.yaml"
        written.write_text(json.dumps(config), "utf-8")
        self.name, self._folder = name, folder
        self._command = (*before, str(written), *after)
        self._wanted: dict[str, bytes] = {}
        self._seconds = 0.0

    def take_turn(self, counts: Counts, *, at_borders: bool, rng: random.Random) -> None:
        """Kill one run again and again until it is done, and compare it."""
        if not self._wanted:
            self._run_straight()
        broken = self._folder / f"{self.name} broken"
        n_kills = 0
        while at_borders or n_kills < KILLS_AT_RANDOM:
            if not self._killed(broken, None if at_borders else rng.uniform(0, self._seconds / 2)):
                break
            n_kills += 1
        if self._finish(broken) != 0:
            counts.findings.append(f"run {counts.n_runs} does not finish")
        found = run_bytes(broken)
        differ = sorted(n for n in {*found, *self._wanted} if found.get(n) != self._wanted.get(n))
        counts.findings += [f"run {counts.n_runs} differs in {differ[:5]}"] if differ else []
        counts.n_at_borders += n_kills * at_borders
        counts.n_at_random += n_kills * (not at_borders)
        counts.n_runs += 1
        shutil.rmtree(broken, ignore_errors=True)

    def _run_straight(self) -> None:
        straight = self._folder / f"{self.name} straight"
        started = time.monotonic()
        if self._finish(straight) != 0:
            raise RuntimeError(f"{self.name} does not run")
        self._seconds, self._wanted = time.monotonic() - started, run_bytes(straight)
        shutil.rmtree(straight)

    def _finish(self, folder: Path) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self._start(folder), 0)[1])

    def _start(self, folder: Path) -> int:
        process = os.fork()
        if process == 0:
            os.setsid()
            with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
                os._exit(run([*self._command, "--run-dir", str(folder), "--quiet"]))
        return process

    def _killed(self, folder: Path, seconds: float | None) -> bool:
        """Kill a process as soon as one more stage is there, or after ``seconds``; tell whether it had not ended."""
        before, moment = finished_stages(folder), time.monotonic() + (seconds or 0)
        process = self._start(folder)
        while os.waitpid(process, os.WNOHANG)[0] == 0:
            if finished_stages(folder) > before if seconds is None else time.monotonic() > moment:
                os.killpg(process, signal.SIGKILL)
                os.waitpid(process, 0)
                return True
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return False


def finished_stages(folder: Path) -> int:
    """Return how many stages have their record; folders may come and go meanwhile."""
    return sum("record.json" in names for _, _, names in os.walk(folder))


if __name__ == "__main__":
    raise SystemExit(main())
