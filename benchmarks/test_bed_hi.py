"""Train the Hindi test bed and cache the posteriors of MASSIVE hi-IN dev and test; resumable, one thread.

Run: python benchmarks/test_bed_hi.py FOLDER [--lang hi]

FOLDER gets acoustic.safetensors, posteriors/{dev,test}.npz and test-bed.json (greedy error rates). The acoustic model
hears general sentences only, words shuffled; dev and test are spoken by voices unseen in training, in white noise or
babble at 0-20 dB.
"""

import argparse
import gzip
import json
import os
from pathlib import Path

import torch

from seedcorn.evaluation.wer import character_errors, word_errors
from seedcorn.files import write_text_whole
from seedcorn.input_files import digest_of_file
from seedcorn.progress import ProgressMode, say, showing_progress
from seedcorn.speech.acoustic import AcousticModel, greedy_text, load_acoustic_model
from seedcorn.speech.posteriors import Posteriors, read_posteriors
from seedcorn.speech.test_bed import SMALL_TEST_BED, synthesise_and_emit, train_test_bed

DATA = Path(os.environ.get("SEEDCORN_DATA", Path(__file__).parents[2] / "shared" / "data"))
RANDOM_SEEDS = {"train": 1, "dev": 2, "test": 3}
SNR_RANGE_DB = (0.0, 20.0)
LOCALES = {"hi": "hi-IN", "en": "en-US"}
ENGINE_LANGS = {"hi": "hi", "en": "en-us"}


def general_texts(lang: str) -> list[str]:
    column = {"en": 0, "hi": 1}[lang]
    with gzip.open(DATA / "parallel" / "en-hi.train.tsv.gz", "rt", encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t")[column] for line in lines]


def massive(lang: str, partition: str) -> tuple[list[str], list[str]]:
    """Return ids and texts of one partition, in file order."""
    with gzip.open(DATA / "massive" / f"{LOCALES[lang]}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["partition"] == partition]
    return [row["id"] for row in rows], [row["utt"] for row in rows]


def acoustic_model(folder: Path, lang: str) -> AcousticModel:
    path = folder / "acoustic.safetensors"
    if not path.exists():
        model = train_test_bed(
            general_texts(lang),
            lang=ENGINE_LANGS[lang],
            settings=SMALL_TEST_BED,
            random_seed=RANDOM_SEEDS["train"],
            checkpoints=folder,
        )
        model.save(path)
    return load_acoustic_model(path)


def posteriors(model: AcousticModel, folder: Path, lang: str, partition: str) -> Posteriors:
    path = folder / "posteriors" / f"{partition}.npz"
    if not path.exists():
        ids, texts = massive(lang, partition)
        synthesise_and_emit(
            model,
            texts,
            ids=ids,
            lang=ENGINE_LANGS[lang],
            snr_range_db=SNR_RANGE_DB,
            random_seed=RANDOM_SEEDS[partition],
        ).save(path)
    return read_posteriors(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lang", default="hi", choices=sorted(LOCALES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with showing_progress(ProgressMode.LINES):
        model = acoustic_model(arguments.folder, arguments.lang)
        about: dict[str, str | float] = {"acoustic_model": digest_of_file(arguments.folder / "acoustic.safetensors")}
        for partition in ("dev", "test"):
            emitted = posteriors(model, arguments.folder, arguments.lang, partition)
            texts = massive(arguments.lang, partition)[1]
            greedy = [greedy_text(logps, emitted.alphabet) for logps in emitted.logps]
            about[f"greedy_wer_{partition}"] = word_errors(texts, greedy).total().rate
            about[f"greedy_cer_{partition}"] = character_errors(texts, greedy).total().rate
            say(f"{partition}: greedy word error rate {about[f'greedy_wer_{partition}']:.3f}")
        write_text_whole(arguments.folder / "test-bed.json", json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
