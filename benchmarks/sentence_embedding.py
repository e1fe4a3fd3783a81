"""Ten million sentence pairs scored by centroid distance, and encoding beside scikit-learn, one thread.

    python benchmarks/sentence_embedding.py

The pairs are those of en-hi.train and new ones whose Hindi side joins the beginning of one with the end of another,
written to a Parquet file that is read as a user's would be. The peer has the same features, words with pairs of
neighbours and character 3- to 5-grams hashed into as many buckets, and reduces them by a TruncatedSVD to as many
dimensions; ours is timed on the same rows in the same run.
"""

import csv
import gzip
import json
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from seedcorn.corpus.formats import read_corpus
from seedcorn.corpus.formats.pairs import read_pairs
from seedcorn.corpus.normalising import normalise_all
from seedcorn.files import write_text_whole
from seedcorn.input_files import digest_of_file
from seedcorn.relevance.centroid import encode_batches
from seedcorn.relevance.embedding import N_BUCKETS, N_FITTED_TEXTS, fit_encoder
from seedcorn.runs import package_versions
from seedcorn.translation.pair_selection import score_pairs
from seedcorn.translation.settings import PairSelectionSettings

REPOSITORY = Path(__file__).parent.parent
DATA = Path(os.environ.get("SEEDCORN_DATA", REPOSITORY.parent / "shared" / "data"))
PAIRS, TRANSCRIPTS = DATA / "parallel" / "en-hi.train.tsv.gz", DATA / "massive" / "hi-IN.jsonl.gz"
RESULT = REPOSITORY / "benchmarks" / "results" / "bench-sentence-embedding.json"
N_LARGE, N_BESIDE_PEER, N_REPEATS, N_DIMENSIONS = 10_000_000, 50_000, 3, 128
ROWS_PER_GROUP = 100_000
RANDOM_SEED = 0


def general_pairs() -> list[tuple[str, str]]:
    with gzip.open(PAIRS, "rt", encoding="utf-8") as lines:
        return [(row[0], row[1]) for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


def write_large(known: list[tuple[str, str]], path: Path) -> None:
    """Write N_LARGE pairs, group after group, so that this process stays small."""
    rng = random.Random(RANDOM_SEED)
    split = [target.split() for _, target in known]
    schema = pa.schema([("source", pa.string()), ("target", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for _ in range(0, N_LARGE, ROWS_PER_GROUP):
            targets = []
            for _ in range(ROWS_PER_GROUP):
                one, other = rng.choice(split), rng.choice(split)
                targets.append(" ".join(one[: rng.randint(1, len(one))] + other[rng.randint(0, len(other) - 1) :]))
            writer.write_table(pa.table([["general text"] * ROWS_PER_GROUP, targets], schema=schema))


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peer() -> Pipeline:
    by_word = HashingVectorizer(ngram_range=(1, 2), token_pattern=r"\S+", n_features=N_BUCKETS, norm=None)
    by_letter = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=N_BUCKETS, norm=None)
    return make_pipeline(make_union(by_word, by_letter), TruncatedSVD(N_DIMENSIONS, random_state=RANDOM_SEED))


def beside_peer(texts: list[str]) -> dict[str, list[float]]:
    """Seconds to encode the same texts, both fitted before on the same ones."""
    batch = pa.array(texts, pa.string())
    ours, theirs = fit_encoder(batch, n_dimensions=N_DIMENSIONS, random_seed=RANDOM_SEED), peer().fit(texts)
    ours.encode(batch[:100])  # loads the compiled kernels
    runs: dict[str, list[float]] = {"ours": [], "scikit-learn": []}
    for _ in range(N_REPEATS):
        runs["ours"].append(timed(lambda: list(encode_batches([batch], ours))))
        runs["scikit-learn"].append(timed(lambda: theirs.transform(texts)))
    return runs


def main() -> None:
    known = general_pairs()
    in_domain = [u.text for u in read_corpus(TRANSCRIPTS, lang="hi").utterances()][:1_000]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pairs.parquet")
        write_large(known, path)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        settings = PairSelectionSettings()
        seconds = timed(
            lambda: score_pairs(read_pairs(path), in_domain=in_domain, settings=settings, random_seed=RANDOM_SEED)
        )
        peak_memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    runs = beside_peer(normalise_all([target for _, target in known[:N_BESIDE_PEER]]))
    summary = {
        "seconds_10m": round(seconds, 1),
        "peak_memory_gb": round(peak_memory_gb, 2),
        "vs_sklearn": round(statistics.median(runs["scikit-learn"]) / statistics.median(runs["ours"]), 1),
    }
    result = {
        "signature": {
            "data": {path.name: digest_of_file(path) for path in (PAIRS, TRANSCRIPTS)},
            "random_seed": RANDOM_SEED,
            "versions": package_versions(),
        },
        "command": "python benchmarks/sentence_embedding.py",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, one thread",
        "rows": [
            {
                "what": f"{N_LARGE:,} pairs from Parquet to scores, encoder fitted on {N_FITTED_TEXTS:,} texts",
                "seconds": seconds,
                "memory_before_gb": before * 1024 / 1e9,
            },
            *({"what": f"encode {N_BESIDE_PEER:,} sentences, {name}", "seconds": s} for name, s in runs.items()),
        ],
        "summary": summary,
    }
    write_text_whole(RESULT, json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
