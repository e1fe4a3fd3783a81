"""Language models beside KenLM, one run: python benchmarks/lm.py --lmplz PATH/TO/lmplz.

Text: both sides of en-hi.train and the pool, 5.9 million words, order 4. Every measurement is a process of its own,
ours and theirs in turn, the best of the repeats; memory is the largest resident set. Estimation: from text to an ARPA
file, ``seedcorn lm estimate`` against ``lmplz``, both told to use a gigabyte at most (by default lmplz takes more than
its work needs). Scoring: every sentence of the text, one batch here, a loop over ``kenlm.Model.score`` there. Loading:
our own file here, the ARPA file there. Rows hold processor seconds too, which other work on the machine changes less.
The two ARPA files and all scores are compared at the end. What SRILM does with finished models (``ngram -mix-lm``,
``-prune``, writing ARPA; its licence keeps it out of this comparison) is timed alone, in n-grams a second of its input.
KenLM: pip install kenlm; lmplz is built from the sources in that package by cmake (needs Boost).
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seedcorn.corpus.text import clean_text
from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.runs import digest_of_json
from seedcorn.studies.results import Results, write_results

REPOSITORY = Path(__file__).parent.parent
DATA = Path(os.environ.get("SEEDCORN_DATA", REPOSITORY.parent / "shared" / "data"))
FILES = {"en-hi.train": DATA / "parallel" / "en-hi.train.tsv.gz", "pool": DATA / "pool" / "en.tsv.gz"}
SPECIAL_WORDS = {"<s>", "</s>", "<unk>"}
ORDER, MEGABYTES, N_REPEATS = 4, 1024, 3
BYTES_PER_MEGABYTE = 1 << 20


def column(path: Path, number: int) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            words = clean_text(line.rstrip("\n").split("\t")[number]).split()  # as every reader does; lmplz does not
            if words and not SPECIAL_WORDS & set(words):
                yield " ".join(words)


def write_text(path: Path) -> int:
    n_words = 0
    with path.open("w", encoding="utf-8") as text:
        for name, number in (("en-hi.train", 0), ("en-hi.train", 1), ("pool", 0)):
            for sentence in column(FILES[name], number):
                text.write(sentence + "\n")
                n_words += sentence.count(" ") + 1
    return n_words


def run(command: list[str]) -> tuple[dict[str, Json], str]:
    """Return what ``command`` costs (wall and processor seconds, megabytes of the largest resident set) and prints."""
    with Path(os.devnull).open("rb") as source, tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=source, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"failed: {' '.join(command)}")
        output.seek(0)
        cost: dict[str, Json] = {
            "seconds": seconds,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "megabytes": usage.ru_maxrss / 1024,
        }
        return cost, output.read().decode("utf-8")


def worker(name: str, model_path: Path, text_path: Path, scores_path: Path) -> None:
    """Load the model and score the text as ``name`` does it; print the seconds that each took."""
    from seedcorn.lm.model_file import read_model

    sentences = text_path.read_text("utf-8").split("\n")[:-1]
    if name == "kenlm":
        import kenlm

        started = time.perf_counter()
        model = kenlm.Model(str(model_path))
        loaded, cpu = time.perf_counter(), -time.process_time()
        log10s = [model.score(sentence) for sentence in sentences]
        scored, cpu = time.perf_counter(), cpu + time.process_time()
    else:
        import pyarrow as pa

        column_of_text = pa.array(sentences)
        read_model(model_path).score(column_of_text[:100])  # compiled code is loaded before the clock runs
        started = time.perf_counter()
        ours = read_model(model_path)
        loaded, cpu = time.perf_counter(), -time.process_time()
        logps = ours.score(column_of_text).logps
        scored, cpu = time.perf_counter(), cpu + time.process_time()
        log10s = (logps / np.log(10)).tolist()
    np.save(scores_path, np.array(log10s))
    print(json.dumps({"load_seconds": loaded - started, "score_seconds": scored - loaded, "score_cpu_seconds": cpu}))


def estimations(text: Path, folder: Path, lmplz: str) -> list[dict[str, Json]]:
    ours = [sys.executable, "-m", "seedcorn", "lm", "estimate", str(text), "--order", str(ORDER)]
    commands = {
        "seedcorn": [*ours, "--memory", f"{MEGABYTES}M", "-o", str(folder / "seedcorn.arpa")],
        "lmplz": [lmplz, "-o", str(ORDER), "-S", f"{MEGABYTES}M", "-T", str(folder), "--discount_fallback"],
    }
    commands["lmplz"] += ["--text", str(text), "--arpa", str(folder / "lmplz.arpa")]
    run(commands["seedcorn"])  # compiles once, as an installation does
    rows: list[dict[str, Json]] = []
    for repeat in range(N_REPEATS):
        for system, command in commands.items():
            cost, _ = run(command)
            rows.append({"task": "estimate", "system": system, "repeat": repeat, **cost})
    run([*ours, "-o", str(folder / "seedcorn.lm")])
    return rows


def scorings(text: Path, folder: Path) -> list[dict[str, Json]]:
    models = {"seedcorn": folder / "seedcorn.lm", "kenlm": folder / "lmplz.arpa"}
    rows: list[dict[str, Json]] = []
    for repeat in range(N_REPEATS):
        for system, model in models.items():
            arguments = [system, str(model), str(text), str(folder / f"{system}.npy")]
            cost, output = run([sys.executable, __file__, "--worker", *arguments])
            rows.append({"task": "score", "system": system, "repeat": repeat, **cost, **json.loads(output)})
    return rows


def finished_models(text: Path, folder: Path) -> list[dict[str, Json]]:
    """Return what mixing two models into a static one, pruning one by a half, and writing ARPA take."""
    from seedcorn.lm.model_file import read_model

    lines = text.read_text("utf-8").splitlines(keepends=True)
    command = [sys.executable, "-m", "seedcorn", "lm"]
    halves = [folder / f"half-{number}.lm" for number in (0, 1)]
    for number, half in enumerate(halves):
        half.with_suffix(".txt").write_text("".join(lines[number::2]), "utf-8")
        run([*command, "estimate", str(half.with_suffix(".txt")), "--order", str(ORDER), "-o", str(half)])
    whole = folder / "seedcorn.lm"
    n_of_halves, n_of_whole = (sum(sum(read_model(m).n_ngrams) for m in models) for models in (halves, [whole]))
    mix = ["interpolate", *map(str, halves), "--weight", "0.7", "--weight", "0.3", "-o", str(folder / "mixed.lm")]
    prune = ["prune", str(whole), "--size", str(n_of_whole // 2), "-o", str(folder / "pruned.lm")]
    write = ["prune", str(whole), "--size", str(n_of_whole), "-o", str(folder / "written.arpa")]
    rows: list[dict[str, Json]] = []
    for task, n_ngrams, arguments in (
        ("mix", n_of_halves, mix),
        ("prune", n_of_whole, prune),
        ("write ARPA", n_of_whole, write),
    ):
        cost = min((run([*command, *arguments])[0] for _ in range(N_REPEATS)), key=lambda c: float(str(c["seconds"])))
        rate = n_ngrams / float(str(cost["seconds"]))
        rows.append({"task": task, "system": "seedcorn", "n_ngrams": n_ngrams, "n_ngrams_per_second": rate, **cost})
    return rows


def ratio(rows: list[dict[str, Json]], task: str, what: str) -> float:
    """Return the least of ours over the least of theirs."""
    ours, theirs = (
        min(float(str(row[what])) for row in rows if row["task"] == task and (row["system"] == "seedcorn") is is_ours)
        for is_ours in (True, False)
    )
    return ours / theirs


def largest_arpa_difference(folder: Path) -> float:
    from seedcorn.lm.arpa import read_arpa

    one, other = (read_arpa(folder / f"{name}.arpa") for name in ("seedcorn", "lmplz"))
    if one.words != other.words or one.n_ngrams != other.n_ngrams:
        raise SystemExit("the two ARPA files hold different n-grams")
    pairs = ((one.arrays.logps, other.arrays.logps), (one.arrays.backoffs, other.arrays.backoffs))
    return max(float(np.abs(a - b).max()) for a, b in pairs) / float(np.log(10))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lmplz", default="lmplz")
    parser.add_argument("--worker", nargs=4)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments.worker[0], *map(Path, arguments.worker[1:]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        text = folder / "text.txt"
        n_words = write_text(text)
        rows = estimations(text, folder, arguments.lmplz)
        rows += scorings(text, folder)
        others = finished_models(text, folder)
        scores = [np.load(folder / f"{system}.npy") for system in ("seedcorn", "kenlm")]
        checks: dict[str, Json] = {
            "task": "equal",
            "n_words": n_words,
            "largest_log10_difference_of_arpa_files": largest_arpa_difference(folder),
            "largest_log10_difference_of_sentence_scores": float(np.abs(scores[0] - scores[1]).max()),
        }
    results = Results(
        name="bench-lm",
        command="python benchmarks/lm.py",
        config_digest=digest_of_json({"order": ORDER, "megabytes": MEGABYTES, "n_repeats": N_REPEATS}),
        data_digests={name: digest_of_file(path) for name, path in FILES.items()},
        peers=["kenlm"],
        random_seeds=[],
        rows=[*rows, *others, checks],
        summary={
            "estimate_time_vs_lmplz": ratio(rows, "estimate", "seconds"),
            "estimate_memory_vs_lmplz": ratio(rows, "estimate", "megabytes"),
            "score_speed_vs_kenlm": 1 / ratio(rows, "score", "score_seconds"),
            "load_speed_vs_kenlm": 1 / ratio(rows, "score", "load_seconds"),
            **{f"{str(r['task']).replace(' ', '_')}_ngrams_per_second": r["n_ngrams_per_second"] for r in others},
        },
    )
    print(write_results(results, REPOSITORY / "benchmarks" / "results"), json.dumps(results.summary, indent=1))


if __name__ == "__main__":
    main()
