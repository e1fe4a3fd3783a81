"""Exact lazy greedy over a million utterances, and beside apricot-select on 20,000: python benchmarks/submodular.py.

The utterances are those of the pool of short English utterances, and new ones made by joining the beginning of one
with the end of another. apricot-select (pip install apricot-select) compiles its kernels anew in every fit, which is
left out of its time: its optimiser alone is timed, on kernels compiled before, as ours is.
"""

import gzip
import json
import os
import platform
import random
import resource
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.sparse import csr_matrix

from seedcorn.diversity.feature_coverage import FeatureCoverage
from seedcorn.diversity.greedy import lazy_greedy, stochastic_greedy
from seedcorn.diversity.objectives import Budget
from seedcorn.diversity.sieve import StreamBatch, sieve_stream
from seedcorn.files import write_text_whole
from seedcorn.input_files import digest_of_file
from seedcorn.relevance.ngrams import NgramFeatures, ngram_matrix
from seedcorn.runs import package_versions

REPOSITORY = Path(__file__).parent.parent
DATA = Path(os.environ.get("SEEDCORN_DATA", REPOSITORY.parent / "shared" / "data")) / "pool" / "en.tsv.gz"
RESULT = REPOSITORY / "benchmarks" / "results" / "bench-submodular.json"
N_LARGE, N_LARGE_CHOSEN = 1_000_000, 50_000
N_SMALL, N_SMALL_CHOSEN = 20_000, 1_000
N_REPEATS = 2
RANDOM_SEED = 0


def utterances(n: int) -> list[str]:
    rng = random.Random(RANDOM_SEED)
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        known = dict.fromkeys(line.split("\t")[0] for line in lines)
    split = [text.split() for text in known]
    while len(known) < n:
        one, other = rng.choice(split), rng.choice(split)
        known[" ".join(one[: rng.randint(1, len(one))] + other[rng.randint(0, len(other) - 1) :])] = None
    shuffled = list(known)
    rng.shuffle(shuffled)
    return shuffled[:n]


def without_empty_columns(rows: csr_matrix) -> csr_matrix:
    used, columns = np.unique(rows.indices, return_inverse=True)
    return csr_matrix((rows.data, columns.astype(np.int32), rows.indptr), shape=(rows.shape[0], len(used)))


def timed_large(texts: list[str]) -> dict[str, float]:
    rows = ngram_matrix(texts, features=NgramFeatures(n_bits=22))
    started = time.perf_counter()
    picks = lazy_greedy(FeatureCoverage(rows), Budget.utterances(N_LARGE_CHOSEN, n_rows=len(texts)))
    return {"seconds": time.perf_counter() - started, "value": float(picks.gains.sum()), "n_ngrams": int(rows.nnz)}


def timed_small(rows: csr_matrix) -> dict[str, float]:
    started = time.perf_counter()
    picks = lazy_greedy(FeatureCoverage(rows), Budget.utterances(N_SMALL_CHOSEN, n_rows=rows.shape[0]))
    return {"seconds": time.perf_counter() - started, "value": float(picks.gains.sum())}


def timed_apricot(rows: csr_matrix, optimizer: str) -> dict[str, float]:
    import apricot
    from apricot.optimizers import OPTIMIZERS

    wide = rows.astype(np.float64)
    selector = apricot.FeatureBasedSelection(N_SMALL_CHOSEN, "sqrt", optimizer=optimizer)
    started = time.perf_counter()
    selector._initialize(wide)
    compiled = time.perf_counter()
    OPTIMIZERS[optimizer](function=selector).select(wide, N_SMALL_CHOSEN)
    return {
        "seconds": time.perf_counter() - compiled,
        "seconds_compiling": compiled - started,
        "value": float(np.sum(selector.gains)),
    }


def timed_others(texts: list[str]) -> list[dict[str, object]]:
    """Return the stochastic and streaming optimisers at the large size, beside the value of the exact one."""
    rows = ngram_matrix(texts, features=NgramFeatures(n_bits=18))
    results: list[dict[str, object]] = []
    budget = Budget.utterances(N_LARGE_CHOSEN, n_rows=len(texts))
    started = time.perf_counter()
    exact = lazy_greedy(FeatureCoverage(rows), budget).gains.sum()
    results.append({"what": "lazy, 2^18 buckets", "seconds": time.perf_counter() - started, "value_of_exact": 1.0})
    started = time.perf_counter()
    sampled = stochastic_greedy(FeatureCoverage(rows), budget, rng=np.random.default_rng(RANDOM_SEED)).gains.sum()
    results.append(
        {"what": "stochastic", "seconds": time.perf_counter() - started, "value_of_exact": float(sampled / exact)}
    )
    batches = [rows[start : start + 50_000] for start in range(0, len(texts), 50_000)]
    started = time.perf_counter()
    streamed = sieve_stream(
        (StreamBatch(batch, np.ones(batch.shape[0], np.int64)) for batch in batches),
        budget=N_LARGE_CHOSEN,
        n_features=rows.shape[1],
    ).gains.sum()
    results.append(
        {"what": "sieve stream", "seconds": time.perf_counter() - started, "value_of_exact": float(streamed / exact)}
    )
    return results


def main() -> None:
    texts = utterances(N_LARGE)
    small = without_empty_columns(ngram_matrix(texts[:N_SMALL], features=NgramFeatures(n_bits=22)))
    timed_small(small[:1_000] if N_SMALL_CHOSEN <= 1_000 else small)  # loads the compiled kernels
    ours, lazy, two_stage = [], [], []
    for _ in range(N_REPEATS):
        ours.append(timed_small(small))
        lazy.append(timed_apricot(small, "lazy"))
    two_stage.append(timed_apricot(small, "two-stage"))
    large = [timed_large(texts) for _ in range(N_REPEATS)]
    peak_memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    best_apricot = min(statistics.median(r["seconds"] for r in runs) for runs in (lazy, two_stage))
    summary = {
        "seconds_1m_50k": round(statistics.median(r["seconds"] for r in large), 2),
        "vs_apricot": round(best_apricot / statistics.median(r["seconds"] for r in ours), 1),
        "peak_memory_gb": round(peak_memory_gb, 2),
    }
    rows: list[dict[str, object]] = [
        {"what": f"lazy, {N_LARGE:,} utterances, {N_LARGE_CHOSEN:,} chosen", "runs": large},
        {"what": f"lazy, {N_SMALL:,} utterances, {N_SMALL_CHOSEN:,} chosen", "runs": ours},
        {"what": "apricot lazy, the same", "runs": lazy},
        {"what": "apricot two-stage, the same", "runs": two_stage},
        *timed_others(texts),
    ]
    signature = {
        "data": {DATA.name: digest_of_file(DATA)},
        "random_seed": RANDOM_SEED,
        "versions": package_versions(),
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, one thread"
    command = "python benchmarks/submodular.py"
    result = {"signature": signature, "command": command, "machine": machine, "rows": rows, "summary": summary}
    write_text_whole(RESULT, json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
