"""What damaged files and kills came to: writes benchmarks/results/robustness.json from the counts of both harnesses.

PYTHONPATH=tests python tests/fuzz --results fuzz.json
PYTHONPATH=tests python tests/fuzz/kills.py --results kills.json
python benchmarks/robustness.py fuzz.json kills.json
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from seedcorn.files import Json
from seedcorn.studies.results import Results, write_results

REPOSITORY = Path(__file__).parents[1]
Counts = Mapping[str, Mapping[str, int | list[str]]]


def main() -> None:
    """Write the results and print their summary."""
    fuzz, kills = (json.loads(Path(name).read_text("utf-8")) for name in sys.argv[1:3])
    results = Results(
        name="robustness",
        command="python benchmarks/robustness.py fuzz.json kills.json",
        config_digest=_digest_of_harness(),
        data_digests={},
        random_seeds=[0],
        rows=[
            *({"kind": "reader", "name": name, **counts} for name, counts in fuzz.items()),
            *({"kind": "killed", "name": name, **counts} for name, counts in kills.items()),
        ],
        summary=_summary(fuzz, kills),
    )
    print(write_results(results, REPOSITORY / "benchmarks" / "results"), json.dumps(results.summary, indent=1))


def _summary(fuzz: Counts, kills: Counts) -> dict[str, Json]:
    cases = {name: _sum(fuzz, name) for name in ("n_cases", "n_read", "n_refused", "n_wrong", "n_crashes", "n_hangs")}
    return {
        **{name.replace("n_", "n_files_", 1).removesuffix("_cases"): n for name, n in cases.items()},
        "n_readers": len(fuzz),
        "n_kills": _sum(kills, "n_at_borders") + _sum(kills, "n_at_random"),
        "n_kills_at_borders": _sum(kills, "n_at_borders"),
        "n_killed_runs": _sum(kills, "n_runs"),
        "n_killed_runs_wrong": sum(
            len(findings) for c in kills.values() if isinstance(findings := c["findings"], list)
        ),
    }


def _sum(counts: Counts, name: str) -> int:
    return sum(n for c in counts.values() if isinstance(n := c[name], int))


def _digest_of_harness() -> str:
    digest = hashlib.sha256()
    for path in sorted((REPOSITORY / "tests" / "fuzz").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
