"""English to Hindi from general pairs: all of them against those nearest to 1,151 Hindi transcripts, at equal budgets.

    python benchmarks/translation_hi.py train --system selected --work FOLDER
    python benchmarks/translation_hi.py train --system all_pairs --work FOLDER

Each training keeps checkpoints in FOLDER: interrupted, the same command goes on; with a larger --target-tokens it
trains further from where it was.
"""

import argparse
import csv
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from seedcorn.corpus.formats.pairs import read_pairs, write_pairs
from seedcorn.corpus.pair_cleaning import clean_pairs, spoken_form, take_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.progress import ProgressMode, say, showing_progress
from seedcorn.relevance.cutoff import keep_fraction
from seedcorn.relevance.embedding import centroid, centroid_scores, fit_encoder
from seedcorn.runs import write_text_whole
from seedcorn.translation.network import NetworkShape
from seedcorn.translation.placeholders import frequent_words, lexicon_of, with_placeholders
from seedcorn.translation.training import TrainingSettings, train_translator

DATA = Path(os.environ.get("SEEDCORN_DATA", Path(__file__).parents[2] / "shared" / "data"))
N_TRANSCRIPTS = 1_151
SELECTED_FRACTION = 0.4
PLACEHOLDER_FRACTION = 0.25
RANDOM_SEED = 0


def massive(lang: str) -> dict[str, dict[str, str]]:
    with gzip.open(DATA / "massive" / f"{lang}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {row["id"]: row for row in map(json.loads, lines)}


def parallel_massive(partition: str) -> list[SentencePair]:
    english, hindi = massive("en-US"), massive("hi-IN")
    return [
        SentencePair(id=i, source=english[i]["utt"], target=row["utt"])
        for i, row in hindi.items()
        if row["partition"] == partition
    ]


def transcripts() -> list[str]:
    """The first Hindi train utterances: all in-domain text that the systems may see."""
    return [row["utt"] for row in massive("hi-IN").values() if row["partition"] == "train"][:N_TRANSCRIPTS]


def general_pairs(name: str) -> PairCorpus:
    def rows() -> Iterator[SentencePair]:
        with gzip.open(DATA / "parallel" / f"en-hi.{name}.tsv.gz", "rt", encoding="utf-8") as lines:
            for source, target, origin in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield SentencePair(source=source, target=target, source_lang="en", target_lang="hi", origin=origin)

    return PairCorpus.from_pairs(rows())


def cleaned(pairs: PairCorpus) -> PairCorpus:
    kept = clean_pairs(pairs, source_lang="en", target_lang="hi").positions
    return PairCorpus.from_table(spoken_form(take_pairs(pairs, kept)).table())


def training_pairs(system: str) -> PairCorpus:
    """The general pairs that ``system`` learns from, then the dictionary, a quarter of them with placeholders."""
    general, dictionary = cleaned(general_pairs("train")), cleaned(general_pairs("dict"))
    if system == "selected":
        general = nearest(general)
    together = PairCorpus(lambda: iter([*general.batches(), *dictionary.batches()]))
    common = frequent_words(general)
    lexicon = {s: t for s, t in lexicon_of(dictionary.pairs()).items() if s not in common}
    rng = np.random.default_rng(RANDOM_SEED)
    return with_placeholders(together, lexicon, pair_fraction=PLACEHOLDER_FRACTION, rng=rng)


def prepared(system: str, path: Path) -> PairCorpus:
    """The training pairs of ``system``, made once and then read from ``path``."""
    if not path.exists():
        write_pairs(training_pairs(system), path)
    return PairCorpus.from_table(read_pairs(path).table())


def nearest(general: PairCorpus) -> PairCorpus:
    """The pairs whose Hindi side is nearest to the centroid of the transcripts, minus the general centroid."""
    targets = [batch.column("target") for batch in general.batches()]
    seen = transcripts()
    encoder = fit_encoder([seen, *targets], random_seed=RANDOM_SEED)
    scores = centroid_scores(targets, encoder, in_domain=centroid([seen], encoder), general=centroid(targets, encoder))
    return take_pairs(general, keep_fraction(scores, fraction=SELECTED_FRACTION).positions)


def settings(n_target_tokens: int) -> TrainingSettings:
    """A network of 1.5 million parameters: what learns most in minutes of one CPU thread."""
    return TrainingSettings(
        n_target_tokens=n_target_tokens,
        tokens_per_batch=2_500,
        learning_rate=2e-3,
        n_warmup_steps=300,
        n_subwords=3_000,
        n_evaluations=8,
        patience=8,
        # A budget of a few passes over the pairs leaves nothing to regularise.
        shape=NetworkShape(width=128, n_encoder_layers=3, n_decoder_layers=1, dropout=0.0),
    )


def train(system: str, work: Path, n_target_tokens: int) -> None:
    pairs = prepared(system, work / f"{system}.pairs.parquet")
    say(f"{system}: {pairs.count():,} pairs")
    trained = train_translator(
        pairs,
        parallel_massive("dev"),
        work / system,
        settings=settings(n_target_tokens),
        checkpoints=work / f"{system}.checkpoints",
        random_seed=RANDOM_SEED,
    )
    summary = {**asdict(trained), "folder": trained.folder.name, "n_pairs": pairs.count()}
    write_text_whole(work / f"{system}.json", json.dumps(summary, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("train",))
    parser.add_argument("--system", choices=("selected", "all_pairs"), default="selected")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--target-tokens", type=int, default=4_000_000)
    arguments = parser.parse_args()
    with showing_progress(ProgressMode.LINES):
        train(arguments.system, arguments.work, arguments.target_tokens)


if __name__ == "__main__":
    main()
