"""Contamination and relevance of a large pool by threads and by Ray on the same cores: python benchmarks/cluster.py.

The pool is that of short English utterances over and over, written with a running number into Parquet row groups. Both
engines read it themselves; each pass is timed by the clock, interleaved, best of the repeats, and by the CPU seconds of
all processes, which a busy machine changes less. Memory is the largest resident set of any worker. The extrapolation
divides rows by the measured rate a CPU second, and adds start-up.
"""

import argparse
import gzip
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
# Ray's workers stand back for other processes by default; threads do not, and both shall have the same share.
os.environ.setdefault("RAY_worker_niceness", "0")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.contamination import screen_pool
from seedcorn.corpus.formats import read_pool
from seedcorn.corpus.parallel import Mapper
from seedcorn.engines import mapper_of
from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.relevance.keeping import keep_best
from seedcorn.relevance.methods import fit_method
from seedcorn.relevance.streaming import keep_from_stream
from seedcorn.selection import Scores, Selection
from seedcorn.studies.results import Results, write_results

REPOSITORY = Path(__file__).parent.parent
DATA = Path(os.environ.get("SEEDCORN_DATA", REPOSITORY.parent / "shared" / "data"))
POOL, MASSIVE = DATA / "pool" / "en.tsv.gz", DATA / "massive" / "en-US.jsonl.gz"
NAME = "bench-cluster"
N_ROWS, N_KEPT, ROWS_PER_GROUP = 20_000_000, 100_000, 262_144
N_FAR, N_CORES_FAR, N_TO_COMPILE = 1_000_000_000, 64, 400_000


def written_pool(path: Path, n_rows: int) -> None:
    """Write ``n_rows`` utterances to the Parquet file ``path``, no two of them equal."""
    with gzip.open(POOL, "rt", encoding="utf-8") as lines:
        texts = [line.split("\t")[0] for line in lines]
    with pq.ParquetWriter(path, pa.schema([("text", pa.string())])) as writer:
        for start in range(0, n_rows, ROWS_PER_GROUP):
            numbers = range(start, min(start + ROWS_PER_GROUP, n_rows))
            writer.write_table(pa.table({"text": [f"{texts[n % len(texts)]} {n // len(texts)}" for n in numbers]}))


def massive() -> Iterator[dict[str, str]]:
    with gzip.open(MASSIVE, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def passes(pool: Path, mapper: Mapper, sample: pa.Array) -> tuple[float, bytes]:
    """Return the seconds of both passes, and what they kept as bytes."""
    rows = list(massive())
    train = [row for row in rows if row["partition"] == "train"]
    seed = [row["utt"] for row in train if row["intent"] == "alarm_set"][:50]
    background = [row["utt"] for row in train if row["intent"] != "alarm_set"][:5_000]
    fitted = fit_method("logistic", seed, background, sample, aggregate="sum")
    evaluation = [row["utt"] for row in rows if row["partition"] != "train"]

    def cut(scores: Scores, texts: pa.Array) -> Selection:
        return keep_best(scores, n_kept=N_KEPT)

    started = time.perf_counter()
    corpus = read_pool(str(pool))
    screening = screen_pool(corpus.text_pieces(), evaluation, mapper=mapper)
    kept = keep_from_stream(corpus.pieces(), fitted.score, cut, mapper=mapper)
    seconds = time.perf_counter() - started
    return seconds, screening.selection.reject_codes.tobytes() + kept.positions.tobytes() + kept.scores.values.tobytes()


def cpu_seconds() -> float:
    """Return the CPU seconds so far of this process and of all below it, Ray's workers among them."""
    used, parents = dict[int, int](), dict[int, int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(stat.parent.name)], used[int(stat.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])

    def is_ours(process: int) -> bool:
        return process == os.getpid() or (process in parents and is_ours(parents[process]))

    return sum(ticks for process, ticks in used.items() if is_ours(process)) / os.sysconf("SC_CLK_TCK")


def worker_memory(mapper: Mapper, n_workers: int) -> float:
    """Return the largest resident set of the workers, in GB."""

    def peak(number: int) -> int:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    return max(mapper(peak, range(8 * n_workers))) / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-rows", type=int, default=N_ROWS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    chosen = parser.parse_args()
    started = time.perf_counter()
    engines = {name: mapper_of(name, n_workers=chosen.workers) for name in ("local", "ray")}
    list(engines["ray"](str, range(chosen.workers)))
    start_up = time.perf_counter() - started
    rows: list[dict[str, Json]] = []
    found: set[bytes] = set()
    with tempfile.TemporaryDirectory() as folder:
        pool, smaller = Path(folder) / "pool.parquet", Path(folder) / "smaller.parquet"
        written_pool(pool, chosen.n_rows)
        written_pool(smaller, min(chosen.n_rows, N_TO_COMPILE))
        sample = next(iter(read_pool(str(pool)).texts()))[:20_000]
        for mapper in engines.values():
            passes(smaller, mapper, sample)  # compiles kernels in every process
        for repeat in range(1, chosen.repeats + 1):
            for name, mapper in engines.items():
                before = cpu_seconds()
                seconds, kept = passes(pool, mapper, sample)
                used = cpu_seconds() - before
                found.add(kept)
                row = {"engine": name, "repeat": repeat, "n_rows": chosen.n_rows, "seconds": seconds}
                rows.append({**row, "cpu_seconds": used, "load": os.getloadavg()[0]})
                print(name, repeat, round(seconds, 2), round(used, 2), flush=True)
    best, best_cpu = (
        {name: min(float(str(r[unit])) for r in rows if r["engine"] == name) for name in engines}
        for unit in ("seconds", "cpu_seconds")
    )
    rate = chosen.n_rows / best_cpu["ray"]
    memory = worker_memory(engines["ray"], chosen.workers)
    results = Results(
        name=NAME,
        command=f"python benchmarks/cluster.py --n-rows {chosen.n_rows} --workers {chosen.workers} "
        f"--repeats {chosen.repeats}",
        config_digest="",
        data_digests={"pool/en.tsv.gz": digest_of_file(POOL), "massive/en-US.jsonl.gz": digest_of_file(MASSIVE)},
        peers=["ray"],
        random_seeds=[0],
        rows=rows,
        summary={
            "overhead_vs_local": round(best["ray"] / best["local"], 3),
            "cpu_overhead_vs_local": round(best_cpu["ray"] / best_cpu["local"], 3),
            "worker_memory_gb": round(memory, 3),
            "same_bytes": len(found) == 1,
            "rows_per_second_and_core": round(rate),
            "start_up_seconds": round(start_up, 1),
            "minutes_for_1e9_on_64_cores": round((N_FAR / rate / N_CORES_FAR + start_up) / 60, 1),
            "shuffle_gb_for_1e9": round(8 * N_FAR / np.float64(1e9), 1),
        },
    )
    print(results.summary)
    print(write_results(results, REPOSITORY / "benchmarks" / "results"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
