"""Many cases of every reader, in turn, in forked processes, so that a crash or a hang is a finding and no end.

A child takes a share of one reader's cases, less than a second of it, so that all readers get the same time; it names
the case that it is at in memory that the parent sees. A case that takes too many seconds of processor time, or that
crashes the interpreter, ends the child; the parent notes the case and goes on behind it. What has been counted is
written after every share, and a campaign goes on from there.
"""

import json
import mmap
import os
import resource
import signal
import struct
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from damage import Bench, Reader

CASES_PER_SHARE = 2_000
SECONDS_A_SHARE = 0.4
SECONDS_A_CASE = 10.0
_MORE_MEMORY = 3 << 30
_MOST_FINDINGS = 20
_PLACE = struct.Struct("<qqq")


@dataclass(kw_only=True)
class Counts:
    """The cases of a reader so far: how many there were, were read, were refused; what went wrong, by number."""

    n_cases: int = 0
    n_read: int = 0
    n_refused: int = 0
    n_wrong: int = 0
    n_crashes: int = 0
    n_hangs: int = 0
    findings: list[str] = field(default_factory=list)

    def note(self, finding: str) -> None:
        """Keep one of the first findings."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(finding)


def read_counts(path: Path) -> dict[str, Counts]:
    """Return the counts of a campaign that was there before, by reader."""
    return {n: Counts(**c) for n, c in json.loads(path.read_text("utf-8")).items()} if path.exists() else {}


def run_campaign(readers: Sequence[Reader], *, n_cases: int, first: int, results: Path, until: float) -> bool:
    """Try cases of all readers in turn until there are ``n_cases`` or it is ``until``; tell whether all went well.

    All readers get the same time, so a quick one tries more cases. Those of a reader are numbered from ``first``.
    """
    counts = read_counts(results)
    with tempfile.TemporaryDirectory() as folder:
        benches = [Bench(reader, Path(folder) / reader.name) for reader in readers]
        for bench in benches:
            bench.read_good()
        while time.time() < until and sum(own.n_cases for own in counts.values()) < n_cases:
            for bench in benches:
                own = counts.setdefault(bench.reader.name, Counts())
                _take_share(bench, own, first + own.n_cases, CASES_PER_SHARE)
                _write(counts, results)
    return not any(own.findings for own in counts.values())


def _write(counts: dict[str, Counts], results: Path) -> None:
    partial = results.with_name(f".{results.name}.partial")
    partial.write_text(json.dumps({name: asdict(own) for name, own in counts.items()}, indent=1) + "\n", "utf-8")
    partial.replace(results)


def _take_share(bench: Bench, counts: Counts, first: int, n_cases: int) -> None:
    number, end = first, first + n_cases
    while number < end:
        before = number
        shared = mmap.mmap(-1, _PLACE.size)
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(reading)
            _be_child(bench, number, end, shared, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as said:
            findings = said.read().decode("utf-8", "replace").splitlines()
        _, status = os.waitpid(process, 0)
        at, n_read, n_refused = _PLACE.unpack(shared[:])
        counts.n_read += n_read
        counts.n_refused += n_refused
        counts.n_wrong += len(findings)
        for finding in findings:
            counts.note(finding)
        has_died = os.WIFSIGNALED(status) or os.WEXITSTATUS(status) != 0
        if has_died:
            _note_death(counts, at, status)
            bench.lay_out()
        number = at + has_died
        counts.n_cases += number - before
        if not has_died:
            return


def _note_death(counts: Counts, number: int, status: int) -> None:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
        counts.n_hangs += 1
        counts.note(f"{number}: over {SECONDS_A_CASE:.0f} seconds")
        return
    counts.n_crashes += 1
    name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
    counts.note(f"{number}: {name}")


def _be_child(bench: Bench, number: int, end: int, shared: mmap.mmap, writing: int) -> None:
    """Try the cases from ``number`` to ``end``, or as many as a share has time for, and leave."""
    n_read = n_refused = 0
    _limit_memory()
    shared[:] = _PLACE.pack(number, n_read, n_refused)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    try:
        while number < end and time.process_time() < SECONDS_A_SHARE:
            shared[:] = _PLACE.pack(number, n_read, n_refused)
            signal.setitimer(signal.ITIMER_PROF, SECONDS_A_CASE)
            try:
                was_read = bench.try_case(number)
                n_read += was_read
                n_refused += not was_read
            except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
                os.write(writing, f"{number}: {error!r}"[:300].replace("\n", " ").encode() + b"\n")
            number += 1
        shared[:] = _PLACE.pack(number, n_read, n_refused)
        os._exit(0)
    finally:
        os._exit(70)


def _limit_memory() -> None:
    """Let the process have some gigabytes more than it has, so that asking for the machine's memory is a finding."""
    with suppress(OSError, ValueError):
        used = int(Path("/proc/self/statm").read_text("utf-8").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MORE_MEMORY, resource.RLIM_INFINITY))
