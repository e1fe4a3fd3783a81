"""The paraphrase network on domains it never saw, beside word overlap and TF-IDF: python benchmarks/paraphrase.py.

The domains of MASSIVE en-US are cut into three folds. For each, the network is trained on pairs from the train
partition of the other domains and tested on pairs from the test partition of the held-out ones. Word vectors and TF-IDF
weights come from the unlabelled pool without the utterances of that test partition.

What was tuned on what: settings of the present network on pairs from the train partition of the same held-out domains
("train" as argument measures there), the first sketches also on dev and test pairs of the first fold. So training has
not seen the domains, but the choice of settings has, and the choice of approach has seen test pairs of the first fold.

Templates with a word that no other template has are left out of the pairs, test pairs included (see paraphrase_pairs).
"auc" and its peers are of pairs with slots, "auc_slotless" of pairs without. The argument "speed" times rounds of worst
paraphrases instead.
"""

import gzip
import json
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from seedcorn.corpus.text import normalise, words
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.corpus.word_vectors import WordVectors, fit_word_vectors
from seedcorn.diversity.objectives import Budget
from seedcorn.diversity.paraphrase import ParaphraseNetwork
from seedcorn.diversity.paraphrase_pairs import (
    PairKind,
    PairShares,
    ParaphrasePair,
    domain_folds,
    paraphrase_pairs,
    split_by_domain,
)
from seedcorn.diversity.paraphrase_training import train_paraphrase_network
from seedcorn.diversity.worst_paraphrase import worst_paraphrases
from seedcorn.files import write_text_whole
from seedcorn.input_files import digest_of_file
from seedcorn.runs import package_versions

REPOSITORY = Path(__file__).parent.parent
DATA = Path(os.environ.get("SEEDCORN_DATA", REPOSITORY.parent / "shared" / "data"))
MASSIVE, POOL = DATA / "massive" / "en-US.jsonl.gz", DATA / "pool" / "en.tsv.gz"
RESULT = REPOSITORY / "benchmarks" / "results" / "paraphrase.json"
SPEED_RESULT = RESULT.with_name("bench-worst-paraphrase.json")
N_FOLDS, N_TRAIN_PAIRS, N_TEST_PAIRS, N_SLOTLESS_PAIRS = 3, 40_000, 3_000, 600
TEST_SHARES = PairShares(other_structure=0.5, no_values=0.0, other_values=0.2, other_both=0.1, other_intent=0.2)
SLOTLESS_SHARES = PairShares(other_structure=0.0, no_values=0.5, other_values=0.0, other_both=0.0, other_intent=0.5)
N_CALIBRATION_BINS = 10
RANDOM_SEED = 0
N_CANDIDATES, N_SEED, N_ROUNDS, N_CHOSEN = 1_000_000, 1_000, 20, 20_000
N_CODE_DIMENSIONS = 290

Array = NDArray[np.float64]


def massive(partition: str) -> list[Utterance]:
    with gzip.open(MASSIVE, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [_utterance(row) for row in rows if row["partition"] == partition]


def _utterance(row: dict[str, str]) -> Utterance:
    text, slots, end = "", [], 0
    for match in re.finditer(r"\[\s*([^:\]]+?)\s*:\s*([^\]]*?)\s*\]", row["annot_utt"]):
        text += row["annot_utt"][end : match.start()]
        slots.append(Slot(len(text), len(text) + len(match[2]), match[1]))
        text, end = text + match[2], match.end()
    return Utterance(
        text=text + row["annot_utt"][end:], domain=row["scenario"], intent=row["intent"], slots=tuple(slots)
    )


def pool_texts(*, without: Sequence[Utterance]) -> list[str]:
    unwanted = {normalise(utterance.text) for utterance in without}
    with gzip.open(POOL, "rt", encoding="utf-8") as lines:
        texts = [line.split("\t")[0] for line in lines]
    return [text for text in texts if normalise(text) not in unwanted]


def jaccard(pairs: Sequence[ParaphrasePair]) -> Array:
    sets = [(set(words(pair.first)), set(words(pair.second))) for pair in pairs]
    return np.array([len(a & b) / max(len(a | b), 1) for a, b in sets])


class TfIdf:
    """Cosines of TF-IDF vectors of words, weights from unlabelled text."""

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(analyzer=words, sublinear_tf=True).fit(texts)

    def cosines(self, pairs: Sequence[ParaphrasePair]) -> Array:
        """Return the cosine of each pair, (n,)."""
        first = self._vectorizer.transform([pair.first for pair in pairs])
        second = self._vectorizer.transform([pair.second for pair in pairs])
        return np.asarray(first.multiply(second).sum(axis=1)).ravel()


def products(network: ParaphraseNetwork, pairs: Sequence[ParaphrasePair]) -> NDArray[np.float32]:
    first = network.encode([pair.first for pair in pairs])
    second = network.encode([pair.second for pair in pairs])
    similarities: NDArray[np.float32] = (first * second).sum(axis=1)
    return similarities


def auc(pairs: Sequence[ParaphrasePair], scores: NDArray[np.floating], negatives: PairKind | None = None) -> float:
    """Return the area under the ROC curve of paraphrases against all others, or against ``negatives`` alone."""
    from sklearn.metrics import roc_auc_score

    are = np.array([pair.kind.is_paraphrase for pair in pairs])
    kept = np.array([negatives is None or pair.kind.is_paraphrase or pair.kind is negatives for pair in pairs])
    return float(roc_auc_score(are[kept], scores[kept]))


def calibration_error(are: NDArray[np.bool_], probabilities: Array) -> float:
    """Return the expected calibration error over ten bins of equal width."""
    bins = np.minimum((probabilities * N_CALIBRATION_BINS).astype(int), N_CALIBRATION_BINS - 1)
    gaps = [abs(probabilities[bins == b].mean() - are[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))


def measured(
    network: ParaphraseNetwork, tf_idf: TfIdf, pairs: Sequence[ParaphrasePair], slotless: Sequence[ParaphrasePair]
) -> dict[str, float]:
    ours, overlap, cosine = products(network, pairs), jaccard(pairs), tf_idf.cosines(pairs)
    probabilities = network.probabilities(ours)
    are = np.array([pair.kind.is_paraphrase for pair in pairs])
    return {
        "auc": auc(pairs, ours),
        "auc_jaccard": auc(pairs, overlap),
        "auc_tfidf": auc(pairs, cosine),
        "auc_hard_pairs": auc(pairs, ours, PairKind.OTHER_VALUES),
        "auc_hard_pairs_jaccard": auc(pairs, overlap, PairKind.OTHER_VALUES),
        "auc_hard_pairs_tfidf": auc(pairs, cosine, PairKind.OTHER_VALUES),
        "auc_other_both": auc(pairs, ours, PairKind.OTHER_BOTH),
        "auc_other_intent": auc(pairs, ours, PairKind.OTHER_INTENT),
        "auc_slotless": auc(slotless, products(network, slotless)),
        "auc_slotless_jaccard": auc(slotless, jaccard(slotless)),
        "auc_slotless_tfidf": auc(slotless, tf_idf.cosines(slotless)),
        "accuracy": float(((probabilities > 0.5) == are).mean()),
        "calibration_error": calibration_error(are, probabilities),
    }


def fold_row(
    held_out: tuple[str, ...], *, test_partition: str, vectors: WordVectors, tf_idf: TfIdf
) -> dict[str, object]:
    train, _ = split_by_domain(massive("train"), held_out)
    _, test = split_by_domain(massive(test_partition), held_out)
    rng = np.random.default_rng(RANDOM_SEED)
    train_pairs = list(paraphrase_pairs(train, n_pairs=N_TRAIN_PAIRS, rng=rng))
    started = time.perf_counter()
    network = train_paraphrase_network(train_pairs, word_vectors=vectors, random_seed=RANDOM_SEED)
    seconds = time.perf_counter() - started
    pairs = list(paraphrase_pairs(test, n_pairs=N_TEST_PAIRS, rng=rng, shares=TEST_SHARES))
    slotless = list(paraphrase_pairs(test, n_pairs=N_SLOTLESS_PAIRS, rng=rng, shares=SLOTLESS_SHARES))
    numbers = {name: round(number, 4) for name, number in measured(network, tf_idf, pairs, slotless).items()}
    row = {"held_out": list(held_out), **numbers, "n_test_pairs": len(pairs), "training_seconds": round(seconds, 1)}
    sys.stderr.write(json.dumps(row) + "\n")
    return row


def timed_rounds(n_dimensions: int) -> dict[str, object]:
    """Return how long 20 rounds over a million candidates take, with codes drawn at random."""
    rng = np.random.default_rng(RANDOM_SEED)
    codes = rng.standard_normal((N_CANDIDATES, n_dimensions), dtype=np.float32)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    started = time.perf_counter()
    budget = Budget.utterances(N_CHOSEN, n_rows=N_CANDIDATES)
    worst_paraphrases(codes, budget, seed_codes=codes[:N_SEED].copy(), n_rounds=N_ROUNDS)
    seconds = time.perf_counter() - started
    what = f"worst paraphrases: {N_CANDIDATES:,} candidates, {N_SEED:,} seed, {N_ROUNDS} rounds, {N_CHOSEN:,} chosen"
    return {"what": what, "n_dimensions": n_dimensions, "seconds": round(seconds, 1)}


def write_result(path: Path, rows: Sequence[object], summary: dict[str, float]) -> None:
    signature = {
        "data": {path.name: digest_of_file(path) for path in (MASSIVE, POOL)},
        "random_seed": RANDOM_SEED,
        "versions": package_versions(),
    }
    result = {
        "signature": signature,
        "command": " ".join(["python", "benchmarks/paraphrase.py", *sys.argv[1:]]),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rows": rows,
        "summary": summary,
    }
    write_text_whole(path, json.dumps(result, indent=1) + "\n")


def main() -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    if sys.argv[1:] == ["speed"]:
        row = timed_rounds(N_CODE_DIMENSIONS)
        write_result(SPEED_RESULT, [row], {"seconds": float(str(row["seconds"]))})
        return
    test_partition = sys.argv[1] if len(sys.argv) > 1 else "test"
    texts = pool_texts(without=massive("test"))
    started = time.perf_counter()
    vectors = fit_word_vectors(texts, random_seed=RANDOM_SEED)
    seconds = time.perf_counter() - started
    folds = domain_folds(massive("train"), n_folds=N_FOLDS, rng=np.random.default_rng(RANDOM_SEED))
    tf_idf = TfIdf(texts)
    rows = [fold_row(held_out, test_partition=test_partition, vectors=vectors, tf_idf=tf_idf) for held_out in folds]
    names = [name for name, value in rows[0].items() if isinstance(value, float)]
    means = {name: round(float(np.mean([row[name] for row in rows])), 4) for name in names}
    sys.stdout.write(json.dumps(means) + "\n")
    if test_partition == "test":
        summary = {name: means[name] for name in ("auc", "auc_jaccard", "auc_tfidf", "auc_hard_pairs")}
        vector_row = {"what": "word vectors from the pool", "seconds": round(seconds, 1)}
        write_result(RESULT, [*rows, {"what": "mean over folds", **means}, vector_row], summary)


if __name__ == "__main__":
    main()
