"""N kills of pipelines and studies, each resumed to the same bytes: what ``make kill`` runs.

``PYTHONPATH=tests python tests/fuzz/kills.py [N [RANDOM_SEED]]``. Every second kill comes at the border of a stage, as
soon as its folder appears; the others come at random moments. Ends with 1 if a resumed run fails, or ends with other
bytes than one that was never killed.
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from run_folders import run_bytes

KILLS_PER_RUN = 5
DATA = {
    "annotated": {
        **{
            part: {"path": "builtin:requests", "n_rows": 1500, "where": {"partition": part}}
            for part in ("train", "dev", "test")
        },
        "n_seed": 10,
    },
    "pool": [{"path": "builtin:general", "n_rows": 500}],
}
PIPELINE = {"relevance": {"cutoff": {"n_kept": 100}}, "diversity": {"method": "all"}, "self_training": {"n_rounds": 1}}
INTENT = {"name": "small", "data": {"intents": ["alarm_set"], **DATA}, **PIPELINE}
STUDY = {
    "study": "intent",
    "name": "small-study",
    "random_seeds": [1, 2],
    "seed_sizes": [10],
    "functionalities": {"alarm": ["alarm_set"]},
    "reported": ["alarm"],
    "corpora": {"built-in": {"data": DATA}},
    "run": PIPELINE,
    "systems": {"all": {}, "random half": {"diversity": {"method": "random", "fraction": 0.5}}},
}


def main() -> int:
    """Kill and resume, and return the exit code."""
    n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for written, config in (("study.json", STUDY), ("intent.json", INTENT)):
            (folder / written).write_text(json.dumps(config), "utf-8")
        jobs = {
            "intent": ["intent", str(folder / "intent.json")],
            "study, two workers": ["study", str(folder / "study.json"), "--workers", "2"],
        }
        for job, arguments in jobs.items():
            straight = folder / f"straight {job}"
            started = time.monotonic()
            finish(arguments, straight)
            seconds, wanted = time.monotonic() - started, run_bytes(straight)
            for run in range(-(-n_kills // len(jobs) // KILLS_PER_RUN)):
                broken = folder / f"{job} {run}"
                for kill in range(KILLS_PER_RUN):
                    kill_once(arguments, broken, rng, seconds=seconds, at_a_border=kill % 2 == 0)
                finish(arguments, broken)
                found = run_bytes(broken)
                differ = sorted(n for n in {*found, *wanted} if found.get(n) != wanted.get(n))
                wrong += bool(differ)
                say(f"{job}: {KILLS_PER_RUN} kills, {f'other bytes in {differ[:5]}' if differ else 'equal bytes'}")
    return int(wrong > 0)


def command(arguments: Sequence[str], folder: Path) -> list[str]:
    """Return the command line of a job whose run folder is ``folder``."""
    return [sys.executable, "-m", "seedcorn", *arguments, "--run-dir", str(folder), "--quiet"]


def finish(arguments: Sequence[str], folder: Path) -> None:
    """Run a job to its end. Raises CalledProcessError when it fails."""
    subprocess.run(command(arguments, folder), check=True, stdout=subprocess.DEVNULL)


def kill_once(arguments: Sequence[str], folder: Path, rng: random.Random, *, seconds: float, at_a_border: bool) -> None:
    """Kill a job as soon as one more stage is there, or at a random moment, unless it ends before."""
    before, moment = finished_stages(folder), time.monotonic() + rng.uniform(0, seconds)
    process = subprocess.Popen(command(arguments, folder), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        if finished_stages(folder) > before if at_a_border else time.monotonic() > moment:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait()


def finished_stages(folder: Path) -> int:
    """Return how many stages have their record."""
    return sum(1 for _ in folder.rglob("record.json")) if folder.exists() else 0


def say(line: str) -> None:
    """Write one line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
