"""The readers on the real MASSIVE and SNIPS: nothing lost, in any locale."""

import gzip
import json
from pathlib import Path

import pytest

from seedcorn.corpus.formats import detect_format, read_corpus
from seedcorn.corpus.formats.massive_markup import bracketed
from seedcorn.corpus.text import clean_text
from seedcorn.errors import SeedcornWarning

pytestmark = pytest.mark.needs_data


def without_white_space(text: str) -> str:
    return "".join(clean_text(text).split())


@pytest.mark.parametrize("locale", ["en-US", "hi-IN", "ja-JP", "ar-SA", "th-TH"])
def test_massive_loses_nothing(real_data: Path, locale: str):
    path = real_data / "massive" / f"{locale}.jsonl.gz"
    corpus = read_corpus(path)
    table = corpus.table()
    assert detect_format(path) == "massive"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    assert table.num_rows == len(rows) == 16_521
    assert table.column("partition").to_pylist() == [row["partition"] for row in rows]
    for row, utterance in zip(rows, corpus.utterances(), strict=True):
        assert (utterance.id, utterance.lang, utterance.domain) == (row["id"], row["locale"], row["scenario"])
        assert (utterance.text, utterance.intent) == (clean_text(row["utt"]), row["intent"])
        assert without_white_space(bracketed(utterance)) == without_white_space(row["annot_utt"])


def test_snips_raw_and_slot_folders_hold_the_same_number_of_queries(real_data: Path):
    with pytest.warns(SeedcornWarning, match="train_PlayMusic_full.json is not UTF-8"):
        raw = read_corpus(real_data / "snips" / "raw").table()
    n_folder_rows = sum(
        read_corpus(real_data / "snips" / "slotgated" / name).count() for name in ("train", "valid", "test")
    )
    assert raw.num_rows == n_folder_rows == 14_484
    assert raw.column("partition").to_pylist().count("train") == 13_784


def test_the_pool_is_read_whole(real_data: Path):
    corpus = read_corpus(real_data / "pool" / "en.tsv.gz", lang="en")
    assert corpus.count() == 381_761
    first = next(corpus.batches())
    assert set(first.column("lang").to_pylist()) == {"en"}
    assert all(first.column("origin").to_pylist())
