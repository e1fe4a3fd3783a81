"""Relevance beside scikit-learn and fastText, and a pool of 20 million utterances: python benchmarks/relevance.py.

Scoring: one thread, interleaved, best of the repeats; each side is given the texts in its own form (an Arrow array, a
list of strings, a list of lines).
Ranking: the official test utterances of MASSIVE en-US, 50 seed utterances a functionality. The pool of 20 million is
the pool of short English utterances over and over, written with a running number. fastText: pip install fasttext-wheel.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from seedcorn.corpus.text import words
from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.relevance.linear import relevance_scores, save_relevance_model
from seedcorn.relevance.logistic import fit_logistic
from seedcorn.relevance.streaming import keep_from_stream
from seedcorn.studies.results import Results, write_results

REPOSITORY = Path(__file__).parent.parent
DATA = Path(os.environ.get("SEEDCORN_DATA", REPOSITORY.parent / "shared" / "data"))
RESULT = REPOSITORY / "benchmarks" / "results" / "bench-relevance.json"
INTENTS = {
    "alarm_set": {"alarm_set"},
    "play_music": {"play_music"},
    "weather_query": {"weather_query"},
    "lists": {"lists_createoradd", "lists_remove"},
    "email_sendemail": {"email_sendemail"},
}
N_SEED, N_POOL_SAMPLE, POOL_WEIGHT, REGULARISATION = 50, 10_000, 0.3, 0.1
RANDOM_SEEDS = range(5)
N_SCORED, N_REPEATS = 200_000, 15
ROWS_OF_BATCH, N_PASSES = 131_072, 10
N_LARGE, N_SMALLER, N_FEW = 20_000_000, 5_000_000, 20_000
N_BUCKETS = 1 << 20
# The peak as the kernel counts it for this process alone: what wait4 tells includes the memory of the one that forked.
RUN_AND_TELL_PEAK = """
import re, sys
from pathlib import Path
from seedcorn.cli import run
code = run(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
sys.exit(code)
"""


@dataclass(frozen=True)
class Task:
    """The texts of one functionality under one random seed."""

    seed: list[str]
    background: list[str]
    pool_sample: list[str]
    test: list[str]
    relevant: np.ndarray


def pool_texts() -> list[str]:
    with gzip.open(DATA / "pool" / "en.tsv.gz", "rt", encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t")[0] for line in lines]


def tasks(pool: list[str]) -> Iterator[tuple[str, int, Task]]:
    with gzip.open(DATA / "massive" / "en-US.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    train = [row for row in rows if row["partition"] == "train"]
    test = [row for row in rows if row["partition"] == "test"]
    for name, intents in INTENTS.items():
        for random_seed in RANDOM_SEEDS:
            rng = np.random.default_rng(random_seed)
            shuffled = [train[i] for i in rng.permutation(len(train))]
            relevant = [row["utt"] for row in shuffled if row["intent"] in intents]
            other = [row["utt"] for row in shuffled if row["intent"] not in intents]
            n_background = len(other) // 2
            unlabelled = [*relevant[N_SEED:], *other[n_background:], *pool]
            yield (
                name,
                random_seed,
                Task(
                    seed=relevant[:N_SEED],
                    background=other[:n_background],
                    pool_sample=[unlabelled[i] for i in rng.choice(len(unlabelled), N_POOL_SAMPLE, replace=False)],
                    test=[row["utt"] for row in test],
                    relevant=np.array([row["intent"] in intents for row in test]),
                ),
            )


def sklearn_pipeline(task: Task) -> tuple[HashingVectorizer, LogisticRegression]:
    """The same regression on the same n-grams, rows of length one, with scikit-learn alone."""
    vectorizer = HashingVectorizer(ngram_range=(1, 3), n_features=N_BUCKETS, tokenizer=str.split, token_pattern=None)
    texts = [*task.seed, *task.background, *task.pool_sample]
    relevant = np.arange(len(texts)) < len(task.seed)
    weights = np.repeat([1.0, 1.0, POOL_WEIGHT], [len(task.seed), len(task.background), len(task.pool_sample)])
    weights[relevant] = weights[~relevant].sum() / 2 / len(task.seed)
    regression = LogisticRegression(C=1 / REGULARISATION, solver="liblinear")
    regression.fit(vectorizer.transform([" ".join(words(text)) for text in texts]), relevant, sample_weight=weights)
    return vectorizer, regression


def rankings(pool: list[str]) -> list[dict[str, Json]]:
    rows: list[dict[str, Json]] = []
    for name, random_seed, task in tasks(pool):
        model = fit_logistic(task.seed, task.background, task.pool_sample).model
        vectorizer, regression = sklearn_pipeline(task)
        ours = relevance_scores([pa.array(task.test)], model).values
        theirs = regression.decision_function(vectorizer.transform([" ".join(words(text)) for text in task.test]))
        aucs = {"auc": roc_auc_score(task.relevant, ours), "auc_sklearn": roc_auc_score(task.relevant, theirs)}
        rows.append({"what": "ranking", "functionality": name, "random_seed": random_seed, **aucs})
    return rows


def scorers(task: Task, texts: list[str], folder: Path) -> dict[str, Callable[[], object]]:
    """Each scores the texts on one thread; scikit-learn splits words by its own compiled expression."""
    import fasttext

    model = fit_logistic(task.seed, task.background, task.pool_sample).model
    array, text_lines = pa.array(texts), [f"{text}\n" for text in texts]
    vectorizer = HashingVectorizer(ngram_range=(1, 3), n_features=N_BUCKETS, norm=None, alternate_sign=False)
    _, regression = sklearn_pipeline(task)
    labelled = folder / "fasttext.txt"
    lines = [*(f"__label__yes {t}\n" for t in task.seed * 20), *(f"__label__no {t}\n" for t in task.background)]
    labelled.write_text("".join(lines), encoding="utf-8")

    def fasttext_scorer(n_dimensions: int) -> Callable[[], object]:
        trained = fasttext.train_supervised(
            str(labelled), wordNgrams=3, dim=n_dimensions, bucket=N_BUCKETS, thread=1, verbose=0
        )
        return lambda: trained.f.multilinePredict(text_lines, 1, 0.0, "strict")

    return {
        "seedcorn": lambda: relevance_scores([array], model),
        "sklearn": lambda: regression.decision_function(vectorizer.transform(texts)),
        "fasttext, 10 dimensions": fasttext_scorer(10),
        "fasttext, 100 dimensions": fasttext_scorer(100),
    }


def speeds(pool: list[str], folder: Path) -> list[dict[str, Json]]:
    _, _, task = next(tasks(pool))
    timed = scorers(task, pool[:: len(pool) // N_SCORED][:N_SCORED], folder)
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(N_REPEATS):
        for name, score in timed.items():
            started = time.perf_counter()
            score()
            seconds[name].append(time.perf_counter() - started)
    return [
        {
            "what": "scoring",
            "system": name,
            "n_texts": N_SCORED,
            "best_seconds": min(s),
            "microseconds_a_text": 1e6 * min(s) / N_SCORED,
        }
        for name, s in seconds.items()
    ]


def scaling(pool: list[str]) -> list[dict[str, Json]]:
    """Time a pass over texts in memory by one thread and by two, interleaved: scored, the best of each batch kept."""
    _, _, task = next(tasks(pool))
    model = fit_logistic(task.seed, task.background, task.pool_sample).model
    table = pa.table({"text": pool}).combine_chunks()
    cutoff = Cutoff(n_kept=20_000)
    batches = table.to_batches(max_chunksize=ROWS_OF_BATCH) * N_PASSES
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(N_REPEATS):
        for n_threads, of_threads in seconds.items():
            started = time.perf_counter()
            keep_from_stream(
                batches,
                lambda texts: relevance_scores([texts], model),
                lambda scores, texts: cutoff.apply(scores, texts=lambda: [texts], seed=(), threshold_for=float),
                n_threads=n_threads,
            )
            of_threads.append(time.perf_counter() - started)
    n_texts = len(pool) * N_PASSES
    return [{"what": "pass", "n_texts": n_texts, "n_threads": n, "best_seconds": min(s)} for n, s in seconds.items()]


def bandwidth(pool: list[str]) -> dict[str, Json]:
    """Return how fast one core reads the bytes of the pool, again and again, and nothing else."""
    text = np.frombuffer("".join(pool).encode(), np.uint8)
    seconds = []
    for _ in range(N_REPEATS):
        started = time.perf_counter()
        text.max()
        seconds.append(time.perf_counter() - started)
    return {"what": "reading", "n_bytes": len(text), "n_texts": len(pool), "best_seconds": min(seconds)}


def write_large_pool(pool: list[str], n_rows: int, path: Path) -> None:
    texts = pa.array(pool)
    with pq.ParquetWriter(path, pa.schema([("text", pa.string())]), use_dictionary=False) as writer:
        for start in range(0, n_rows, len(pool)):
            numbers = pa.array([f" {start + i}" for i in range(min(len(pool), n_rows - start))])
            numbered = pc.binary_join_element_wise(texts[: len(numbers)], numbers, "")
            writer.write_table(pa.table({"text": numbered}), row_group_size=131_072)


def as_text(parquet: Path, path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for batch in pq.ParquetFile(parquet).iter_batches():
            stream.write("".join(f"{text}\n" for text in batch.column("text").to_pylist()))


def timed_command(pool: Path, model: Path, n_threads: int) -> dict[str, Json]:
    """Run the command on ``pool`` and return its seconds and the peak of its resident memory."""
    output = pool.with_suffix(".kept.jsonl")
    command = [
        sys.executable, "-c", RUN_AND_TELL_PEAK, "select", "relevance", str(pool), "--model", str(model),
        "--top", "20000", "--threads", str(n_threads), "--output", str(output), "--quiet",
    ]  # fmt: skip
    started = time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    seconds = time.perf_counter() - started
    return {"seconds": round(seconds, 2), "peak_memory_gb": round(int(told.split()[-1]) * 1024 / 1e9, 3)}


def large_pools(pool: list[str], folder: Path, n_repeats: int) -> list[dict[str, Json]]:
    _, _, task = next(tasks(pool))
    model = folder / "model.npz"
    save_relevance_model(fit_logistic(task.seed, task.background, task.pool_sample).model, model)
    smaller, large, text = folder / "smaller.parquet", folder / "large.parquet", folder / "large.txt"
    few = folder / "few.parquet"
    write_large_pool(pool, N_FEW, few)
    write_large_pool(pool, N_SMALLER, smaller)
    write_large_pool(pool, N_LARGE, large)
    as_text(large, text)
    cases = [(few, N_FEW, 1), (smaller, N_SMALLER, 1), *((path, N_LARGE, n) for path in (large, text) for n in (1, 2))]
    return [
        {"what": "file to file", "format": path.suffix[1:], "n_rows": n_rows, "n_threads": n_threads, **timed}
        for _ in range(n_repeats)
        for path, n_rows, n_threads in cases
        for timed in [timed_command(path, model, n_threads)]
    ]


def summary_of(rows: list[dict[str, Json]]) -> dict[str, Json]:
    def numbers(what: str, key: str, **wanted: Json) -> list[float]:
        chosen = [r for r in rows if r["what"] == what and all(r[k] == v for k, v in wanted.items())]
        return [float(str(r[key])) for r in chosen]

    seconds = {str(r["system"]): float(str(r["best_seconds"])) for r in rows if r["what"] == "scoring"}
    (reading,) = [float(str(r["best_seconds"])) / int(str(r["n_texts"])) for r in rows if r["what"] == "reading"]
    one, two = (float(str(r["best_seconds"])) for r in rows if r["what"] == "pass")
    fasttext = min(s for name, s in seconds.items() if name.startswith("fasttext"))
    start_up = min(numbers("file to file", "seconds", n_rows=N_FEW))  # of as many rows as are kept
    by_threads = {
        form: [min(numbers("file to file", "seconds", format=form, n_rows=N_LARGE, n_threads=n)) for n in (1, 2)]
        for form in ("parquet", "txt")
    }
    speedups = {form: one_thread / two_threads for form, (one_thread, two_threads) in by_threads.items()}
    beyond_start_up = {form: (a - start_up) / (b - start_up) for form, (a, b) in by_threads.items()}
    return {
        "vs_sklearn": round(seconds["sklearn"] / seconds["seedcorn"], 1),
        "vs_fasttext": round(fasttext / seconds["seedcorn"], 1),
        "share_of_bandwidth": round(reading * N_SCORED / seconds["seedcorn"], 3),
        "auc": round(float(np.mean(numbers("ranking", "auc"))), 4),
        "auc_sklearn": round(float(np.mean(numbers("ranking", "auc_sklearn"))), 4),
        "peak_memory_gb_20m": max(numbers("file to file", "peak_memory_gb", n_rows=N_LARGE)),
        "peak_memory_gb_5m": max(numbers("file to file", "peak_memory_gb", n_rows=N_SMALLER)),
        "two_thread_speedup": round(min(speedups.values()), 2),
        "two_thread_speedup_parquet": round(speedups["parquet"], 2),
        "two_thread_speedup_text": round(speedups["txt"], 2),
        "two_thread_speedup_of_pass": round(one / two, 2),
        "start_up_seconds": start_up,
        "two_thread_speedup_beyond_start_up": round(min(beyond_start_up.values()), 2),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--folder", type=Path, help="where the large pools are written; 4 GB, deleted afterwards")
    arguments.add_argument("--repeats", type=int, default=2, help="of the large pools")
    given = arguments.parse_args()
    pool = pool_texts()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        rows = [
            *rankings(pool),
            *speeds(pool, Path(folder)),
            *scaling(pool),
            bandwidth(pool),
            *large_pools(pool, Path(folder), given.repeats),
        ]
    results = Results(
        name=RESULT.stem,
        command="python benchmarks/relevance.py",
        config_digest="",
        data_digests={name: digest_of_file(DATA / name) for name in ("pool/en.tsv.gz", "massive/en-US.jsonl.gz")},
        peers=["fasttext-wheel"],
        random_seeds=list(RANDOM_SEEDS),
        rows=rows,
        summary=summary_of(rows),
    )
    write_results(results, RESULT.parent)
    sys.stdout.write(json.dumps(results.summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
