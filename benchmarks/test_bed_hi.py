"""Train the Hindi test bed and cache the posteriors of MASSIVE hi-IN; resumable, one thread.

Run: python benchmarks/test_bed_hi.py FOLDER [--lang hi]
"""

import argparse
import gzip
import os
from pathlib import Path

import torch

from seedcorn.progress import ProgressMode, say, showing_progress
from seedcorn.speech.test_bed import SMALL_TEST_BED, train_test_bed

DATA = Path(os.environ.get("SEEDCORN_DATA", Path(__file__).parents[2] / "shared" / "data"))
RANDOM_SEED = 1


def general_texts(lang: str) -> list[str]:
    column = {"en": 0, "hi": 1}[lang]
    with gzip.open(DATA / "parallel" / "en-hi.train.tsv.gz", "rt", encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t")[column] for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lang", default="hi", choices=["en", "hi"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    model_path = arguments.folder / "acoustic.safetensors"
    with showing_progress(ProgressMode.LINES):
        if not model_path.exists():
            model = train_test_bed(
                general_texts(arguments.lang),
                lang=arguments.lang,
                settings=SMALL_TEST_BED,
                random_seed=RANDOM_SEED,
                checkpoints=arguments.folder,
            )
            model.save(model_path)
        say(f"acoustic model in {model_path}")


if __name__ == "__main__":
    main()
