"""``PYTHONPATH=tests python tests/fuzz [N [FIRST]]``: N mutated files (a million if none) over all readers.

Prints one line a reader: cases, how many were read, how many were refused, and what went wrong; ends with 1 if
anything did. A watchdog ends a case that takes over a minute, and a crash of the interpreter names its case.
"""

import faulthandler
import sys
import tempfile
import time
from pathlib import Path

from readers import readers
from test_fuzz import try_one

_SECONDS_A_CASE = 60


def main() -> int:
    """Run the cases and return the exit code."""
    n_cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    n_wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "good").mkdir()
        tried = readers(folder / "good")
        for reader in tried:
            started, n_read, wrong = time.monotonic(), 0, []
            n_own = n_cases // len(tried)
            for number in range(first, first + n_own):
                faulthandler.dump_traceback_later(_SECONDS_A_CASE, exit=True)
                try:
                    n_read += try_one(reader, number, folder)
                except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
                    wrong.append(f"{number}: {error!r}"[:160])
            faulthandler.cancel_dump_traceback_later()
            n_wrong += len(wrong)
            counts = f"{n_own} cases, {n_read} read, {n_own - n_read - len(wrong)} refused, {len(wrong)} wrong"
            sys.stdout.write(f"{reader.name}: {counts} ({time.monotonic() - started:.0f} s) {wrong[:5]}\n")
            sys.stdout.flush()
    return int(n_wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
