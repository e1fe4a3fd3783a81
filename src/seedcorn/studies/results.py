"""What every study and benchmark leaves behind: rows, a summary, and the signature of what they depend on."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from seedcorn.evaluation.bootstrap import Interval
from seedcorn.files import Json, write_text_whole
from seedcorn.runs import package_versions

_LARGE = 1_000


@dataclass(frozen=True, kw_only=True)
class Results:
    """The content of ``benchmarks/results/NAME.json``; fractions are fractions, not per cent.

    ``peers`` are the distributions that ours is compared with, whose versions are told too.
    """

    name: str
    command: str
    config_digest: str
    data_digests: Mapping[str, str]
    random_seeds: Sequence[int]
    rows: Sequence[Mapping[str, Json]]
    summary: Mapping[str, Json]
    peers: Sequence[str] = ()

    def as_json(self) -> dict[str, Json]:
        """Return the results with their signature and the machine they were made on."""
        return {
            "signature": {
                "config": self.config_digest,
                "data": dict(self.data_digests),
                "versions": {**package_versions(), **{peer: version(peer) for peer in self.peers}},
                "random_seeds": list(self.random_seeds),
            },
            "command": self.command,
            "machine": machine(),
            "summary": dict(self.summary),
            "rows": [dict(row) for row in self.rows],
        }


def machine() -> str:
    """Return the processor's architecture, the number of cores and the Python version."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def write_results(results: Results, folder: Path) -> Path:
    """Write the results as JSON, whole or not at all, and return the path."""
    path = folder / f"{results.name}.json"
    write_text_whole(path, json.dumps(results.as_json(), ensure_ascii=False, indent=1) + "\n")
    return path


def interval_json(interval: Interval) -> dict[str, Json]:
    """Return an interval as results files hold it."""
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}


def interval_in_words(interval: Mapping[str, Json], *, is_fraction: bool) -> str:
    """Return a mean and its interval as people read them, of which a narrow column breaks only between the two.

    ``interval`` is one of ``interval_json``. Fractions are shown as percentages, others with four digits at most
    behind the point and all before it.
    """
    mean, low, high = (_in_words(float(str(interval[k])), is_fraction) for k in ("mean", "low", "high"))
    return f"{mean} ({low}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{high})"


def fewer_in_words(reduction: float, *, n_decimals: int = 0) -> str:
    """Return a relative reduction as what there is less of, such as "12% fewer", or more of where it is negative."""
    return f"{abs(reduction):.{n_decimals}%} {'more' if reduction < 0 else 'fewer'}"


def _in_words(value: float, is_fraction: bool) -> str:
    return f"{value:z.1%}" if is_fraction else f"{value:,.1f}" if abs(value) < _LARGE else f"{value:,.0f}"
