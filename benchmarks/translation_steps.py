"""What each step between two languages brings, at 576 transcripts: quality, and perplexity of the mixture.

    python benchmarks/translation_steps.py base --source fr --target en --work FOLDER
    python benchmarks/translation_steps.py base --source en --target fr --work FOLDER

Each direction is trained once, on the general pairs nearest to the 576 transcripts of either language by cross-entropy
of both sides: what both chains may know, as either language has in-domain text in each of them. Trainings keep
checkpoints in FOLDER: interrupted, the same command goes on.
"""

import argparse
import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from seedcorn.corpus.folding import fold_all
from seedcorn.corpus.formats import read_corpus
from seedcorn.corpus.formats.pairs import read_pairs, write_pairs
from seedcorn.corpus.pair_cleaning import clean_pairs, spoken_form, swapped, take_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.utterances import Utterance, utterances_of
from seedcorn.progress import ProgressMode, say, showing_progress
from seedcorn.relevance.cutoff import keep_fraction
from seedcorn.translation.pair_selection import cross_entropy_of_pairs
from seedcorn.translation.settings import NetworkShape, TrainingSettings
from seedcorn.translation.training import train_translator

DATA = Path(os.environ.get("SEEDCORN_DATA", Path(__file__).parents[2] / "shared" / "data"))
RESULTS = Path(__file__).parent / "results"
LOCALES = {"en": "en-US", "fr": "fr-FR", "hi": "hi-IN"}
N_TRANSCRIPTS = 576
N_DEV = N_TRANSCRIPTS // 2
SELECTED_FRACTION = 0.4
RANDOM_SEED = 1


def massive(lang: str, partition: str) -> list[Utterance]:
    """The annotated utterances of one partition, in the order of the file."""
    table = read_corpus(DATA / "massive" / f"{LOCALES[lang]}.jsonl.gz", lang=lang).table()
    return utterances_of(table.filter(pc.equal(table.column("partition"), partition)))


def dev_pairs(source: str, target: str) -> list[SentencePair]:
    """The development utterances in both languages: half as many as there are transcripts."""
    by_id = {u.id: u.text for u in massive(source, "dev")}
    chosen = drawn(massive(target, "dev"), N_DEV)
    sources, targets = fold_all([by_id[u.id] for u in chosen]), fold_all([u.text for u in chosen])
    return [SentencePair(id=u.id, source=s, target=t) for u, s, t in zip(chosen, sources, targets, strict=True)]


def drawn(utterances: list[Utterance], n: int, random_seed: int = RANDOM_SEED) -> list[Utterance]:
    rows = np.random.default_rng(random_seed).permutation(len(utterances))[:n]
    return [utterances[row] for row in np.sort(rows)]


def general_pairs(source: str, target: str) -> PairCorpus:
    """All clean general pairs, as they are spoken; the files have English on the left."""
    other = target if source == "en" else source

    def rows() -> Iterator[SentencePair]:
        with gzip.open(DATA / "parallel" / f"en-{other}.train.tsv.gz", "rt", encoding="utf-8") as lines:
            for left, right, origin in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield SentencePair(source=left, target=right, source_lang="en", target_lang=other, origin=origin)

    pairs = PairCorpus.from_pairs(rows())
    pairs = pairs if source == "en" else swapped(pairs)
    kept = clean_pairs(pairs, source_lang=source, target_lang=target).positions
    return PairCorpus.from_table(spoken_form(take_pairs(pairs, kept)).table())


def transcripts(lang: str) -> list[Utterance]:
    """All in-domain target text of a chain."""
    return drawn(massive(lang, "train"), N_TRANSCRIPTS)


def selected_pairs(source: str, target: str, work: Path) -> PairCorpus:
    """The general pairs nearest to the transcripts of either language, made once, in either direction."""
    left, right = sorted((source, target))
    path = work / f"selected-{left}-{right}.parquet"
    if not path.exists():
        pairs = general_pairs(left, right)
        scores = cross_entropy_of_pairs(
            pairs,
            in_domain_source=[u.text for u in transcripts(left)],
            in_domain=[u.text for u in transcripts(right)],
            random_seed=RANDOM_SEED,
        )
        write_pairs(take_pairs(pairs, keep_fraction(scores, fraction=SELECTED_FRACTION).positions), path)
    pairs = PairCorpus.from_table(read_pairs(path).table())
    return pairs if source == left else swapped(pairs)


def base_settings(n_target_tokens: int) -> TrainingSettings:
    """A network that learns most in minutes of a CPU; a few passes leave nothing to regularise."""
    return TrainingSettings(
        n_target_tokens=n_target_tokens,
        tokens_per_batch=2_500,
        learning_rate=4e-3,
        n_warmup_steps=300,
        n_subwords=3_000,
        n_evaluations=4,
        patience=4,
        shape=NetworkShape(width=128, n_encoder_layers=3, n_decoder_layers=1, dropout=0.0),
    )


def train_base(source: str, target: str, n_target_tokens: int, work: Path) -> None:
    pairs = selected_pairs(source, target, work)
    say(f"{source} to {target}: {pairs.count():,} pairs")
    trained = train_translator(
        pairs,
        dev_pairs(source, target),
        work / f"base-{source}-{target}",
        settings=base_settings(n_target_tokens),
        checkpoints=work / f"base-{source}-{target}.checkpoints",
        random_seed=RANDOM_SEED,
    )
    say(f"{source} to {target}: dev chrF {trained.dev_chrf:.2f} after {trained.n_target_tokens:,} tokens")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("base",))
    parser.add_argument("--source", choices=tuple(LOCALES), required=True)
    parser.add_argument("--target", choices=tuple(LOCALES), required=True)
    parser.add_argument("--target-tokens", type=int, default=3_000_000)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    with showing_progress(ProgressMode.LINES):
        train_base(arguments.source, arguments.target, arguments.target_tokens, arguments.work)


if __name__ == "__main__":
    main()
