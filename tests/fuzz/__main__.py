"""``PYTHONPATH=tests python tests/fuzz``: damaged files over all readers, a million unless told otherwise.

Prints one line a reader: cases, how many were read, how many were refused, and what went wrong; ends with 1 if
anything did. ``--results`` keeps the counts, and the same command goes on from them.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from campaign import read_counts, run_campaign
from test_fuzz import all_readers


def main() -> int:
    """Run the cases and return the exit code."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        results = arguments.results or Path(folder) / "counts.json"
        (Path(folder) / "good").mkdir()
        readers = [r for r in all_readers(Path(folder) / "good") if arguments.only in r.name]
        went_well = run_campaign(
            readers,
            n_cases=arguments.n_cases,
            first=arguments.first,
            results=results,
            until=time.time() + 60 * arguments.minutes,
        )
        for name, own in read_counts(results).items():
            counts = f"{own.n_cases} cases, {own.n_read} read, {own.n_refused} refused, {own.n_wrong} wrong"
            sys.stdout.write(f"{name}: {counts}, {own.n_crashes} crashes, {own.n_hangs} hangs {own.findings[:5]}\n")
    return int(not went_well)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n_cases", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case of each reader")
    parser.add_argument("--minutes", type=float, default=1e6, help="when to stop")
    parser.add_argument("--results", type=Path, help="where the counts are kept")
    parser.add_argument("--only", default="", help="part of the names of readers")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
