"""How costs grow with rows and words: python benchmarks/cost_growth.py --lmplz PATH/TO/lmplz --folder BIG_DISK.

Relevance, file to file: `select relevance` of 10^4 to 10^7 numbered rows of the pool of short English utterances, one
thread. Language models: text of 10^4 to 10^8 words to an ARPA file of order 4, `seedcorn lm estimate` and `lmplz`, both
told the same memory. The sentences are beginnings and ends of general sentences (both sides of en-hi.train, the pool)
and of requests of the built-in grammar, put together at random, so that new n-grams keep coming. Every measurement is
a process of its own, forked by a small one, whose memory would count otherwise. What is measured is written at once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lm import FILES, column
from relevance import pool_texts, tasks, write_large_pool
from seedcorn.corpus.builtin import builtin_requests
from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.relevance.linear import save_relevance_model
from seedcorn.relevance.logistic import fit_logistic
from seedcorn.runs import digest_of_json
from seedcorn.studies.results import Results, write_results

RESULTS = Path(__file__).parent / "results"
N_ROWS = tuple(10**power for power in range(4, 8))
N_WORDS = tuple(10**power for power in range(4, 9))
ORDER, MEMORY, RANDOM_SEED = 4, "1024M", 1
N_REQUESTS, ROWS_PER_BATCH, N_KEPT_PER_ROW = 20_000, 100_000, 0.01
MEASURE = """
import json, os, sys, time
started = time.perf_counter()
null = os.open(os.devnull, os.O_RDWR)
files = [(os.POSIX_SPAWN_DUP2, null, n) for n in (0, 1, 2)]
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=files)
_, status, usage = os.wait4(process, 0)
cost = {"seconds": time.perf_counter() - started, "cpu_seconds": usage.ru_utime + usage.ru_stime}
print(json.dumps({**cost, "megabytes": usage.ru_maxrss / 1024}))
sys.exit(status != 0)
"""


def measured(command: list[str]) -> dict[str, Json]:
    """Return what ``command`` costs: wall and processor seconds, megabytes of the largest resident set."""
    told = subprocess.run([sys.executable, "-S", "-c", MEASURE, *command], capture_output=True, check=True).stdout
    cost: dict[str, Json] = json.loads(told)
    return cost


def relevance_costs(folder: Path) -> Iterator[dict[str, Json]]:
    pool = pool_texts()
    _, _, task = next(tasks(pool))
    model, path = folder / "model.npz", folder / "pool.parquet"
    save_relevance_model(fit_logistic(task.seed, task.background, task.pool_sample).model, model)
    command = [sys.executable, "-m", "seedcorn", "select", "relevance", str(path), "--model", str(model), "--quiet"]
    for n_rows in N_ROWS:
        write_large_pool(pool, n_rows, path)
        kept = ["--top", str(int(n_rows * N_KEPT_PER_ROW)), "--output", str(folder / "kept.jsonl")]
        if n_rows == N_ROWS[0]:
            measured([*command, *kept])  # compiles once, as an installation does
        yield {"what": "relevance", "n_rows": n_rows, "system": "seedcorn", **measured([*command, *kept])}
        path.unlink()


def halves() -> tuple[pa.Array, pa.Array]:
    """Return the beginnings and the ends of general sentences and of requests of the grammar."""
    places = (("en-hi.train", 0), ("en-hi.train", 1), ("pool", 0))
    general = [sentence.split() for name, number in places for sentence in column(FILES[name], number)]
    requests = builtin_requests(N_REQUESTS, lang="en", random_seed=RANDOM_SEED)
    sentences = [*general, *(text.split() for batch in requests.texts() for text in batch.to_pylist())]
    parted = [(" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])) for words in sentences]
    beginnings, ends = zip(*parted, strict=True)
    return pa.array(beginnings), pa.array(ends)


def write_text(path: Path, n_words: int, parts: tuple[pa.Array, pa.Array]) -> None:
    """Write sentences of about ``n_words`` words in all to ``path``."""
    rng = np.random.default_rng(RANDOM_SEED)
    with path.open("wb") as stream:
        while n_words > 0:
            beginnings, ends = (part.take(pa.array(rng.integers(0, len(part), ROWS_PER_BATCH))) for part in parts)
            lines = pc.utf8_trim(pc.binary_join_element_wise(beginnings, ends, " "), " ")
            totals = np.cumsum(pc.add(pc.count_substring(lines, " "), 1).to_numpy())
            lines = lines[: int(np.searchsorted(totals, n_words)) + 1]
            n_words -= int(totals[len(lines) - 1])
            stream.write(("\n".join(lines.to_pylist()) + "\n").encode())


def estimation_costs(folder: Path, lmplz: str, most_words: int) -> Iterator[dict[str, Json]]:
    text, arpas, parts = (
        folder / "text.txt",
        {name: folder / f"{name}.arpa" for name in ("seedcorn", "lmplz")},
        halves(),
    )
    ours = [sys.executable, "-m", "seedcorn", "lm", "estimate", str(text), "--order", str(ORDER), "--memory", MEMORY]
    theirs = [lmplz, "-o", str(ORDER), "-S", MEMORY, "-T", str(folder), "--discount_fallback", "--text", str(text)]
    commands = {"seedcorn": [*ours, "-o", str(arpas["seedcorn"])], "lmplz": [*theirs, "--arpa", str(arpas["lmplz"])]}
    for n_words in (n for n in N_WORDS if n <= most_words):
        write_text(text, n_words, parts)
        if n_words == N_WORDS[0]:
            measured(commands["seedcorn"])  # compiles once, as an installation does
        for system, command in commands.items():
            yield {"what": "estimation", "n_words": n_words, "system": system, **measured(command)}
        n_ngrams = [counts_of(path) for path in arpas.values()]
        if n_ngrams[0] != n_ngrams[1]:
            raise SystemExit(f"different numbers of n-grams: {n_ngrams}")
        yield {"what": "n-grams", "n_words": n_words, "n_ngrams": n_ngrams[0]}


def counts_of(arpa: Path) -> list[int]:
    """Return how many n-grams of each order the ARPA file says that it has."""
    with arpa.open("rb") as lines:
        heads = [next(lines) for _ in range(ORDER + 1)]
    return [int(head.split(b"=")[1]) for head in heads[1:]]


def summary_of(rows: list[dict[str, Json]]) -> dict[str, Json]:
    """Return ours over theirs for each length of the text."""
    numbers = {
        (row["what"], row["system"], row.get("n_words", row.get("n_rows"))): row for row in rows if "system" in row
    }
    summary: dict[str, Json] = {}
    for n_words in N_WORDS:
        ours, theirs = (numbers.get(("estimation", system, n_words)) for system in ("seedcorn", "lmplz"))
        if ours and theirs:
            for key, what in (("time", "seconds"), ("cpu_time", "cpu_seconds"), ("memory", "megabytes")):
                ratio = round(float(str(ours[what])) / float(str(theirs[what])), 2)
                summary[f"estimate_{key}_vs_lmplz_{n_words}"] = ratio
    return summary


def written(rows: list[dict[str, Json]]) -> Path:
    results = Results(
        name="bench-cost-growth",
        command="python benchmarks/cost_growth.py",
        config_digest=digest_of_json({"order": ORDER, "memory": MEMORY, "n_requests": N_REQUESTS}),
        data_digests={name: digest_of_file(path) for name, path in FILES.items()},
        random_seeds=[RANDOM_SEED],
        rows=rows,
        summary=summary_of(rows),
    )
    return write_results(results, RESULTS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lmplz", default="lmplz")
    parser.add_argument("--folder", type=Path, help="where text and models are written; 15 GB, deleted afterwards")
    parser.add_argument("--most-words", type=int, default=max(N_WORDS), help="of the longest text")
    arguments = parser.parse_args()
    rows: list[dict[str, Json]] = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        estimations = estimation_costs(Path(folder), arguments.lmplz, arguments.most_words)
        for costs in (relevance_costs(Path(folder)), estimations):
            for row in costs:
                rows.append(row)
                print(written(rows), json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
